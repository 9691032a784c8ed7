"""Reading what changed: everything once, in order, however large, tied or restless the account is."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from portal_rows import Rows, at
from written_hubspot import NOON, Reply, Request, SteppingClock, Wire, definition, refusal

from adapters.hubspot.crm_adapter import HubSpotAdapter
from adapters.hubspot.records.wire_values import RecordId
from connector.domain.cursor import Cursor, advance, dump, load
from connector.errors import CursorInvalid, RateLimited, SchemaChanged, Unavailable
from connector.ports import Condition, Page, Position, Query

COMPANIES = Query("companies", ("name",))


def pages(hub: HubSpotAdapter, query: Query = COMPANIES, **rest: object) -> list[Page]:
    given = {"since": None, "after": None} | rest
    return list(hub.changes(query, **given))  # type: ignore[arg-type]


def ids(found: list[Page]) -> list[str]:
    return [str(record.id) for page in found for record in page.records]


@pytest.fixture
def rows(wire: Wire) -> Rows:
    return Rows(wire)


def test_all_come_once_in_order(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(650):
        rows.put(1000 + number, number // 7)
    found = pages(hub)
    assert ids(found) == [str(1000 + number) for number in range(650)]
    assert [page.last for page in found] == [Position(p.records[-1].modified, p.records[-1].id) for p in found]


def test_no_search_goes_on_by_the_number_of_a_page(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(500):
        rows.put(number + 1, number)
    pages(hub)
    assert all("after" not in body for body in rows.searches)


def test_more_than_a_search_may_show_share_one_stamp(hub: HubSpotAdapter, rows: Rows) -> None:
    rows.put(5, 10)
    for number in range(10_100):
        rows.put(100 + number, 50)
    rows.put(7, 90)
    found = ids(pages(hub, since=datetime(2026, 10, 1, tzinfo=UTC)))
    assert found == ["5", *(str(100 + number) for number in range(10_100)), "7"]


@pytest.mark.parametrize("tie", [199, 200, 201, 400])
def test_ties_around_the_size_of_a_page(hub: HubSpotAdapter, rows: Rows, tie: int) -> None:
    for number in range(tie):
        rows.put(number + 1, 50)
    for number in range(tie):
        rows.put(1000 + number, 51)
    assert ids(pages(hub)) == [str(n + 1) for n in range(tie)] + [str(1000 + n) for n in range(tie)]


def test_ids_of_different_lengths_sort_as_numbers(hub: HubSpotAdapter, rows: Rows) -> None:
    for record_id in (9, 10, 101, 99999999999):
        rows.put(record_id, 50)
    (page,) = pages(hub)
    assert ids([page]) == ["9", "10", "101", "99999999999"]
    middle = Position(page.records[1].modified, str(page.records[1].id))
    assert ids(pages(hub, after=middle)) == ["101", "99999999999"]


def test_the_stored_cursor_moves_over_ids_of_different_lengths(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(450):
        rows.put(9 + number * 7, 50)
    cursor = Cursor()
    for page in hub.changes(COMPANIES, since=None, after=None):
        cursor = load(dump(advance(cursor, page)))
    assert cursor.at == Position(at(50), str(9 + 449 * 7))


@pytest.mark.parametrize("seed", range(5))
def test_resuming_behind_any_record_gives_the_rest(hub: HubSpotAdapter, rows: Rows, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    for number in chance.sample(range(1, 100_000), 500):
        rows.put(number, chance.choice([1, 2, 3, 500, 501, 900]))
    everything = [record for page in pages(hub) for record in page.records]
    assert len(everything) == 500
    for place in chance.sample(range(500), 5):
        record = everything[place]
        rest = ids(pages(hub, after=Position(record.modified, str(record.id))))
        assert rest == [str(one.id) for one in everything[place + 1 :]]


def test_a_change_while_pages_are_read_hides_nobody(hub: HubSpotAdapter, rows: Rows, clock: SteppingClock) -> None:
    for number in range(600):
        rows.put(number + 1, number)
    listing = hub.changes(COMPANIES, since=None, after=None)
    seen = ids([next(listing)])
    for number in range(0, 600, 3):
        rows.put(number + 1, 10_000 + number)
    seen += ids(list(listing))
    assert set(seen) == {str(number + 1) for number in range(600)}


def test_a_row_that_shows_a_newer_stamp_than_its_place_hides_nobody(hub: HubSpotAdapter, rows: Rows) -> None:
    just_now = round((NOON - datetime(2026, 11, 1, tzinfo=UTC)).total_seconds() * 1000)
    for number in range(450):
        rows.put(number + 1, number)
    for stale in (1, 150, 199, 200, 201):
        rows.put(stale, just_now + stale, indexed=False)
    found = ids(pages(hub))
    assert set(found) >= {str(number + 1) for number in range(450)} - {"1", "150", "199", "200", "201"}
    assert len(found) == len(set(found))


def spoil(rows: Rows, ids: range, **more: object) -> None:
    """Show some records in a way that nobody can understand."""
    whole = rows.row

    def row(record_id: str, names: list[str]) -> dict[str, object]:
        odd = {"properties": "none", "updatedAt": "never", **more} if int(record_id) in ids else {}
        return {**whole(record_id, names), **odd}

    rows.row = row  # type: ignore[method-assign]


def test_a_page_with_nothing_but_odd_records_holds_up_no_other(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(1, 461):
        rows.put(number, number)
    spoil(rows, range(1, 451))
    records = [record for page in pages(hub) for record in page.records]
    assert [record.id for record in records if not record.fault] == [str(number) for number in range(451, 461)]
    assert {record.id for record in records if record.fault} == {str(number) for number in range(1, 451)}


def test_odd_records_that_are_archived_are_not_set_aside(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(1, 461):
        rows.put(number, number)
    spoil(rows, range(1, 451), archived=True)
    records = [record for page in pages(hub) for record in page.records]
    assert [record.id for record in records] == [str(number) for number in range(451, 461)]


def test_odd_records_of_one_stamp_hold_up_no_other(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(1, 461):
        rows.put(number, 50)
    rows.put(500, 51)
    spoil(rows, range(2, 452))
    records = [record for page in pages(hub) for record in page.records]
    sound = [str(number) for number in (1, *range(452, 461), 500)]
    assert [record.id for record in records if not record.fault] == sound
    assert {record.id for record in records if record.fault} == {str(number) for number in range(2, 452)}


def test_since_is_part_of_the_question_and_holds_together_with_after(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(6):
        rows.put(number + 1, number // 2 * 1000)
    since = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=1)
    assert ids(pages(hub, since=since)) == ["3", "4", "5", "6"]
    assert ids(pages(hub, since=since, after=Position(at(1000), "3"))) == ["4", "5", "6"]
    assert ids(pages(hub, since=since, after=Position(at(0), "1"))) == ["3", "4", "5", "6"]


def test_contacts_have_a_stamp_of_another_name(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire, "contacts", "lastmodifieddate")
    rows.put(1, 5)
    since = datetime(2026, 11, 1, tzinfo=UTC)
    assert ids(pages(hub, Query("contacts", ("name",)), since=since)) == ["1"]
    (body,) = rows.searches
    assert body["sorts"] == [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    assert body["filterGroups"][0]["filters"][0]["propertyName"] == "lastmodifieddate"


def test_conditions_stand_in_every_search(hub: HubSpotAdapter, rows: Rows) -> None:
    for number in range(500):
        rows.put(number + 1, 7 if number < 250 else number, industry=("Steel", "Paper")[number % 2])
    query = Query("companies", ("name",), ((Condition("industry", "=", ("steel",)),),))
    assert ids(pages(hub, query)) == [str(number + 1) for number in range(0, 500, 2)]
    for body in rows.searches:
        assert {"propertyName": "industry", "operator": "EQ", "value": "steel"} in body["filterGroups"][0]["filters"]


def test_a_field_is_absent_only_where_it_was_not_given(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name", "secret")
    row = {"id": "1", "updatedAt": at(0), "properties": {"name": "", "hs_lastmodifieddate": at(0)}}
    wire.answer("POST", "/crm/objects/2026-03/companies/search", {"total": 1, "results": [row]})
    wire.answer("GET", "/crm/objects/2026-03/companies", {"results": []})
    (page,) = pages(hub, Query("companies", ("name", "secret")))
    assert dict(page.records[0].fields) == {"name": None}


def test_stamps_without_milliseconds_sort_before_those_with_some(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name")
    stamps = ["2026-11-01T10:00:00Z", "2026-11-01T10:00:00.250Z"]
    results = [
        {"id": str(n + 1), "properties": {"name": "x", "hs_lastmodifieddate": text}} for n, text in enumerate(stamps)
    ]
    wire.answer("POST", "/crm/objects/2026-03/companies/search", {"total": 2, "results": results})
    wire.answer("GET", "/crm/objects/2026-03/companies", {"results": []})
    (page,) = pages(hub)
    modified = [record.modified for record in page.records]
    assert modified == ["2026-11-01T10:00:00.000Z", "2026-11-01T10:00:00.250Z"] == sorted(modified)


def test_many_properties_are_read_apart(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire)
    names = [f"a_property_with_a_rather_long_name_{number:03}" for number in range(120)]
    wire.queues.clear()
    wire.properties("companies", *names)
    for number in range(150):
        rows.put(number + 1, number, **{names[-1]: f"value {number}"})

    def read(request: Request) -> Reply:
        assert len(request.body["inputs"]) <= 100
        asked = [one["id"] for one in request.body["inputs"]]
        return Reply({"results": [rows.row(one, request.body["properties"]) for one in reversed(asked)]})

    wire.handle("POST", "/crm/objects/2026-03/companies/batch/read", read)
    found = [record for page in pages(hub, Query("companies", tuple(names))) for record in page.records]
    assert [record.fields[names[-1]] for record in found] == [f"value {number}" for number in range(150)]


def test_what_was_deleted_before_it_is_read_apart_does_not_end_the_listing(hub: HubSpotAdapter, wire: Wire) -> None:
    """As when many are deleted at once: the search still shows them for a while."""
    rows = Rows(wire)
    names = [f"a_property_with_a_rather_long_name_{number:03}" for number in range(120)]
    wire.queues.clear()
    wire.properties("companies", *names)
    for number in range(450):
        rows.put(number + 1, number)

    def read(request: Request) -> Reply:
        asked = [one["id"] for one in request.body["inputs"] if int(one["id"]) > 250]
        return Reply({"results": [rows.row(one, request.body["properties"]) for one in asked]})

    wire.handle("POST", "/crm/objects/2026-03/companies/batch/read", read)
    found = pages(hub, Query("companies", tuple(names)))
    assert ids(found) == [str(number) for number in range(251, 451)]


def test_an_unknown_property_is_told_though_hubspot_would_pass_over_it(hub: HubSpotAdapter, rows: Rows) -> None:
    with pytest.raises(SchemaChanged) as caught:
        pages(hub, Query("companies", ("name", "nmae")))
    assert caught.value.field == "nmae"
    assert "acme-hub" in caught.value.where


def test_an_unknown_object_is_told(hub: HubSpotAdapter, wire: Wire) -> None:
    body = refusal("Unable to infer object type from: butterflies")
    wire.answer(
        "GET", "/crm/properties/2026-03/butterflies", {k: v for k, v in body.items() if k != "category"}, status=400
    )
    with pytest.raises(SchemaChanged) as caught:
        hub.describe("butterflies")
    assert caught.value.object_name == "butterflies"


def test_a_question_that_is_refused_pauses_this_object_alone(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name")
    wire.answer("POST", "/crm/objects/2026-03/companies/search", refusal("There was a problem."), status=400)
    with pytest.raises(SchemaChanged, match="There was a problem"):
        pages(hub)


def test_a_lock_on_what_is_read_passes(hub: HubSpotAdapter, wire: Wire, rows: Rows, clock: SteppingClock) -> None:
    rows.put(1, 1)
    search = ("POST", "/crm/objects/2026-03/companies/search")
    locked = Reply(refusal("Locked.", "LOCKED"), 423)
    answers: list[Reply] = [locked]
    wire.handle(*search, lambda request: answers.pop() if answers else rows.search(request))
    assert ids(pages(hub)) == ["1"]
    assert sum(clock.naps) >= 2
    wire.handle(*search, lambda _: locked)
    with pytest.raises(RateLimited, match="Locked"):
        pages(hub)


def test_nothing_new_is_one_empty_page_with_the_clock(hub: HubSpotAdapter, rows: Rows) -> None:
    (page,) = pages(hub, since=NOON)
    assert (list(page.records), page.last, page.server_time) == ([], None, NOON)


def test_count_is_the_total_of_a_search(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name")
    wire.answer("POST", "/crm/objects/2026-03/companies/search", {"total": 12_345, "results": []})
    assert hub.count(COMPANIES) == 12_345


def test_fetch_keeps_to_what_was_asked_for(hub: HubSpotAdapter, wire: Wire) -> None:
    """A merged-away id is answered with its survivor, and an archived record may come along."""
    wire.properties("companies", "name")
    stamped = {"hs_lastmodifieddate": at(0), "name": "x"}
    results = [
        {"id": "1", "properties": stamped, "archived": False},
        {"id": "77", "properties": stamped, "archived": False},
        {"id": "3", "properties": stamped, "archived": True},
    ]
    wire.answer("POST", "/crm/objects/2026-03/companies/batch/read", {"results": results, "numErrors": 1}, status=207)
    assert set(hub.fetch("companies", ["1", "1", "2", "3", "no id"], ["name"])) == {"1"}
    (request,) = wire.sent("POST", "/crm/objects/2026-03/companies/batch/read")
    assert request.body["inputs"] == [{"id": "1"}, {"id": "2"}, {"id": "3"}]


@pytest.mark.parametrize("odd", ["false", 1, {"a": 1}])
def test_what_is_not_said_to_be_archived_in_so_many_words_lives(hub: HubSpotAdapter, wire: Wire, odd: object) -> None:
    wire.properties("companies", "name")
    row = {"id": "1", "properties": {"hs_lastmodifieddate": at(0), "name": "x"}, "archived": odd}
    wire.answer("POST", "/crm/objects/2026-03/companies/batch/read", {"results": [row]})
    assert set(hub.fetch("companies", ["1"], ["name"])) == {"1"}


def test_what_could_not_be_read_is_not_gone(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name")
    path = "/crm/objects/2026-03/companies/batch/read"
    row = {"id": "1", "properties": {"hs_lastmodifieddate": at(0), "name": "x"}}
    gone = refusal("Could not get some COMPANY objects.", "OBJECT_NOT_FOUND", context={"ids": ["2"]})
    error = refusal("Something went wrong.", "INTERNAL_ERROR", context={"ids": ["3"]})
    wire.answer("POST", path, {"results": [row], "numErrors": 1, "errors": [gone]}, status=207)
    assert set(hub.fetch("companies", ["1", "2"], ["name"])) == {"1"}
    wire.queues["POST", path] = [Reply({"results": [row], "numErrors": 2, "errors": [gone, error]}, 207)]
    with pytest.raises(Unavailable, match="Something went wrong"):
        hub.fetch("companies", ["1", "2", "3"], ["name"])


def test_describe_tells_what_properties_take(hub: HubSpotAdapter, wire: Wire) -> None:
    options = [{"label": "Glad", "value": "happy"}, {"label": "Sad", "value": "unhappy"}]
    rows = [
        definition("note"),
        definition("mood", "enumeration", options=options),
        definition("tags", "enumeration", fieldType="checkbox", options=options),
        definition("hubspot_owner_id", "enumeration", externalOptions=True, referencedObjectType="OWNER"),
        definition("key", hasUniqueValue=True),
        definition("sum", "number", calculated=True),
        definition("seen", "datetime", modificationMetadata={"readOnlyValue": True}),
    ]
    wire.answer("GET", "/crm/properties/2026-03/deals", {"results": [*rows, definition("dealstage", "enumeration")]})
    fields = hub.describe("deals").fields
    kinds = {name: one.type for name, one in fields.items() if "." not in name}
    assert kinds == {
        "note": "text",
        "mood": "picklist",
        "tags": "multipicklist",
        "hubspot_owner_id": "reference",
        "key": "text",
        "sum": "number",
        "seen": "datetime",
        "dealstage": "picklist",
    }
    assert fields["mood"].options == ("happy", "unhappy")
    assert fields["mood"].restricted
    assert not fields["hubspot_owner_id"].restricted
    assert fields["key"].unique
    assert fields["sum"].calculated
    assert not fields["seen"].updateable
    assert fields["associations.companies"].references == ("companies",)
    assert {fields["dealstage.won"].type, fields["dealstage.closed"].type} == {"boolean"}


def test_ids_are_equal_to_their_text_and_sort_as_numbers() -> None:
    assert RecordId("12") == "12"
    assert hash(RecordId("12")) == hash("12")
    assert sorted(map(RecordId, ["100", "9", "12"])) == ["9", "12", "100"]
    assert RecordId("9") < "10"
    assert "9" < RecordId("10")  # noqa: SIM300  (both directions are meant)


@pytest.mark.parametrize("since", [None, datetime(2026, 11, 1, 0, 0, 1, tzinfo=UTC)])
def test_f4_a_search_that_does_not_get_on_is_an_error_and_no_loop(
    hub: HubSpotAdapter, wire: Wire, rows: Rows, since: datetime | None
) -> None:
    for number in range(300):
        rows.put(number + 1, 50)

    def deaf(request: Request) -> Reply:
        request.body["filterGroups"] = []
        return rows.search(request)

    wire.handle("POST", "/crm/objects/2026-03/companies/search", deaf)
    with pytest.raises(CursorInvalid):
        pages(hub, since=since)


def test_f20b_a_listing_of_what_is_archived_that_shows_the_living_deletes_nothing(
    hub: HubSpotAdapter, rows: Rows
) -> None:
    rows.put(1, 10)
    rows.archived = [rows.row("1", ["name"])]
    assert [record.deleted for page in pages(hub) for record in page.records] == [False]
