"""A mapping file that is wrong says everything that is wrong with it, where, and what to do."""

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any, get_args

import pytest
from default_mappings import packaged
from pydantic import ValidationError
from test_mapping_hashes import EVERYTHING

from connector.domain.config.problems import FileProblems
from connector.errors import SettingsError
from mappings import edit
from mappings.edit import drop, set_field
from mappings.fields import OPERATORS, placed
from mappings.loading import load
from mappings.spec import WRITTEN, FieldType, Spec

DEFAULT = packaged("salesforce")


def problems(text: str) -> dict[str, tuple[str, str]]:
    """Return what is wrong, by place."""
    with pytest.raises(SettingsError) as caught:
        load(text, "m.toml")
    return {one.where.removeprefix("m.toml: "): (one.what, one.remedy) for one in caught.value.problems}


def changed(old: str, new: str) -> str:
    assert old in DEFAULT
    return DEFAULT.replace(old, new, 1)


def test_the_default_maps_all_that_we_can_write() -> None:
    spec = load(DEFAULT).spec
    for target, names in WRITTEN.items():
        assert {one.name for one in spec.write[target]} == set(names) - {"due_at", "type"}, (
            "a task's due date is a day there, and its type is nobody's to choose"
        )


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "crm.toml"
    path.write_text("\ufeff" + DEFAULT, encoding="utf-8")
    assert load(path).file == str(path)
    assert load(path, "mappings/crm.toml").file == "mappings/crm.toml"


@pytest.mark.parametrize(("content", "says"), [(None, "does not exist"), (b"\xff\xfe\x00", "is not UTF-8")])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "crm.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        load(path)


def test_broken_toml_names_the_line() -> None:
    assert "line 2" in problems("[account]\nname = = 1")["m.toml"][0]


def test_the_same_key_twice_is_an_error() -> None:
    assert "m.toml" in problems(changed('email = "Email"', 'email = "Email"\nemail = "Mail__c"'))


def test_an_empty_file_lists_every_section_it_lacks() -> None:
    assert set(problems("")) == {"owner", "account", "contact", "task", "write.task.key"}


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("[account.facts]", "[account.fact]", "account.fact", 'Did you mean "facts"?'),
        ("\nis_customer =", "\nis_costumer =", "account.is_costumer", 'Did you mean "is_customer"?'),
        ("[interaction.case]", "[interactions.case]", "interactions", 'Did you mean "interaction"?'),
        ("mood = {", "moood = {", "write.account.moood", 'Did you mean "mood"?'),
        ('label = "Customer mood"', 'lable = "Customer mood"', "write.account.mood.lable", 'Did you mean "label"?'),
        ('object = "User"', "object = 5", "owner.object", "Write a text in quotes."),
        ('object = "User"', "", "owner.object", "Add it"),
        ('email = "Email"\nrole', "role", "contact.email", "API name"),
        ('revenue = "AnnualRevenue"', 'revenue = "Annual Revenue"', "account.facts.revenue", "API name"),
        ('revenue = "AnnualRevenue"', 'Revenue = "AnnualRevenue"', "account.facts.Revenue", "small letters"),
        (
            'revenue = "AnnualRevenue"',
            'revenue = { field = "AnnualRevenue", as = "money" }',
            "account.facts.revenue.as",
            "text",
        ),
        ('label = "case {number}"', 'label = "case {numbr}"', "interaction.case.label", 'Did you mean "number"?'),
        ('label = "case {number}"', 'label = "case {number"', "interaction.case.label", "pair of braces"),
        (
            'field = "IsClosed", is = true, at = "ClosedDate"',
            'field = 7, is = true, at = "ClosedDate"',
            "interaction.case.ended.field",
            "API name",
        ),
        (
            'field = "IsClosed", is = true, at = "ClosedDate"',
            'field = "IsClosed", at = "ClosedDate"',
            "interaction.case.ended",
            "Write one of is",
        ),
        ('event = "lost"', 'event = "won"', "interaction.deal.ended[1]", "a name of its own"),
        ('event = "closed"', 'event = "Closed!"', "interaction.case.ended.event", "small letters"),
        ('in = ["Customer",', 'in = "Customer", not_in = ["Customer",', "account.is_customer", "Write one of"),
        ("active = { field", "active = { is_not = 3, field", "owner.active", "Write one of"),
        ('"Afterword_Satisfaction_To__c"', '"Afterword_Satisfaction_From__c"', "write.account", "a field of its own"),
        (
            'type = "picklist", options = ["Happy"',
            'type = "pick", options = ["Happy"',
            "write.account.mood.type",
            "pick",
        ),
        ("length = 80", "length = 0", "write.task.key.length", "from 1 to 131072"),
        ('"Afterword_Trend__c"', '"Industry"', "write.account.trend.field", "a field of its own"),
        ("[interaction.case]", "[interaction.account]", "interaction.account", "none of our own words"),
    ],
)
def test_a_mistake_is_named_by_its_key_with_a_remedy(old: str, new: str, where: str, says: str) -> None:
    found = problems(changed(old, new))
    assert where in found
    assert says in " ".join(found[where])


def test_all_mistakes_come_at_once() -> None:
    text = changed('object = "User"', "object = 5").replace("mood = {", "moood = {")
    assert {"owner.object", "write.account.moood"} <= set(problems(text))


def test_our_fields_may_be_dropped_but_not_the_tasks_key() -> None:
    kept = load(drop(drop(DEFAULT, "write.account.nps"), "write.task.outcome")).spec
    assert kept.written("account", "nps") is None
    assert kept.written("account", "csat") is not None
    assert "write.task.key" in problems(drop(DEFAULT, "write.task.key"))


def test_an_opt_out_may_be_named_where_it_is_read_too() -> None:
    text = changed("no_surveys = [{", 'no_surveys = ["Afterword_No_Surveys__c", {')
    assert len(load(text).spec.contact.no_surveys) == 2


# ── editing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edit_changes_one_line_and_nothing_else() -> None:
    edited = set_field(DEFAULT, "write.account.mood", "Customer_Mood__c")
    assert edited == DEFAULT.replace("Afterword_Mood__c", "Customer_Mood__c")
    found = load(edited).spec.written("account", "mood")
    assert found is not None
    assert (found.path, found.label) == ("Customer_Mood__c", "Customer mood")


def test_a_fact_can_be_renamed_added_and_dropped() -> None:
    edited = set_field(DEFAULT, "account.facts.industry", "Sector__c")
    edited = set_field(edited, "account.facts.region", "Region__c")
    edited = drop(edited, "account.facts.rating")
    facts = {name: one.path for name, one in load(edited).spec.account.facts}
    assert (facts["industry"], facts["region"]) == ("Sector__c", "Region__c")
    assert "rating" not in facts
    assert "# Whatever you name here" in edited


@pytest.mark.parametrize(
    ("key", "field"),
    [("account.facts.industry", "not a field"), ("accounts.name", "Name"), ("account.facts", "Name")],
)
def test_an_impossible_edit_is_refused(key: str, field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        set_field(DEFAULT, key, field)
    assert caught.value.problems[0].where == key


def test_what_is_not_there_cannot_be_dropped() -> None:
    with pytest.raises(SettingsError, match="is not there"):
        drop(DEFAULT, "write.account.luck")
    with pytest.raises(SettingsError, match="not TOML"):
        drop("[account", "account.name")


# ── the manual ───────────────────────────────────────────────────────────────────────────────────────────────────────

MANUAL = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text(encoding="utf-8")


def test_the_manual_names_all_that_we_write_every_type_and_every_comparison() -> None:
    names = {name for target in WRITTEN.values() for name in target}
    for word in names | set(get_args(FieldType)) | set(OPERATORS):
        assert f"`{word}" in MANUAL, word


def test_the_manuals_example_of_a_new_kind_loads() -> None:
    example = MANUAL.split("```toml\n")[1].split("```")[0]
    assert load(DEFAULT + example).spec.interactions[-1].kind == "delivery"


def test_the_defaults_own_example_of_a_new_kind_loads() -> None:
    lines = DEFAULT.split("Add your own, e.g.\n")[1].split("# `where`")[0].splitlines()
    example = "\n".join(line.removeprefix("#").strip() for line in lines)
    assert load(f"{DEFAULT}\n{example}").spec.interactions[-1].ended[0].event == "delivered"


def test_a_table_that_stands_twice_is_named_as_the_file_has_it() -> None:
    with pytest.raises(SettingsError, match=r"at line 2: \[account\.facts\] stands twice"):
        load("[account.facts]\n[account.facts]\n", "mine.toml")


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every table, list and value of a file."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from places(part, (*place, key))


@pytest.mark.parametrize("value", ["", "a b", -1, True, [[1]], {"a": 1}], ids=repr)
def test_any_value_at_any_place_ends_in_a_mapping_or_in_problems_with_a_place_of_the_file(value: object) -> None:
    for *tables, key in places(tomllib.loads(EVERYTHING)):
        file = tomllib.loads(EVERYTHING)
        table: Any = reduce(lambda place, name: place[name], tables, file)
        table[key] = value
        try:
            Spec.model_validate(placed(file))
        except ValidationError as error:
            for problem in FileProblems("m.toml", file).of(error):
                assert re.fullmatch(r"m\.toml: [\w.\[\] ]+", problem.where), problem
                assert problem.what != "is not valid.", problem


# ── whose a field is ─────────────────────────────────────────────────────────────────────────────────────────────────


OWN = 'summary = { field = "Description", own = true, label = "What they say", type = "text", length = 255 }'


def with_summary(line: str) -> str:
    """Return the packaged mapping with another line for what they say."""
    before, _, rest = packaged("salesforce").partition("\nsummary = ")
    return f"{before}\n{line}\n{rest.partition(chr(10))[2]}"


def test_a_line_says_that_a_field_of_others_may_be_overwritten() -> None:
    spec = load(with_summary(OWN)).spec
    assert [one.name for one in spec.write["account"] if one.own] == ["summary"]


def test_own_is_true_or_false() -> None:
    with pytest.raises(SettingsError, match=r'write\.account\.summary\.own: "yes" is not true or false'):
        load(with_summary(OWN.replace("own = true", 'own = "yes"')))


def test_the_word_for_a_field_does_not_cover_the_field_that_takes_its_place() -> None:
    changed = edit.set_field(with_summary(OWN), "write.account.summary", "Other_Notes__c")
    kept = load(changed).spec.written("account", "summary")
    assert kept is not None
    assert (kept.path, kept.own, kept.label) == ("Other_Notes__c", False, "What they say")
    again = load(edit.set_own(changed, "write.account.summary")).spec.written("account", "summary")
    assert again is not None
    assert (again.path, again.own, again.label) == ("Other_Notes__c", True, "What they say")


def test_a_line_that_is_only_a_name_can_be_made_ours() -> None:
    plain = with_summary('summary = "Description"')
    own = load(edit.set_own(plain, "write.account.summary")).spec.written("account", "summary")
    assert own is not None
    assert (own.path, own.own) == ("Description", True)


# ── customers by their deals ─────────────────────────────────────────────────────────────────────────────────────────

BY_TYPE = 'is_customer = { field = "Type", in = ["Customer", "Customer - Direct", "Customer - Channel"] }'


def by_deals(value: str) -> str:
    return changed(BY_TYPE, f"is_customer = {{ won_deal_within = {value} }}")


def test_who_has_a_won_deal_can_be_a_customer() -> None:
    assert load(by_deals('"730d"')).won_deal_within == timedelta(days=730)
    assert load(DEFAULT).won_deal_within is None


def test_another_time_makes_history_of_what_ended_before_as_any_edit_of_who_is_a_customer() -> None:
    texts = [DEFAULT, by_deals('"730d"'), by_deals('"365d"')]
    assert len({load(text).triggers for text in texts}) == 3
    assert len({load(text).identity for text in texts}) == 3


@pytest.mark.parametrize(
    ("value", "where", "says"),
    [
        ('"two years"', "account.is_customer.won_deal_within", 'Write it like "730d"'),
        ('"0s"', "account.is_customer.won_deal_within", 'Write it like "730d"'),
        ("730", "account.is_customer.won_deal_within", "Write a text in quotes"),
        ('"730d", field = "Type"', "account.is_customer.field", "won_deal_within"),
    ],
)
def test_a_time_of_won_deals_that_cannot_be_meant_is_named(value: str, where: str, says: str) -> None:
    assert says in problems(by_deals(value))[where][1]


def test_without_a_kind_that_can_be_won_nobody_would_be_a_customer() -> None:
    what, remedy = problems(by_deals('"730d"').replace('event = "won"', 'event = "signed"'))["account.is_customer"]
    assert "no kind of interaction ends by it" in what
    assert 'event = "won"' in remedy
