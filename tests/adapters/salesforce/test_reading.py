"""What is read, and that nothing is read past."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from adapters.salesforce.crm_adapter import SalesforceAdapter
from connector.errors import CursorInvalid, SchemaChanged, Unavailable
from connector.ports import Condition, Position, Query
from tests.adapters.salesforce.conftest import NOON, SteppingClock, Wire

ONE = "001000000000001AAA"
TWO = "001000000000002AAA"
STAMP = "2026-11-20T10:00:00.000+0000"
ACCOUNTS = Query("Account", ("Name", "Owner.IsActive"))


def account(record_id: str = ONE, **fields: object) -> dict[str, object]:
    usual = {"attributes": {"type": "Account"}, "Id": record_id, "SystemModstamp": STAMP, "IsDeleted": False}
    return usual | {"MasterRecordId": None, "Name": "Acme", "Owner": {"attributes": {}, "IsActive": True}} | fields


def test_fields_are_keyed_exactly_as_asked(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(account(), account(TWO, Owner=None))
    (page,) = crm.changes(ACCOUNTS, since=None, after=None)
    assert [record.fields for record in page.records] == [
        {"Name": "Acme", "Owner.IsActive": True},
        {"Name": "Acme", "Owner.IsActive": None},
    ]
    assert page.last == Position(STAMP, TWO)
    assert page.server_time == NOON


def test_names_in_another_case_are_keyed_as_asked(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(account())
    (page,) = crm.changes(Query("Account", ("NAME", "id", "owner.isactive")), since=None, after=None)
    assert page.records[0].fields == {"NAME": "Acme", "id": ONE, "owner.isactive": True}
    assert page.records[0].id == ONE


def test_f5_ties_are_read_by_stamp_and_id(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows()
    pages = list(crm.changes(ACCOUNTS, since=datetime(2026, 11, 1, tzinfo=UTC), after=Position(STAMP, ONE)))
    assert [list(page.records) for page in pages] == [[]]
    at = "2026-11-20T10:00:00Z"
    (query,) = wire.queries
    assert f"(SystemModstamp = {at} AND Id > '{ONE}') OR SystemModstamp > {at}" in query
    assert "SystemModstamp >= 2026-11-01T00:00:00Z" in query
    assert query.endswith("ORDER BY SystemModstamp, Id")


def test_f19_deleted_and_merged_records_are_tombstones(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(account(IsDeleted=True, MasterRecordId=TWO))
    (page,) = crm.changes(ACCOUNTS, since=None, after=None)
    assert (page.records[0].deleted, page.records[0].merged_into) == (True, TWO)


def test_an_object_that_knows_no_deletion_is_read_without_it(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows({"Id": "005000000000001AAA", "SystemModstamp": STAMP, "Name": "Ann"})
    (page,) = crm.changes(Query("User", ("Name",)), since=None, after=None)
    assert page.records[0].fields == {"Name": "Ann"}
    assert "IsDeleted" not in wire.queries[0]


def unknown(field: str, name: str = "Account") -> str:
    return f"No such column '{field}' on entity '{name}'."


def test_reading_changes_takes_one_call(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows()
    list(crm.changes(ACCOUNTS, since=NOON, after=None))
    assert crm.usage().calls == 1
    assert "SystemModstamp, IsDeleted, MasterRecordId FROM Account" in wire.queries[0]


def test_only_what_can_be_merged_is_asked_for_its_survivor(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows()
    list(crm.changes(Query("Visit__c", ("Name",)), since=NOON, after=None))
    assert "SystemModstamp, IsDeleted FROM Visit__c" in wire.queries[0]


def test_what_is_not_there_after_all_is_left_out_from_then_on(crm: SalesforceAdapter, wire: Wire) -> None:
    row = {"Id": ONE, "SystemModstamp": STAMP, "IsDeleted": True, "Name": "Acme"}
    wire.refuse("GET", "queryAll", "INVALID_FIELD", unknown("MasterRecordId"))
    wire.answer(
        "GET",
        "sobjects/Account/describe",
        {
            "name": "Account",
            "fields": [{"name": name, "type": "string"} for name in ("Id", "SystemModstamp", "IsDeleted")],
        },
    )
    wire.rows(dict(row))
    wire.rows(dict(row))
    for _ in range(2):
        (page,) = crm.changes(Query("Account", ("Name",)), since=None, after=None)
        assert (page.records[0].deleted, page.records[0].merged_into) == (True, None)
    assert ["MasterRecordId" in query for query in wire.queries] == [True, False, False]


def test_count_and_fetch_learn_too_that_an_object_knows_no_deletion(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "INVALID_FIELD", unknown("IsDeleted", "Profile"))
    wire.answer("GET", "sobjects/Profile/describe", {"name": "Profile", "fields": [{"name": "SystemModstamp"}]})
    wire.answer("GET", "queryAll", {"totalSize": 4, "done": True, "records": []})
    wire.rows({"Id": ONE, "SystemModstamp": STAMP, "Name": "Admin"})
    assert crm.count(Query("Profile", ())) == 4
    assert crm.fetch("Profile", [ONE], ["Name"])[ONE].fields == {"Name": "Admin"}
    assert "IsDeleted" not in wire.queries[-1]


def test_a_field_that_is_refused_though_described_is_an_error(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "INVALID_FIELD", unknown("IsDeleted"))
    wire.describe("Account")
    with pytest.raises(SchemaChanged) as caught:
        list(crm.changes(ACCOUNTS, since=None, after=None))
    assert caught.value.field == "IsDeleted"


def test_pages_end_with_done_and_not_with_a_short_page(crm: SalesforceAdapter, wire: Wire) -> None:
    path = "/services/data/v64.0/query/01g-1"
    wire.rows(account(), done=False, following=path)
    wire.answer("GET", path, {"totalSize": 2, "done": True, "records": [account(TWO)]})
    pages = list(crm.changes(ACCOUNTS, since=None, after=None))
    assert [page.records[0].id for page in pages] == [ONE, TWO]


def test_f4_a_listing_that_turns_in_a_circle_is_left(crm: SalesforceAdapter, wire: Wire) -> None:
    path = "/services/data/v64.0/query/01g-1"
    wire.rows(account(), done=False, following=path)
    wire.answer("GET", path, {"done": False, "records": [account()], "nextRecordsUrl": path})
    with pytest.raises(CursorInvalid):
        list(crm.changes(ACCOUNTS, since=None, after=None))


def test_f23_a_forgotten_locator_is_a_lost_cursor(crm: SalesforceAdapter, wire: Wire) -> None:
    path = "/services/data/v64.0/query/01g-1"
    wire.rows(account(), done=False, following=path)
    wire.refuse("GET", path, "INVALID_QUERY_LOCATOR", "invalid query locator")
    with pytest.raises(CursorInvalid, match="changes of Account"):
        list(crm.changes(ACCOUNTS, since=None, after=None))


def test_a_listing_never_leads_to_another_host(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.rows(account(), done=False, following="https://evil.example/query")
    with pytest.raises(CursorInvalid):
        list(crm.changes(ACCOUNTS, since=None, after=None))


def test_f49_a_hidden_field_is_named(crm: SalesforceAdapter, wire: Wire) -> None:
    said = "\nName,Mood__c FROM Account\n     ^\nERROR at Row:1:Column:8\nNo such column 'Mood__c' on entity 'Account'."
    wire.refuse("GET", "queryAll", "INVALID_FIELD", said)
    with pytest.raises(SchemaChanged) as caught:
        list(crm.changes(Query("Account", ("Mood__c",)), since=None, after=None))
    assert (caught.value.object_name, caught.value.field) == ("Account", "Mood__c")
    assert caught.value.where == "acme: changes of Account"


@pytest.mark.parametrize(
    "said", ["No such column 'Nope' on entity 'Name'.", "Didn't understand relationship 'Owner' in field path."]
)
def test_f49_a_hidden_path_is_named_as_asked(crm: SalesforceAdapter, wire: Wire, said: str) -> None:
    wire.refuse("GET", "queryAll", "INVALID_FIELD", said)
    with pytest.raises(SchemaChanged) as caught:
        list(crm.changes(Query("Account", ("Name", "Owner.Nope")), since=None, after=None))
    assert caught.value.field == "Owner.Nope"


def test_f54_a_query_that_takes_too_long_is_asked_for_shorter_windows(
    crm: SalesforceAdapter, wire: Wire, clock: SteppingClock
) -> None:
    wire.refuse("GET", "queryAll", "QUERY_TIMEOUT", "Your query request was running for too long.")
    wire.rows(account())
    wire.rows(account(TWO))
    since = datetime(2026, 11, 20, 8, tzinfo=UTC)
    pages = list(crm.changes(ACCOUNTS, since=since, after=None))
    assert [page.records[0].id for page in pages] == [ONE, TWO]
    assert "SystemModstamp < 2026-11-20T10:00:00Z" in wire.queries[1]
    assert "SystemModstamp >= 2026-11-20T10:00:00Z" in wire.queries[2]
    assert "SystemModstamp <" not in wire.queries[2]
    assert clock.naps == []


def test_f54_a_listing_that_is_too_large_for_our_users_rights_is_read_in_parts(
    crm: SalesforceAdapter, wire: Wire, clock: SteppingClock
) -> None:
    wire.refuse("GET", "queryAll", "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's")
    wire.rows(account())
    wire.rows(account(TWO))
    pages = list(crm.changes(ACCOUNTS, since=None, after=None))
    assert [page.records[0].id for page in pages] == [ONE, TWO]
    assert clock.naps == []


def test_f54_a_count_that_takes_too_long_is_made_in_parts(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "QUERY_TIMEOUT", "Your query request was running for too long.")
    wire.answer("GET", "queryAll", {"totalSize": 20, "done": True, "records": []})
    wire.answer("GET", "queryAll", {"totalSize": 21, "done": True, "records": []})
    assert crm.count(ACCOUNTS) == 41
    _, early, late = wire.queries
    (until,) = re.findall(r"SystemModstamp < (\S+Z)", early)
    assert f"SystemModstamp >= {until}" in late
    assert "SystemModstamp <" not in late


def test_f54_the_window_that_worked_is_remembered(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "QUERY_TIMEOUT", "Your query request was running for too long.")
    for _ in range(4):
        wire.rows()
    since = datetime(2026, 11, 20, 8, tzinfo=UTC)
    for _ in range(2):
        list(crm.changes(ACCOUNTS, since=since, after=None))
    assert "SystemModstamp < 2026-11-20T10:00:00Z" in wire.queries[3]


def test_f54_a_narrow_window_is_not_kept_for_the_whole_of_history(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "QUERY_TIMEOUT", "Your query request was running for too long.")
    for _ in range(30):
        wire.rows()
    wire.mock.assert_all_requests_are_fired = False
    list(crm.changes(ACCOUNTS, since=NOON - timedelta(minutes=10), after=None))
    list(crm.changes(ACCOUNTS, since=None, after=None))
    starts = re.findall(r"SystemModstamp >= (\S+Z)", wire.queries[-1])
    assert "SystemModstamp <" not in wire.queries[-1]
    assert len(wire.queries) < 30, starts


def test_f54_a_window_that_cannot_be_halved_gives_up(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "QUERY_TIMEOUT", "Your query request was running for too long.")
    with pytest.raises(Unavailable):
        list(crm.changes(ACCOUNTS, since=NOON, after=None))


def test_f50_a_query_too_long_for_an_address_goes_in_a_body(crm: SalesforceAdapter, wire: Wire) -> None:
    page = {"totalSize": 1, "done": True, "records": [account()]}
    wire.answer("POST", "composite", {"compositeResponse": [{"httpStatusCode": 200, "body": page}]})
    many = Condition("Name", "in", tuple(f"Company number {n}" for n in range(800)))
    (read,) = crm.changes(Query("Account", ("Name",), ((many,),)), since=None, after=None)
    assert read.records[0].id == ONE
    (body,) = wire.bodies("/composite")
    assert "queryAll?q=SELECT" in body["compositeRequest"][0]["url"]


def test_f50_an_error_inside_a_body_is_an_error(crm: SalesforceAdapter, wire: Wire) -> None:
    inner = [{"errorCode": "INVALID_FIELD", "message": "No such column 'X__c' on entity 'Account'."}]
    wire.answer("POST", "composite", {"compositeResponse": [{"httpStatusCode": 400, "body": inner}]})
    many = Condition("X__c", "in", tuple(f"Company number {n}" for n in range(800)))
    with pytest.raises(SchemaChanged) as caught:
        list(crm.changes(Query("Account", ("Name",), ((many,),)), since=None, after=None))
    assert caught.value.field == "X__c"


def test_f55_fetch_takes_short_ids_and_leaves_out_what_is_not_there(crm: SalesforceAdapter, wire: Wire) -> None:
    row = account()
    del row["Owner"]
    wire.rows(row)
    found = crm.fetch("Account", [ONE[:15], ONE, TWO, "nonsense"], ["Name"])
    assert {key: record.fields for key, record in found.items()} == {ONE: {"Name": "Acme"}}
    assert f"Id IN ('{ONE}', '{TWO}')" in wire.queries[0]
    assert "IsDeleted = false" in wire.queries[0]


def test_fetch_of_nothing_asks_nothing(crm: SalesforceAdapter, wire: Wire) -> None:
    assert crm.fetch("Account", [], ["Name"]) == {}
    assert len(wire.mock.calls) == 0


def test_count_leaves_out_deleted_records(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("GET", "queryAll", {"totalSize": 41, "done": True, "records": []})
    assert crm.count(Query("Account", (), ((Condition("Industry", "=", ("Energy",)),),))) == 41
    assert wire.queries == ["SELECT COUNT() FROM Account WHERE (Industry = 'Energy') AND (IsDeleted = false)"]


@pytest.mark.parametrize("odd", [{"totalSize": 2}, {"done": "false"}, {"done": None}])
def test_f20b_a_listing_that_holds_less_than_it_counts_is_no_evidence_that_the_rest_is_gone(
    crm: SalesforceAdapter, wire: Wire, odd: dict[str, object]
) -> None:
    for _ in range(2):
        wire.answer("GET", "queryAll", {"totalSize": 1, "done": True, "records": [account()], **odd})
    with pytest.raises(Unavailable, match="not data"):
        crm.fetch("Account", [ONE, TWO], ["Name"])
    with pytest.raises(Unavailable, match="not data"):
        list(crm.changes(ACCOUNTS, since=NOON, after=None))


@pytest.mark.parametrize("odd", ["false", 1, {}])
def test_f18_what_is_not_said_to_be_deleted_in_so_many_words_lives(
    crm: SalesforceAdapter, wire: Wire, odd: object
) -> None:
    wire.rows(account(IsDeleted=odd))
    (page,) = crm.changes(ACCOUNTS, since=NOON, after=None)
    assert [record.deleted for record in page.records] == [False]
