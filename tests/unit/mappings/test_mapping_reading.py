"""What the default Salesforce mapping understands."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from default_mappings import packaged
from mapping_orgs import a_field as field
from mapping_orgs import a_record, an_org, full, with_fields, without

from connector.model import Account, Contact, Interaction, Owner, Ref, SeenTask
from connector.ports import Query, Reading, Record
from mappings.bound import FittedMapping
from mappings.loading import load

NOON = "2026-11-12T12:00:00.000+0000"
NOON_UTC = datetime(2026, 11, 12, 12, tzinfo=UTC)


def fitted(text: str | None = None, schemas: Any = None) -> FittedMapping:
    return load(text or packaged("salesforce"), "test.toml").fit(schemas or an_org())[0]


def query(mapping: FittedMapping, object_name: str) -> Query:
    return next(one for one in mapping.queries if one.object == object_name)


def read(mapping: FittedMapping, object_name: str, **fields: Any) -> Reading:
    asked = full(query(mapping, object_name).fields, fields)
    return mapping.read("acme", a_record(object_name, "X1", **asked))


def ref(object_name: str, crm_id: str) -> Ref:
    return Ref("acme", object_name, crm_id)


@pytest.fixture(scope="module")
def mapping() -> FittedMapping:
    return fitted()


def test_the_default_fits_an_org_that_was_set_up_without_a_word() -> None:
    assert load(packaged("salesforce")).fit(an_org())[1] == []


def test_owners_come_first_and_each_object_is_asked_once(mapping: FittedMapping) -> None:
    objects = [one.object for one in mapping.queries]
    assert objects == ["User", "Account", "Contact", "Case", "Task", "Event", "Opportunity"]


def test_the_events_are_what_surveys_can_be_triggered_by(mapping: FittedMapping) -> None:
    assert mapping.events == {"case.closed", "call.held", "meeting.held", "deal.won", "deal.lost"}


def test_an_owner(mapping: FittedMapping) -> None:
    values = {"Name": "Ann Ray", "Email": "Ann@Acme.example", "IsActive": False, "TimeZoneSidKey": "Europe/Helsinki"}
    found = read(mapping, "User", **values, UserType="Standard")
    own = Owner(ref("User", "X1"), "Ann Ray", "ann@acme.example", False, "Europe/Helsinki", standard=True)
    assert found.value == own
    assert read(mapping, "User", **values, UserType="PowerPartner").value == replace(own, standard=False)


def test_an_account_with_what_our_fields_hold(mapping: FittedMapping) -> None:
    found = read(
        mapping,
        "Account",
        Name="Lumo Oy",
        OwnerId="005A",
        ParentId="001P",
        Type="customer - direct",
        Industry="Energy",
        Afterword_Satisfaction__c=83.0,
        Afterword_Mood__c="Happy",
    ).value
    assert isinstance(found, Account)
    assert (found.name, found.owner, found.parent) == ("Lumo Oy", ref("User", "005A"), ref("Account", "001P"))
    assert found.is_customer
    assert found.facts["industry"] == "Energy"
    assert found.shown["satisfaction"] == 83.0
    assert found.shown["mood"] == "Happy"
    assert found.shown["summary"] is None


def test_what_we_do_not_see_is_not_shown_as_empty() -> None:
    found = read(fitted(schemas=an_org(set_up=False)), "Account", Name="Lumo Oy").value
    assert isinstance(found, Account)
    assert found.shown == {}


def test_a_prospect_is_no_customer(mapping: FittedMapping) -> None:
    found = read(mapping, "Account", Name="Maybe AG", Type="Prospect").value
    assert isinstance(found, Account)
    assert not found.is_customer


def test_a_contact(mapping: FittedMapping) -> None:
    found = read(
        mapping,
        "Contact",
        Name="Maria Virtanen",
        AccountId="001A",
        Email=" Maria@Lumo.example ",
        Title="Buyer",
        OwnerId="005A",
        Language__c="pt_BR",
        HasOptedOutOfEmail=False,
        Afterword_No_Surveys__c=False,
    ).value
    assert isinstance(found, Contact)
    assert (found.email, found.role, found.language) == ("maria@lumo.example", "Buyer", "pt-BR")
    assert found.account == ref("Account", "001A")
    assert not found.no_surveys
    assert "email_invalid" not in found.facts


@pytest.mark.parametrize("opt_out", ["HasOptedOutOfEmail", "Afterword_No_Surveys__c"])
def test_any_opt_out_is_enough(mapping: FittedMapping, opt_out: str) -> None:
    found = read(mapping, "Contact", Name="Maria", **{opt_out: True}).value
    assert isinstance(found, Contact)
    assert found.no_surveys


def test_our_own_opt_out_counts_under_whatever_name_the_admin_gave_it() -> None:
    text = packaged("salesforce").replace("Afterword_No_Surveys__c", "Do_Not_Survey__c")
    org = with_fields(an_org(), "Contact", field("Do_Not_Survey__c", "boolean"))
    found = read(fitted(text, org), "Contact", Name="Maria", Do_Not_Survey__c=True).value
    assert isinstance(found, Contact)
    assert found.no_surveys


def test_what_is_no_address_is_none_and_noted(mapping: FittedMapping) -> None:
    found = read(mapping, "Contact", Name="Maria", Email="maria at lumo").value
    assert isinstance(found, Contact)
    assert found.email is None
    assert found.facts["email_invalid"] is True


# ── interactions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def interaction(mapping: FittedMapping, object_name: str, **fields: Any) -> Interaction:
    found = read(mapping, object_name, **fields)
    assert found.error is None
    assert isinstance(found.value, Interaction)
    return found.value


def test_a_closed_case(mapping: FittedMapping) -> None:
    found = interaction(
        mapping,
        "Case",
        CaseNumber="00123",
        IsClosed=True,
        ClosedDate=NOON,
        Priority="High",
        AccountId="001A",
        ContactId="003M",
        OwnerId="005A",
        LastModifiedDate="2026-11-12T14:00:00+0200",
    )
    assert (found.kind, found.label) == ("case", "case 00123")
    assert (found.ended, found.ended_at, found.updated_at) == ("closed", NOON_UTC, NOON_UTC)
    assert (found.account, found.contacts) == (ref("Account", "001A"), (ref("Contact", "003M"),))
    assert found.facts["priority"] == "High"


def test_an_open_case_has_not_ended(mapping: FittedMapping) -> None:
    found = interaction(mapping, "Case", CaseNumber="00123", IsClosed=False)
    assert (found.ended, found.ended_at) == (None, None)


def test_a_case_of_a_queue_has_no_owner(mapping: FittedMapping) -> None:
    assert interaction(mapping, "Case", OwnerId="00GQ", IsClosed=False).owner is None


def test_a_held_call(mapping: FittedMapping) -> None:
    found = interaction(
        mapping,
        "Task",
        TaskSubtype="Call",
        Subject="Renewal",
        IsClosed=True,
        CompletedDateTime=NOON,
        WhoId="003M",
    )
    assert (found.kind, found.label, found.ended, found.ended_at) == ("call", 'call "Renewal"', "held", NOON_UTC)


def test_a_call_with_a_lead_has_no_contact(mapping: FittedMapping) -> None:
    assert interaction(mapping, "Task", TaskSubtype="Call", WhoId="00QL", IsClosed=False).contacts == ()


def test_a_call_without_a_subject_is_still_called_something(mapping: FittedMapping) -> None:
    assert interaction(mapping, "Task", TaskSubtype="Call", IsClosed=False).label == "call"


def test_any_other_task_is_passed_over(mapping: FittedMapping) -> None:
    found = read(mapping, "Task", TaskSubtype="Email", Subject="Hello", IsClosed=True)
    assert (found.value, found.error) == (None, None)


def test_a_meeting_ends_when_its_time_comes(mapping: FittedMapping) -> None:
    fields = {"IsChild": False, "IsRecurrence": False, "IsPrivate": False, "Subject": "Review"}
    found = interaction(mapping, "Event", EndDateTime="2031-01-01T09:00:00.000Z", **fields)
    assert (found.ended, found.ended_at) == ("held", datetime(2031, 1, 1, 9, tzinfo=UTC))
    assert interaction(mapping, "Event", EndDateTime=None, **fields).ended is None


def test_an_invitees_copy_of_a_meeting_is_passed_over(mapping: FittedMapping) -> None:
    assert read(mapping, "Event", IsChild=True, IsRecurrence=False, IsPrivate=False, EndDateTime=NOON).value is None


def test_a_deal_is_won_when_its_stage_changed(mapping: FittedMapping) -> None:
    found = interaction(
        mapping, "Opportunity", IsClosed=True, IsWon=True, LastStageChangeDate=NOON, CloseDate="2026-12-31"
    )
    assert (found.ended, found.ended_at) == ("won", NOON_UTC)


def test_of_an_all_day_event_the_day_alone_is_meant(mapping: FittedMapping) -> None:
    day = {"EndDateTime": "2026-11-17T00:00:00.000+0000", "IsChild": False, "IsRecurrence": False, "IsPrivate": False}
    found = interaction(mapping, "Event", IsAllDayEvent=True, **day)
    assert (found.ended_at, found.all_day) == (datetime(2026, 11, 17, tzinfo=UTC), True)
    found = interaction(mapping, "Event", IsAllDayEvent=False, **day)
    assert (found.ended_at, found.all_day) == (datetime(2026, 11, 17, tzinfo=UTC), False)


def test_a_lost_deal_without_that_moment_counts_by_its_day(mapping: FittedMapping) -> None:
    found = interaction(mapping, "Opportunity", Name="Big", IsClosed=True, IsWon=False, CloseDate="2026-11-12")
    assert (found.ended, found.ended_at, found.all_day) == ("lost", datetime(2026, 11, 12, tzinfo=UTC), True)
    assert found.label == 'deal "Big"'
    assert interaction(mapping, "Opportunity", IsClosed=False, IsWon=False, CloseDate="2026-11-12").ended is None


# ── our tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_our_own_task_is_a_follow_up(mapping: FittedMapping) -> None:
    found = read(
        mapping,
        "Task",
        Afterword_Key__c="fu-1",
        Afterword_Outcome__c="Solved",
        IsClosed=True,
        CompletedDateTime=NOON,
        OwnerId="005A",
    )
    assert found.kind == "task"
    shown = {"outcome": "Solved", "owner": "005A"} | dict.fromkeys(("subject", "priority", "status", "due"))
    assert found.value == SeenTask(
        ref("Task", "X1"), "fu-1", False, "Solved", NOON_UTC, ref("User", "005A"), shown=shown
    )


def test_a_record_with_our_key_is_never_an_interaction(mapping: FittedMapping) -> None:
    found = read(mapping, "Task", Afterword_Key__c="fu-1", TaskSubtype="Call", IsClosed=True, CompletedDateTime=NOON)
    assert found.kind == "task"
    org = with_fields(an_org(), "Event", field("Afterword_Key__c", "text", unique=True))
    event = {"IsChild": False, "IsRecurrence": False, "IsPrivate": False, "EndDateTime": NOON}
    assert read(fitted(schemas=org), "Event", Afterword_Key__c="fu-1", **event).value is None


def test_a_field_that_is_read_as_something_else_is_compared_here_alone() -> None:
    """A CRM would compare it as what it holds: as text, "10" lies below 5."""
    tests = '[{ field = "Rank__c", as = "number", above = 5 }, { field = "Type", is = "Customer" }]'
    text = packaged("salesforce").replace('object = "Account"\n', f'object = "Account"\nwhere = {tests}\n', 1)
    made = fitted(text, with_fields(an_org(), "Account", field("Rank__c", "text")))
    asked = [(one.field, one.op) for group in query(made, "Account").where for one in group]
    assert asked == [("Type", "=")]
    found = [read(made, "Account", Name="Acme", Type="Customer", Rank__c=rank).value for rank in ("10", "4.5", None)]
    assert [one is not None for one in found] == [True, False, False]
    numbers = fitted(text, with_fields(an_org(), "Account", field("Rank__c", "number")))
    assert {one.field for group in query(numbers, "Account").where for one in group} == {"Rank__c", "Type"}


def test_calls_and_our_tasks_are_asked_for_in_one_query(mapping: FittedMapping) -> None:
    asked = {(one.field, one.op, one.values) for group in query(mapping, "Task").where for one in group}
    assert asked == {("Afterword_Key__c", "!=", (None,)), ("TaskSubtype", "=", ("Call",))}
    assert len(query(mapping, "Task").where) == 2
    assert mapping.kinds("Task") == ("task", "call")


# ── what cannot be understood ────────────────────────────────────────────────────────────────────────────────────────


def test_a_field_that_was_not_given_parks_the_record(mapping: FittedMapping) -> None:
    asked = full(query(mapping, "Contact").fields, {"Name": "Maria"})
    del asked["Email"]
    found = mapping.read("acme", a_record("Contact", "003M", **asked))
    assert found.value is None
    assert found.error is not None
    assert (found.error.field, found.error.where) == ("Email", "Contact 003M")


def test_a_moment_without_a_zone_parks_the_record(mapping: FittedMapping) -> None:
    found = read(mapping, "Case", CaseNumber="1", IsClosed=True, ClosedDate="2026-11-12 12:00:00")
    assert found.value is None
    assert found.error is not None
    assert (found.error.field, found.error.value) == ("ClosedDate", "2026-11-12 12:00:00")


def test_a_fact_that_cannot_be_read_is_left_out_and_told(mapping: FittedMapping) -> None:
    found = read(mapping, "Account", Name="Lumo Oy", AnnualRevenue="1,800.00", NumberOfEmployees="")
    assert isinstance(found.value, Account)
    assert "revenue" not in found.value.facts
    assert found.value.facts["employees"] is None
    assert found.error is not None
    assert found.error.field == "AnnualRevenue"


def test_an_unknown_object_is_passed_over(mapping: FittedMapping) -> None:
    assert mapping.read("acme", a_record("Lead", "00Q1")).value is None


@pytest.mark.parametrize("object_name", ["User", "Account", "Contact", "Case", "Task", "Event", "Opportunity"])
def test_a_deleted_record_never_raises_whatever_is_left_of_it(mapping: FittedMapping, object_name: str) -> None:
    empty = replace(a_record(object_name, "X1"), deleted=True)
    found = mapping.read("acme", empty)
    assert found.error is None
    assert found.kind in mapping.kinds(object_name)
    if object_name == "Task":
        assert found.value is None, "whether it was a call or ours is lost"
    else:
        assert found.value is not None
        assert found.value.ref == ref(object_name, "X1")


def test_a_deleted_task_of_ours_is_known_by_its_key(mapping: FittedMapping) -> None:
    gone = Record("Task", "00T1", "x", {"Afterword_Key__c": "fu-1", "IsClosed": "nonsense"}, deleted=True)
    found = mapping.read("acme", gone)
    assert (found.kind, found.value, found.error) == ("task", None, None)


# ── by data alone ────────────────────────────────────────────────────────────────────────────────────────────────────

DELIVERY = """
[interaction.delivery]
object = "Order"
label = "order {number}"
account = "AccountId"
contact = ["Receiver__c", "BillToContactId"]
owner = { field = "OwnerId", prefix = "005" }
updated = "LastModifiedDate"
ended = { event = "delivered", field = "Status", is = "Delivered", at = "EndDate" }
facts = { number = "OrderNumber", plant = "Plant__r.Name" }
"""


def test_a_new_kind_of_interaction_is_data_alone() -> None:
    fields = {"AccountId": "reference Account", "Receiver__c": "reference Contact", "OrderNumber": "text"}
    fields |= {"BillToContactId": "reference Contact", "OwnerId": "reference User", "LastModifiedDate": "datetime"}
    fields |= {"Status": "picklist", "EndDate": "date", "Plant__c": "reference Plant__c"}
    org = with_fields(an_org(), "Order", *(field(name, kind) for name, kind in fields.items()))
    file = load(packaged("salesforce") + DELIVERY, "test.toml")
    mapping, problems = file.fit(org)
    assert "Order" in file.objects
    assert problems == []
    assert "delivery.delivered" in mapping.events
    found = interaction(
        mapping,
        "Order",
        OrderNumber="O-7",
        Status="Delivered",
        EndDate="2026-11-12",
        AccountId="001A",
        **{"Receiver__c": "003R", "BillToContactId": "003B", "Plant__r.Name": "Turku"},
    )
    assert (found.kind, found.label, found.ended) == ("delivery", "order O-7", "delivered")
    assert found.contacts == (ref("Contact", "003R"), ref("Contact", "003B"))
    assert found.facts["plant"] == "Turku"
    assert interaction(mapping, "Order", OrderNumber="O-8", Status="Draft").ended is None


def test_a_list_of_ids_is_several_people(mapping: FittedMapping) -> None:
    found = interaction(mapping, "Case", IsClosed=False, ContactId=["003M", "003K", "003M"])
    assert found.contacts == (ref("Contact", "003M"), ref("Contact", "003K"))


# ── the fingerprint ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_comments_and_labels_of_written_fields_do_not_start_a_backfill(mapping: FittedMapping) -> None:
    text = "# ours\n" + packaged("salesforce").replace('label = "Customer mood"', 'label = "Mood"')
    assert fitted(text).fingerprint == mapping.fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('industry = "Industry"\n', ""),
        ('"Customer - Channel"', '"Partner"'),
        ('at = "ClosedDate"', 'at = "LastModifiedDate"'),
        ('label = "case {number}"', 'label = "ticket {number}"'),
        ('revenue = "AnnualRevenue"', 'revenue = { field = "AnnualRevenue", as = "text" }'),
    ],
)
def test_what_is_understood_differently_starts_one(mapping: FittedMapping, old: str, new: str) -> None:
    text = packaged("salesforce")
    assert old in text
    assert fitted(text.replace(old, new)).fingerprint != mapping.fingerprint


def test_a_field_that_appears_starts_one(mapping: FittedMapping) -> None:
    assert fitted(schemas=without(an_org(), "Contact", "Language__c")).fingerprint != mapping.fingerprint


@pytest.mark.parametrize("mark", ["EmailBouncedReason", "EmailBouncedDate"])
def test_the_crms_own_mark_of_a_bounce_is_a_fact(mark: str) -> None:
    org = with_fields(an_org(), "Contact", field("EmailBouncedReason", "text"), field("EmailBouncedDate", "datetime"))
    mapping = fitted(packaged("salesforce"), org)
    clean = read(mapping, "Contact", Name="Maria", EmailBouncedReason=None, EmailBouncedDate=None).value
    marked = read(mapping, "Contact", Name="Maria", **{mark: "2026-11-20T08:00:00Z"}).value
    assert isinstance(clean, Contact)
    assert isinstance(marked, Contact)
    assert ("email_bounced" in clean.facts, marked.facts["email_bounced"]) == (False, True)
