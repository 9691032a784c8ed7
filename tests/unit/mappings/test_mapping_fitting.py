"""A mapping against what a live CRM shows us: what is missing is said, and costs no more than it must."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from default_mappings import packaged
from mapping_orgs import MOODS, a_field, a_record, an_org, full, with_fields, without

from connector.errors import MappingError, Problem
from connector.ports import ObjectSchema
from mappings.bound import FittedMapping
from mappings.loading import load

DEFAULT = packaged("salesforce")
Schemas = dict[str, ObjectSchema]


def fit(schemas: Schemas, text: str = DEFAULT) -> tuple[FittedMapping, list[Problem]]:
    return load(text, "m.toml").fit(schemas)


def the_problem(schemas: Schemas, text: str = DEFAULT) -> Problem:
    problems = fit(schemas, text)[1]
    assert len(problems) == 1, problems
    return problems[0]


def altered(object_name: str, name: str, **changes: Any) -> Schemas:
    org = an_org()
    return with_fields(org, object_name, replace(org[object_name].fields[name], **changes))


def asked(mapping: FittedMapping, object_name: str) -> tuple[str, ...]:
    return next(query.fields for query in mapping.queries if query.object == object_name)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_objects_whose_schemas_are_needed() -> None:
    assert load(DEFAULT).objects == ("User", "Account", "Contact", "Case", "Task", "Event", "Opportunity")


@pytest.mark.parametrize(("section", "name"), [("account", "Account"), ("interaction.case", "Case"), ("task", "Task")])
def test_an_object_in_other_capitals_than_the_crms_is_named(section: str, name: str) -> None:
    text = DEFAULT.replace(f'[{section}]\nobject = "{name}"', f'[{section}]\nobject = "{name.lower()}"')
    org = an_org()
    mapping, problems = fit({**org, name.lower(): org[name]}, text)
    assert (
        Problem(
            f"m.toml: {section}.object",
            f"the CRM calls {name.lower()} {name}.",
            f"Write {name}: capitals count here.",
        )
        in problems
    )
    assert set(mapping.kinds(name.lower())) == set()


def test_a_text_that_stands_for_a_lookup_must_hold_the_whole_id() -> None:
    org = with_fields(an_org(), "Case", a_field("Id", "id"), a_field("Debtor__c", "text"))
    text = DEFAULT.replace(
        'label = "case {number}"\naccount = "AccountId"', 'label = "case {number}"\naccount = "Debtor__c"'
    )
    problem = the_problem(org, text)
    assert (problem.where, problem.severity) == ("m.toml: interaction.case.account", "warning")
    assert "CASESAFEID" in problem.remedy


def test_an_opt_out_that_we_cannot_see_is_not_taken_for_none() -> None:
    mapping, problems = fit(without(an_org(), "Contact", "HasOptedOutOfEmail"))
    (problem,) = [one for one in problems if one.severity == "error"]
    assert problem.where == "m.toml: contact.no_surveys[0].field"
    assert mapping.lacking == (("Contact", "HasOptedOutOfEmail"),)
    assert "Contact" not in {query.object for query in mapping.queries}


@pytest.mark.parametrize(
    ("object_name", "name", "where"),
    [
        ("Contact", "Language__c", "contact.language.field"),
        ("Account", "Industry", "account.facts.industry"),
        ("Event", "IsPrivate", "interaction.meeting.where[2].field"),
    ],
)
def test_what_can_be_missed_is_left_out_with_a_warning(object_name: str, name: str, where: str) -> None:
    org = without(an_org(), object_name, name)
    problem = the_problem(org)
    assert (problem.where, problem.severity) == (f"m.toml: {where}", "warning")
    assert "granted to nobody" in problem.remedy
    mapping = fit(org)[0]
    assert name not in asked(mapping, object_name)
    assert name not in repr(mapping.queries)


@pytest.mark.parametrize(("name", "where"), [("Email", "contact.email"), ("AccountId", "contact.account")])
def test_what_cannot_be_missed_is_an_error(name: str, where: str) -> None:
    problem = the_problem(without(an_org(), "Contact", name))
    assert (problem.where, problem.severity) == (f"m.toml: {where}", "error")


@pytest.mark.parametrize(
    ("object_name", "name", "kind", "where"),
    [
        ("Contact", "Email", "boolean", "contact.email"),
        ("Contact", "AccountId", "datetime", "contact.account"),
        ("Case", "LastModifiedDate", "text", "interaction.case.updated"),
        ("Case", "ClosedDate", "picklist", "interaction.case.ended.at"),
        ("Case", "ContactId", "boolean", "interaction.case.contact[0]"),
    ],
)
def test_a_field_that_cannot_hold_what_it_is_read_for_is_named(
    object_name: str, name: str, kind: str, where: str
) -> None:
    problems = fit(altered(object_name, name, type=kind))[1]
    assert [one.where for one in problems] == [f"m.toml: {where}"]
    assert f"{object_name}.{name} is a {kind}, and cannot hold" in problems[0].what


def test_a_field_that_is_read_as_something_else_by_the_admins_word_is_taken_so() -> None:
    text = DEFAULT.replace('at = "ClosedDate"', 'at = { field = "ClosedDate", as = "datetime" }')
    assert fit(altered("Case", "ClosedDate", type="text"), text)[1] == []


def test_f37_a_condition_on_values_that_a_picklist_does_not_have_is_told() -> None:
    text = DEFAULT.replace('in = ["Customer", "Customer - Direct", "Customer - Channel"]', 'is = "Custommer - Direct"')
    org = altered("Account", "Type", type="picklist", options=("Prospect", "Customer - Direct"))
    problem = the_problem(org, text)
    assert (problem.where, problem.severity) == ("m.toml: account.is_customer.field", "warning")
    assert "'Custommer - Direct'" in problem.what
    assert problem.remedy.startswith('Did you mean "Customer - Direct"?')
    assert fit(org, text.replace("Custommer - Direct", "customer - direct"))[1] == []


def test_a_slip_of_the_pen_is_recognised() -> None:
    text = DEFAULT.replace('contact = ["ContactId", ', 'contact = ["contactid", ', 1).replace(
        'object = "Case"\noptional = true', 'object = "Case"'
    )
    assert the_problem(an_org(), text).remedy.startswith("Did you mean ContactId?")


def test_a_hidden_kind_of_interaction_costs_only_itself() -> None:
    org = {name: schema for name, schema in an_org().items() if name != "Opportunity"}
    mapping, problems = fit(org)
    assert [(one.where, one.severity) for one in problems] == [("m.toml: interaction.deal.object", "warning")]
    assert mapping.events == {"case.closed", "call.held", "meeting.held"}
    mapping, problems = fit(without(an_org(), "Task", "TaskSubtype"))
    assert [one.severity for one in problems] == ["warning"]
    assert "call.held" not in mapping.events
    assert mapping.kinds("Task") == ("task",)


def test_a_kind_that_is_not_optional_is_an_error() -> None:
    text = DEFAULT.replace('object = "Case"\noptional = true', 'object = "Case"')
    problem = the_problem(without(an_org(), "Case", "ClosedDate"), text)
    assert (problem.where, problem.severity) == ("m.toml: interaction.case.ended.at", "error")


def test_an_ending_needs_one_of_its_moments() -> None:
    assert fit(without(an_org(), "Opportunity", "LastStageChangeDate"))[0].events >= {"deal.won", "deal.lost"}
    text = DEFAULT.replace('at = "ClosedDate"', 'at = [{ field = "Closed__c", optional = true }]')
    mapping, problems = fit(an_org(), text)
    assert "case.closed" not in mapping.events
    assert "m.toml: interaction.case.ended.at" in [one.where for one in problems]


def test_a_mistake_in_an_optional_kind_is_still_an_error() -> None:
    text = DEFAULT.replace('"closed", field = "IsClosed", is = true', '"closed", field = "IsClosed", is = "yes"')
    assert the_problem(an_org(), text).severity == "error"


def test_an_ending_whose_condition_is_hidden_never_comes() -> None:
    text = DEFAULT.replace('"closed", field = "IsClosed",', '"closed", field = "Done__c", optional = true,')
    mapping = fit(an_org(), text)[0]
    fields = dict.fromkeys(asked(mapping, "Case")) | {"ClosedDate": "2026-11-12T12:00:00Z"}
    value = mapping.read("acme", a_record("Case", "500", **fields)).value
    assert value is not None
    assert getattr(value, "ended", "?") is None


def test_a_condition_must_suit_its_field() -> None:
    text = DEFAULT.replace('active = { field = "IsActive", is = true }', 'active = { field = "IsActive", is = "yes" }')
    problem = the_problem(an_org(), text)
    assert problem.where == "m.toml: owner.active.field"
    assert "'yes' is not true or false" in problem.what


def test_a_field_that_cannot_be_searched_is_no_filter() -> None:
    org = altered("Task", "TaskSubtype", filterable=False)
    assert "cannot be searched" in the_problem(org).what


def test_a_calculated_trigger_is_warned_of() -> None:
    problem = the_problem(altered("Case", "IsClosed", calculated=True))
    assert (problem.severity, "calculated" in problem.what) == ("warning", True)


def test_a_path_along_a_lookup_is_checked_at_its_end() -> None:
    text = DEFAULT.replace('origin = "Origin"', 'sector = "Account.Industry"\nboss = "Account.Boss__c"')
    problem = the_problem(an_org(), text)
    assert problem.where == "m.toml: interaction.case.facts.boss"
    assert "Account.Industry" in asked(fit(an_org(), text)[0], "Case")


def test_a_path_to_one_of_several_objects_is_left_to_the_crm() -> None:
    text = DEFAULT.replace('origin = "Origin"', 'who = "Owner.Name"')
    mapping, problems = fit(an_org(), text)
    assert problems == []
    assert "Owner.Name" in asked(mapping, "Case")


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_set_up_one_warning_for_each_target_says_how_to_set_up() -> None:
    mapping, problems = fit(an_org(set_up=False))
    assert [one.where for one in problems] == ["m.toml: write.account", "m.toml: write.contact", "m.toml: write.task"]
    assert all(one.severity == "warning" and "`afterword setup-crm`" in one.remedy for one in problems)
    assert mapping.names("account") == frozenset()
    assert mapping.names("task") == {"subject", "body", "priority", "status", "due", "owner", "contact", "account"}
    assert mapping.kinds("Task") == ("call",)


def test_the_fields_that_should_exist_are_those_of_ours() -> None:
    specs = {(one.object, one.name): one for one in fit(an_org(set_up=False))[0].wanted_fields()}
    assert len(specs) == 18
    assert specs["Account", "Afterword_Mood__c"].options == MOODS
    assert specs["Task", "Afterword_Key__c"].unique
    assert ("Task", "Subject") not in specs


@pytest.mark.parametrize(
    ("object_name", "name", "changes", "severity", "says"),
    [
        ("Account", "Afterword_NPS__c", {"updateable": False}, "warning", "right to edit"),
        ("Account", "Afterword_NPS__c", {"calculated": True}, "warning", "right to edit"),
        ("Task", "Subject", {"createable": False}, "error", "right to edit"),
        ("Task", "Afterword_Key__c", {"unique": False, "external_id": False}, "error", "external id"),
        ("Account", "Afterword_NPS__c", {"type": "text"}, "error", "Choose another field"),
        ("Account", "Afterword_Summary__c", {"length": 80}, "warning", "255 long"),
        ("Account", "Afterword_Mood__c", {"options": ("Happy", "Sad")}, "warning", "Happy, Sad"),
        ("Account", "Afterword_Mood__c", {"options": ("Froh", "Sad")}, "error", "Froh, Sad"),
        ("Task", "Priority", {"options": ("Urgent", "Normal")}, "warning", "Urgent, Normal"),
    ],
)
def test_a_field_that_does_not_suit_is_said(
    object_name: str, name: str, changes: dict[str, Any], severity: str, says: str
) -> None:
    problem = the_problem(altered(object_name, name, **changes))
    assert (problem.severity, says in problem.remedy) == (severity, True), problem


def test_what_we_cannot_write_is_not_counted_as_ours_to_write() -> None:
    mapping = fit(altered("Account", "Afterword_NPS__c", updateable=False))[0]
    assert "nps" not in mapping.names("account")
    assert mapping.render("account", {"nps": 40, "csat": 80}) == {"csat": 80}


def test_options_may_be_translated() -> None:
    options = f"options = {list(MOODS)}".replace("'", '"')
    text = DEFAULT.replace(options, f'{options}, values = {{ Happy = "Zufrieden" }}')
    org = altered("Account", "Afterword_Mood__c", options=("Zufrieden", *MOODS[1:]))
    mapping, problems = fit(org, text)
    assert problems == []
    assert mapping.render("account", {"mood": "Happy"}) == {"mood": "Zufrieden"}
    spec = next(one for one in mapping.wanted_fields() if one.name == "Afterword_Mood__c")
    assert spec.options[0] == "Zufrieden"


def test_what_a_list_lacks_until_it_is_added_leaves_the_field_empty_and_is_named() -> None:
    mapping, (problem,) = fit(
        altered("Account", "Afterword_Mood__c", options=("Happy", "Mixed", "Unhappy", "Too few answers"))
    )
    assert all(repr(word) in problem.what for word in ("Last answer good", "Last answer ok", "Last answer bad"))
    assert "afterword setup-crm" in problem.remedy
    assert mapping.render("account", {"mood": "Last answer good"}) == {"mood": None}
    assert mapping.render("account", {"mood": "Too few answers"}) == {"mood": "Too few answers"}
    with pytest.raises(MappingError):
        mapping.render("account", {"mood": "Furious"})


def test_every_mood_is_an_option_of_the_default_mappings() -> None:
    for crm in ("salesforce", "hubspot"):
        mood = next(one for one in load(packaged(crm), "mapping").spec.write["account"] if one.name == "mood")
        assert mood.options == MOODS


def test_an_unknown_field_of_an_org_does_no_harm() -> None:
    assert fit(with_fields(an_org(), "Account", a_field("Surprise__c", "hologram")))[1] == []


# ── the form of what is written ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "schemas",
    [
        altered("Account", "Afterword_Mood__c", options=(*MOODS, "Furious")),
        altered("Account", "Afterword_Summary__c", length=100),
        altered("Account", "Afterword_Satisfaction__c", scale=2),
        altered("Account", "Afterword_Mood__c", updateable=False),
        without(an_org(), "Account", "Afterword_Mood__c"),
    ],
)
def test_another_schema_of_what_is_written_is_another_form(schemas: Schemas) -> None:
    assert fit(schemas)[0].form != fit(an_org())[0].form


def test_another_word_for_what_is_written_is_another_form() -> None:
    spoken = DEFAULT.replace('options = ["rising"', 'values = { rising = "up" }, options = ["rising"')
    assert spoken != DEFAULT
    assert fit(an_org(), spoken)[0].form != fit(an_org())[0].form


def test_what_changes_nothing_for_us_leaves_the_form() -> None:
    assert fit(altered("Account", "Afterword_Mood__c", label="Stimmung"))[0].form == fit(an_org())[0].form
    assert fit(altered("Account", "Industry", length=3))[0].form == fit(an_org())[0].form


def test_deals_that_cannot_be_read_make_nobody_a_customer_and_that_is_said() -> None:
    by_type = 'is_customer = { field = "Type", in = ["Customer", "Customer - Direct", "Customer - Channel"] }'
    text = DEFAULT.replace(by_type, 'is_customer = { won_deal_within = "730d" }')
    mapping, problems = fit(an_org(), text)
    assert (mapping.won_deal_within, problems) == (timedelta(days=730), [])
    account = a_record("Account", "001", **full(asked(mapping, "Account"), {"Name": "Oy", "Type": "Customer"}))
    assert not mapping.read("acme", account).value.is_customer  # type: ignore[union-attr]
    hidden = {name: one for name, one in an_org().items() if name != "Opportunity"}
    (error,) = [one for one in fit(hidden, text)[1] if one.severity == "error"]
    assert error.where == "m.toml: account.is_customer"
    assert "deal" in error.what
