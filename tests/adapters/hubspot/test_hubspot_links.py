"""What HubSpot keeps apart from a record: whom it belongs to, and what its stage means."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from portal_rows import Rows, at
from written_hubspot import NOON, Reply, Request, SteppingClock, Wire, definition, refusal

from adapters.hubspot.crm_adapter import HubSpotAdapter
from connector.errors import NotPermitted
from connector.ports import Condition, Query, Record

READ = "/crm/associations/2026-03/tickets/companies/batch/read"
TICKETS = Query("tickets", ("name", "associations.companies"))
HOUR = timedelta(hours=1)


@pytest.fixture
def tickets(wire: Wire) -> Rows:
    rows = Rows(wire, "tickets")
    for number in range(3):
        rows.put(number + 1, number)
    return rows


def read(hub: HubSpotAdapter, query: Query = TICKETS, **rest: Any) -> list[Record]:
    given = {"since": None, "after": None} | rest
    return [record for page in hub.changes(query, **given) for record in page.records]


def linked(start: str, *ends: tuple[int, int], **rest: Any) -> dict[str, Any]:
    """Return a row of an answer: ids of what it leads to, with the type of association."""
    to = [
        {"toObjectId": end, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": kind, "label": None}]}
        for end, kind in ends
    ]
    return {"from": {"id": start}, "to": to, **rest}


def none(start: str) -> dict[str, Any]:
    said = f"No company is associated with ticket {start}."
    sub = "crm.associations.NO_ASSOCIATIONS_FOUND"
    return refusal(said, "OBJECT_NOT_FOUND", subCategory=sub, context={"fromObjectId": [start]})


def test_the_primary_company_comes_first_and_each_once(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    results = [linked("1", (900, 339), (12345678901, 26), (12345678901, 339)), linked("2", (901, 339))]
    wire.answer("POST", READ, {"results": results, "errors": [none("3")], "numErrors": 1}, status=207)
    found = {record.id: record.fields["associations.companies"] for record in read(hub)}
    assert found == {"1": ("12345678901", "900"), "2": ("901",), "3": ()}
    assert len(wire.sent("POST", READ)) == 1


def test_a_label_of_the_accounts_own_makes_no_company_the_primary_one(
    hub: HubSpotAdapter, wire: Wire, tickets: Rows
) -> None:
    """Labels are numbered by themselves, from 1 on: their numbers are those of HubSpot's own types too."""
    partner = linked("1", (900, 339), (901, 339))
    for number, label in ((26, "Partner"), (1, "Primary")):
        partner["to"][1]["associationTypes"].append({"category": "USER_DEFINED", "typeId": number, "label": label})
    wire.answer("POST", READ, {"results": [partner], "errors": [none("2"), none("3")]}, status=207)
    assert read(hub)[0].fields["associations.companies"] == ("900", "901")


def test_what_goes_on_inside_a_record_is_read_to_its_end(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    first = linked("2", *((n, 339) for n in range(500)), paging={"next": {"after": "500"}})
    wire.answer("POST", READ, {"results": [linked("1", (7, 26)), first], "errors": [none("3")]}, status=207)
    wire.answer("POST", READ, {"results": [linked("2", (500, 26))]})
    found = {record.id: record.fields["associations.companies"] for record in read(hub)}
    assert found["2"] == ("500", *(str(n) for n in range(500)))
    assert wire.sent("POST", READ)[1].body == {"inputs": [{"id": "2", "after": "500"}]}


def test_an_error_is_no_evidence_that_there_is_none(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    row = refusal("2 is not a valid ID", subCategory="crm.associations.INVALID_IDENTIFIER", context={"id": ["2"]})
    wire.answer("POST", READ, {"results": [linked("1", (7, 26))], "errors": [row, none("3")]}, status=207)
    found = {record.id: dict(record.fields) for record in read(hub)}
    assert "associations.companies" not in found["2"]
    assert found["3"]["associations.companies"] == ()


def test_an_error_that_names_nobody_may_be_about_whoever_is_not_told_of(
    hub: HubSpotAdapter, wire: Wire, tickets: Rows
) -> None:
    answer = {"results": [linked("1", (7, 26))], "errors": [refusal("Internal error.", "INTERNAL_ERROR"), none("3")]}
    wire.answer("POST", READ, answer, status=207)
    found = {record.id: record.fields.get("associations.companies") for record in read(hub)}
    assert found == {"1": ("7",), "2": None, "3": ()}


def test_a_missing_scope_for_companies_is_never_read_as_none(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    context = {"requiredGranularScopes": ["crm.objects.companies.read"]}
    errors = [{"message": "One or more of the following scopes are required.", "context": context}]
    wire.answer("POST", READ, refusal("Not granted.", "MISSING_SCOPES", errors=errors), status=403)
    with pytest.raises(NotPermitted) as caught:
        read(hub)
    assert "crm.objects.companies.read" in caught.value.remedy


def test_a_path_leads_to_a_property_of_the_first(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    results = [linked("1", (900, 339), (901, 26)), linked("2", (901, 26))]
    wire.answer("POST", READ, {"results": results, "errors": [none("3")]}, status=207)
    company = {"id": "901", "properties": {"name": "Acme"}, "archived": False}
    wire.answer("POST", "/crm/objects/2026-03/companies/batch/read", {"results": [company]})
    query = Query("tickets", ("associations.companies.name",))
    assert [record.fields for record in read(hub, query)] == [
        {"associations.companies.name": "Acme"},
        {"associations.companies.name": "Acme"},
        {"associations.companies.name": None},
    ]
    query = Query("tickets", ("name",), ((Condition("associations.companies.name", "=", ("acme",)),),))
    assert [record.id for record in read(hub, query)] == ["1", "2"]
    assert hub.count(query) == 2


def test_what_hangs_on_people_alone_leads_to_their_company(hub: HubSpotAdapter, wire: Wire, tickets: Rows) -> None:
    people = {"results": [linked("1", (70, 16)), linked("2", (70, 16), (69, 16))], "errors": [none("3")]}
    wire.answer("POST", "/crm/associations/2026-03/tickets/contacts/batch/read", people, status=207)
    companies = {"results": [linked("70", (900, 279), (901, 1))], "errors": [none("69")]}
    wire.answer("POST", "/crm/associations/2026-03/contacts/companies/batch/read", companies, status=207)
    name = "associations.contacts.companies"
    assert [record.fields[name] for record in read(hub, Query("tickets", (name,)))] == [("901", "900"), (), None]
    assert hub.describe("tickets").fields[name].references == ("companies",)


# ── what is associated later ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_changed_lately_is_looked_at_again_once_an_hour(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    rows = Rows(wire, "tickets")
    clock.moment = NOON + timedelta(days=1, minutes=1)
    rows.put(1, (19 * 24 + 12) * 3_600_000)
    company: list[tuple[int, int]] = []
    wire.handle("POST", READ, lambda _: Reply({"results": [linked("1", *company)]}))

    def dated(request: Request) -> Reply:
        reply = rows.search(request)
        reply.headers = {"Date": clock.moment.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        return reply

    wire.handle("POST", "/crm/objects/2026-03/tickets/search", dated)
    read(hub)
    company.append((900, 26))
    assert read(hub, since=clock.moment - hub.lag) == []
    since, clock.moment = clock.moment - hub.lag, clock.moment + HOUR
    pages = list(hub.changes(TICKETS, since=since, after=None))
    assert [record.fields["associations.companies"] for page in pages for record in page.records] == [("900",)]
    assert all(page.last is None for page in pages)


# ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def stage(name: str, **metadata: str) -> dict[str, Any]:
    return {"id": name, "label": f"Etappe {name}", "metadata": metadata}


@pytest.fixture
def deals(wire: Wire) -> Iterator[Rows]:
    rows = Rows(wire, "deals")
    wire.queues.clear()
    wire.answer("GET", "/crm/properties/2026-03/deals", {"results": [definition("dealstage"), definition("pipeline")]})
    stages = [
        stage("open", isClosed="false", probability="0.2"),
        stage("won", isClosed="true", probability="1.0"),
        stage("lost", isClosed="true", probability="0.0"),
        stage("old-won", probability="1.0"),
        stage("sure", isClosed="false", probability="1.0"),
    ]
    other = [stage("won", isClosed="false", probability="0.5")]
    pipelines = {"results": [{"id": "default", "stages": stages}, {"id": "other", "stages": other}]}
    wire.answer("GET", "/crm/pipelines/2026-03/deals", pipelines)
    return rows


def test_a_stage_counts_by_its_data_in_its_own_pipeline(hub: HubSpotAdapter, deals: Rows) -> None:
    places = [("default", name) for name in ("open", "won", "lost", "old-won", "sure")]
    for number, (pipeline, name) in enumerate([*places, ("other", "won"), (None, "lost"), ("default", "unheard-of")]):
        deals.put(number + 1, number, pipeline=pipeline, dealstage=name)
    found = read(hub, Query("deals", ("dealstage.closed", "dealstage.won")))
    assert [(record.fields["dealstage.closed"], record.fields["dealstage.won"]) for record in found] == [
        (False, False),
        (True, True),
        (True, False),
        (True, True),
        (False, False),
        (False, False),
        (True, False),
        (None, None),
    ]


def test_tickets_are_closed_by_their_stages_state(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire, "tickets")
    wire.queues.clear()
    fields = [definition("hs_pipeline_stage"), definition("hs_pipeline")]
    wire.answer("GET", "/crm/properties/2026-03/tickets", {"results": fields})
    stages = [stage("1", ticketState="OPEN"), stage("4", ticketState="CLOSED")]
    wire.answer("GET", "/crm/pipelines/2026-03/tickets", {"results": [{"id": "0", "stages": stages}]})
    rows.put(1, 1, hs_pipeline="0", hs_pipeline_stage="1")
    rows.put(2, 2, hs_pipeline="0", hs_pipeline_stage="4")
    found = read(hub, Query("tickets", ("hs_pipeline_stage.closed",)))
    assert [record.fields for record in found] == [
        {"hs_pipeline_stage.closed": False},
        {"hs_pipeline_stage.closed": True},
    ]


def test_pipelines_are_asked_for_once_an_hour_and_for_new_stages(
    hub: HubSpotAdapter, wire: Wire, deals: Rows, clock: SteppingClock
) -> None:
    path, query = "/crm/pipelines/2026-03/deals", Query("deals", ("dealstage.won",))
    deals.put(1, 1, pipeline="default", dealstage="won")
    read(hub, query)
    read(hub, query)
    assert len(wire.sent("GET", path)) == 1
    deals.put(2, 2, pipeline="default", dealstage="brand-new")
    clock.moment += timedelta(minutes=2)
    read(hub, query)
    assert len(wire.sent("GET", path)) == 2
    clock.moment += HOUR
    read(hub, query)
    assert len(wire.sent("GET", path)) == 3


# ── gone ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_archived_records_are_listed_at_most_hourly(hub: HubSpotAdapter, wire: Wire, clock: SteppingClock) -> None:
    rows = Rows(wire)
    since = clock.moment - timedelta(minutes=10)
    stamps = {"updatedAt": at(0), "properties": {"name": "Gone"}}
    rows.archived = [
        {"id": "5", "archivedAt": (clock.moment - timedelta(minutes=1)).isoformat(), **stamps},
        {"id": "6", "archivedAt": (clock.moment - timedelta(days=9)).isoformat(), **stamps},
    ]
    query = Query("companies", ("name",))
    (record,) = read(hub, query, since=since)
    assert (record.id, record.deleted, record.merged_into, record.fields) == ("5", True, None, {"name": "Gone"})
    assert read(hub, query, since=since) == []
    clock.moment += HOUR
    assert [record.id for record in read(hub, query, since=since)] == ["5"]
    listing = wire.sent("GET", "/crm/objects/2026-03/companies")
    assert [one.query["archived"] for one in listing] == ["true", "true"]


def test_whoever_only_wants_to_know_if_it_can_be_read_lists_no_archive(hub: HubSpotAdapter, wire: Wire) -> None:
    """As `afterword check`; the list may be hundreds of pages long."""
    Rows(wire)
    page = next(iter(hub.changes(Query("companies", ("name",)), since=NOON, after=None)))
    assert (list(page.records), page.server_time) == ([], NOON)
    assert wire.sent("GET", "/crm/objects/2026-03/companies") == []


def test_a_deletion_in_the_hour_without_a_look_is_told_later(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    rows, query = Rows(wire), Query("companies", ("name",))
    read(hub, query)
    clock.moment += timedelta(minutes=5)
    rows.archived = [{"id": "5", "archivedAt": clock.moment.isoformat(), "properties": {}, "updatedAt": at(0)}]
    told: list[str] = []
    for _ in range(14):
        told += [record.id for record in read(hub, query, since=clock.moment - hub.lag)]
        clock.moment += timedelta(minutes=5)
    assert told == ["5"]


def test_a_long_list_of_archived_records_does_not_move_the_clock_of_the_pass(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    """What changed while the list was read has not been read: the pass must not count as begun after it."""
    Rows(wire)

    def slow(request: Request) -> Reply:
        clock.moment += timedelta(minutes=10)
        number = int(request.query.get("after", 0)) + 1
        row = {"id": str(number), "archivedAt": at(0), "updatedAt": at(0), "properties": {}}
        more = {"paging": {"next": {"after": str(number)}}} if number < 3 else {}
        return Reply({"results": [row], **more}, headers={"Date": clock.moment.strftime("%a, %d %b %Y %H:%M:%S GMT")})

    wire.handle("GET", "/crm/objects/2026-03/companies", slow)
    for since in (None, NOON):
        began = clock.moment
        for page in hub.changes(Query("companies", ("name",)), since=since, after=None):
            assert page.server_time <= began + timedelta(seconds=1)
        clock.moment += HOUR


def test_a_list_of_archived_records_that_failed_is_asked_for_again(hub: HubSpotAdapter, wire: Wire) -> None:
    rows, query = Rows(wire), Query("companies", ("name",))
    listing = ("GET", "/crm/objects/2026-03/companies")
    del wire.handlers[listing]
    wire.answer(*listing, refusal("Not granted.", "MISSING_SCOPES"), status=403)
    with pytest.raises(NotPermitted):
        read(hub, query)
    rows.archived = [{"id": "5", "archivedAt": at(0), "properties": {}, "updatedAt": at(0)}]
    wire.handle(*listing, lambda _: Reply({"results": rows.archived}))
    assert [record.id for record in read(hub, query, since=NOON - timedelta(days=60))] == ["5"]


def test_archived_records_of_no_concern_are_passed_over(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire, "tasks")
    rows.archived = [
        {"id": "5", "archivedAt": at(0), "updatedAt": at(0), "properties": {"name": "x", "industry": None}},
        {"id": "6", "archivedAt": at(0), "updatedAt": at(0), "properties": {"name": "x", "industry": "ours"}},
    ]
    query = Query("tasks", ("name",), ((Condition("industry", "!=", (None,)),),))
    assert [(record.id, record.fields) for record in read(hub, query)] == [("6", {"name": "x"})]


def test_merged_records_come_before_their_survivor(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire)
    rows.put(1, 1)
    rows.put(9, 5, hs_merged_object_ids="3;4;9")
    rows.archived = [{"id": "3", "archivedAt": at(5), "updatedAt": at(5), "properties": {}}]
    found = read(hub, Query("companies", ("name",)))
    told = [(record.id, record.deleted, record.merged_into) for record in found]
    assert told == [("1", False, None), ("3", True, "9"), ("4", True, "9"), ("9", False, None)]


def test_contacts_that_were_merged_long_ago_are_known_too(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire, "contacts", "lastmodifieddate")
    rows.put(9, 5, hs_merged_object_ids="3", hs_calculated_merged_vids="3:1700000000000;4:1600000000000")
    found = read(hub, Query("contacts", ("name",)))
    assert [(record.id, record.merged_into) for record in found] == [("3", "9"), ("4", "9"), ("9", None)]


# ── owners ───────────────────────────────────────────────────────────────────────────────────────────────────────────

OWNERS = Query("owners", ("firstName", "lastName", "email", "archived"))


def owner(number: int, **rest: Any) -> dict[str, Any]:
    base = {"id": str(number), "firstName": "Ada", "lastName": "Berg", "email": f"ada{number}@acme.example"}
    return {**base, "updatedAt": at(number), "archived": False, **rest}


@pytest.fixture
def owners(wire: Wire) -> Wire:
    def listed(request: Request) -> Reply:
        if request.query["archived"] == "true":
            return Reply({"results": [owner(7, archived=True)]})
        if "after" not in request.query:
            return Reply({"results": [owner(12), owner(3)], "paging": {"next": {"after": "12"}}})
        return Reply({"results": [owner(40, lastName="")]})

    wire.handle("GET", "/crm/owners/2026-03", listed)
    return wire


def test_owners_are_read_with_those_who_have_left(hub: HubSpotAdapter, owners: Wire) -> None:
    found = read(hub, OWNERS)
    assert [(record.id, record.fields["archived"]) for record in found] == [
        ("3", False),
        ("7", True),
        ("12", False),
        ("40", False),
    ]
    assert found[-1].fields["lastName"] is None


def test_owners_are_read_again_after_an_hour(hub: HubSpotAdapter, owners: Wire, clock: SteppingClock) -> None:
    assert len(read(hub, OWNERS, since=NOON)) == 4
    asked = len(owners.requests)
    (page,) = hub.changes(OWNERS, since=NOON, after=None)
    assert (list(page.records), page.last, len(owners.requests)) == ([], None, asked)
    clock.moment += HOUR
    assert len(read(hub, OWNERS, since=NOON)) == 4


def test_owners_can_be_fetched_and_described(hub: HubSpotAdapter, owners: Wire) -> None:
    assert hub.fetch("owners", ["7", "99"], ["email"])["7"].fields == {"email": "ada7@acme.example"}
    assert hub.count(Query("owners", (), ((Condition("archived", "=", (False,)),),))) == 3
    fields = hub.describe("owners").fields
    assert fields["archived"].type == "boolean"
    assert not fields["email"].updateable


def test_the_order_of_what_is_associated_does_not_depend_on_the_answers(
    hub: HubSpotAdapter, wire: Wire, tickets: Rows
) -> None:
    results = [linked("1", (1000, 339), (97, 339), (500, 26)), linked("2", (97, 339), (500, 26), (1000, 339))]
    wire.answer("POST", READ, {"results": results, "errors": [none("3")], "numErrors": 1}, status=207)
    found = [record.fields["associations.companies"] for record in read(hub)]
    assert found == [("500", "97", "1000"), ("500", "97", "1000"), ()]
