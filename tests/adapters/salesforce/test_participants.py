"""Who took part in an activity: Salesforce keeps them in several places."""

from typing import Any

import pytest

from adapters.salesforce.crm_adapter import SalesforceAdapter
from connector.errors import SchemaChanged
from connector.ports import Query
from tests.adapters.salesforce.conftest import Wire

STAMP = "2026-11-20T10:00:00.000+0000"
MARIA, PEKKA, ANN = (f"00300000000000{n}AAA" for n in (1, 2, 3))
ACME, PERSON = "001000000000001AAA", "001000000000002AAA"
CALLS = Query("Task", ("Subject", "Participants"))


def task(number: int, who: str | None = MARIA, account: str | None = ACME, *, people: int | None = 1) -> dict[str, Any]:
    counted = {} if people is None else {"WhoCount": people}
    stamped = {"attributes": {}, "Id": f"00T00000000000{number}EAA", "SystemModstamp": STAMP, "IsDeleted": False}
    return stamped | {"Subject": "Check-in", "WhoId": who, "AccountId": account} | counted


def relation(number: int, who: str) -> dict[str, Any]:
    return {"attributes": {}, "TaskId": f"00T00000000000{number}EAA", "RelationId": who}


def read(crm: SalesforceAdapter, query: Query = CALLS) -> list[dict[str, Any]]:
    return [dict(record.fields) for page in crm.changes(query, since=None, after=None) for record in page.records]


def test_f42_all_participants_are_read_the_one_that_the_task_names_first(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1, who=PEKKA, people=3), task(2))
    wire.rows(relation(1, MARIA), relation(1, PEKKA), relation(1, ANN))
    found = read(crm)
    assert [one["Participants"] for one in found] == [(PEKKA, MARIA, ANN), (MARIA,)]
    assert set(found[0]) == {"Subject", "Participants"}
    assert "FROM TaskRelation WHERE" in wire.queries[1]
    assert task(2)["Id"] not in wire.queries[1]  # where one person is counted, nobody else is looked for


def test_whoever_declined_an_invitation_did_not_take_part(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1, people=1) | {"IsGroupEvent": True})
    invited = {"attributes": {}, "EventId": task(1)["Id"]}
    wire.rows(
        invited | {"RelationId": PEKKA, "Status": "Declined"},
        invited | {"RelationId": ANN, "Status": "Accepted"},
        invited | {"RelationId": MARIA, "Status": None},
    )
    assert [one["Participants"] for one in read(crm, Query("Event", ("Subject", "Participants")))] == [(MARIA, ANN)]


def test_an_org_without_shared_activities_is_asked_for_them_once(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "INVALID_FIELD", "No such column 'WhoCount' on entity 'Task'.")
    wire.rows(task(1, people=None))
    wire.rows(task(1, people=None))
    assert [one["Participants"] for one in (*read(crm), *read(crm))] == [(MARIA,), (MARIA,)]


def test_another_field_that_is_missing_is_an_error(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "INVALID_FIELD", "No such column 'Subject' on entity 'Task'.")
    with pytest.raises(SchemaChanged):
        read(crm)


def test_of_a_person_account_that_is_named_alone_its_contact_took_part(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1, who=None, account=PERSON), task(2, who=None), task(3, who=None, account=None))
    wire.rows({"attributes": {}, "Id": PERSON, "PersonContactId": PEKKA})
    assert [one["Participants"] for one in read(crm)] == [(PEKKA,), (), ()]
    assert "IsPersonAccount = true" in wire.queries[1]


def test_an_org_without_person_accounts_has_none(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1, who=None))
    said = "No such column 'PersonContactId' on entity 'Account'."
    wire.refuse("GET", "queryAll", "INVALID_FIELD", said)
    assert [one["Participants"] for one in read(crm)] == [()]


def test_what_was_asked_for_besides_stays(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1))
    (found,) = read(crm, Query("Task", ("WhoId", "Participants")))
    assert (found["WhoId"], found["Participants"], "AccountId" in found) == (MARIA, (MARIA,), False)


def test_they_are_read_by_id_too(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(task(1, people=2))
    wire.rows(relation(1, PEKKA))
    (record,) = crm.fetch("Task", [task(1)["Id"]], ("Participants",)).values()
    assert record.fields["Participants"] == (MARIA, PEKKA)


def test_a_schema_shows_the_field_where_its_sources_are_visible(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe("Task", "WhoId", "AccountId")
    wire.describe("Event", "AccountId")
    assert crm.describe("Task").fields["Participants"].type == "reference"
    assert "Participants" not in crm.describe("Event").fields


def deal(number: int, account: str | None = ACME) -> dict[str, Any]:
    stamped = {"attributes": {}, "Id": f"00600000000000{number}AAA", "SystemModstamp": STAMP, "IsDeleted": False}
    return stamped | {"Name": "Big", "AccountId": account}


def role(number: int, who: str | None, *, primary: bool = False) -> dict[str, Any]:
    return {"attributes": {}, "OpportunityId": deal(number)["Id"], "ContactId": who, "IsPrimary": primary}


DEALS = Query("Opportunity", ("Name", "Participants"))


def test_the_people_of_a_deal_are_its_contact_roles_the_primary_one_first(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(deal(1), deal(2))
    wire.rows(role(1, ANN), role(1, PEKKA, primary=True), role(1, MARIA), role(1, None), role(2, ANN))
    wire.rows()  # whose account is a person
    read_deals = read(crm, DEALS)
    assert [fields["Participants"] for fields in read_deals] == [(PEKKA, MARIA, ANN), (ANN,)]
    assert set(read_deals[0]) == {"Name", "Participants"}
    assert "FROM OpportunityContactRole WHERE" in wire.queries[1]


def test_a_deal_without_roles_is_its_person_accounts(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(deal(1, account=PERSON))
    wire.rows()
    wire.rows({"attributes": {}, "Id": PERSON, "PersonContactId": PEKKA})
    assert [fields["Participants"] for fields in read(crm, DEALS)] == [(PEKKA,)]


def test_an_org_that_hides_contact_roles_is_asked_for_them_once(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(deal(1, account=None))
    wire.refuse("GET", "queryAll", "INVALID_TYPE", "sObject type 'OpportunityContactRole' is not supported.")
    wire.rows(deal(1, account=None))
    assert [fields["Participants"] for fields in (*read(crm, DEALS), *read(crm, DEALS))] == [(), ()]
