"""Whatever comes in at the border to HubSpot: what goes out of it is an error of ours, and a record's fault stays the record's."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from connected import connected
from hypothesis import given, settings
from hypothesis import strategies as st
from written_hubspot import NOON, TOKEN, Reply, SteppingClock, Wire

from adapters.hubspot import adapter
from adapters.hubspot.crm_adapter import HubSpotAdapter
from adapters.hubspot.errors import failure, object_of
from adapters.hubspot.http.auth import life_of
from adapters.hubspot.http.meter import HubSpotMeter
from adapters.hubspot.records.wire_values import is_stamp, moment
from connector.errors import AfterwordError, CrmError, RecordRejected, Unavailable
from connector.model import Ref
from connector.ports import FieldSpec, Note, Query, Write
from connector.wire.headers import pause_of
from tests.adapters.border import DEEP, FOREIGN, break_off, shaped

SPEC = FieldSpec("companies", "afterword_mood", "Mood", "text")
NOTE = Note("key", "A further answer.", Ref("acme-hub", "companies", "1"), NOON)
CALLS: dict[str, Callable[[Any], Any]] = {
    "org": lambda hub: hub.org(),
    "describe": lambda hub: hub.describe("companies"),
    "changes": lambda hub: list(hub.changes(Query("companies", ("name",)), since=None, after=None)),
    "owners": lambda hub: list(hub.changes(Query("owners", ("email",)), since=None, after=None)),
    "count": lambda hub: hub.count(Query("companies", ("name",))),
    "fetch": lambda hub: hub.fetch("companies", ["1"], ["name"]),
    "newest": lambda hub: hub.newest("companies", ["name"], 5),
    "find": lambda hub: hub.find("companies", "name", "1", ["name"]),
    "delete": lambda hub: hub.delete("tasks", "1"),
    "write": lambda hub: hub.write([Write("w", "companies", {"name": "n"}, id="1")]),
    "url": lambda hub: hub.record_url(Ref("acme-hub", "companies", "1")),
    "rights": lambda hub: hub.missing_rights({"companies": frozenset({"read"})}),
    "plan_setup": lambda hub: hub.plan_setup([SPEC]),
    "unrelatable": lambda hub: hub.unrelatable("tasks", ["p_visits"]),
    "limits": lambda hub: hub.field_limits(["companies"]),
    "note": lambda hub: hub.notes.put(NOTE),
}
NAMES = ("results", "paging", "id", "properties", "name", "updatedAt", "archived", "errors", "context", "total", "from")
SHAPED = shaped(*NAMES, "to", "portalId")
HEADERS = st.text(max_size=30) | st.sampled_from(
    ["9" * 5000, "²", "-1", "1e99", "99999999999999", "Fri, 31 Dec 9999 23:59:59 -1400", "NaN", "Infinity"]
)


def answering(body: str | bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> pytest.MonkeyPatch:
    """An account that gives the same answer to whatever it is asked."""

    def request(_: Any, method: str, url: str, **__: Any) -> urllib3.HTTPResponse:
        del method, url
        raw = io.BytesIO(body if isinstance(body, bytes) else body.encode(errors="surrogatepass"))
        return urllib3.HTTPResponse(raw, headers=headers or {}, status=status)

    patch = pytest.MonkeyPatch()
    patch.setattr(urllib3.PoolManager, "request", request)
    return patch


def hub_of(clock: SteppingClock | None = None) -> HubSpotAdapter:
    return connected(adapter, "acme-hub", {"access_token": TOKEN}, clock or SteppingClock())


def the_only_errors_are_ours(call: str) -> None:
    hub = hub_of()
    try:
        CALLS[call](hub)
    except AfterwordError as error:
        assert isinstance(error, CrmError)
        assert error.where.startswith("acme-hub: ")
    finally:
        hub.close()


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("call", CALLS)
def test_m2_no_call_lets_out_an_error_of_another_library(
    monkeypatch: pytest.MonkeyPatch, call: str, kind: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        break_off(kind)

    monkeypatch.setattr(urllib3.PoolManager, "request", fail)
    the_only_errors_are_ours(call)


@pytest.mark.parametrize("kind", FOREIGN)
def test_m2_no_sign_in_lets_out_an_error_of_another_library(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        break_off(kind)

    monkeypatch.setattr(urllib3.PoolManager, "request", fail)
    values = {"auth": "refresh_token", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    with pytest.raises(Unavailable) as caught:
        connected(adapter, "acme-hub", values, SteppingClock()).org()
    assert caught.value.not_sent


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────

BODIES: dict[str, str | bytes] = {
    "deep": DEEP,
    "deep in a record": '{"results": [{"id": "1", "properties": ' + DEEP + "}]}",
    "deep in a message": json.dumps({"message": '[{"a": ' + DEEP + "}]"}),
    "no UTF-8": b'{"name": "\xff\xfe\xfa"}',
    "empty": "",
    "null": "null",
    "a number": "5",
    "a list of nothing": "[null]",
    "rows that are none": '{"results": 7, "errors": 3, "paging": {"next": []}}',
    "rows of nothing": '{"results": [null, 1, [], {}], "errors": [1, {}], "total": "x"}',
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [200, 400])
def test_s9_a_body_that_nobody_can_read_is_an_error_of_ours(call: str, body: str, status: int) -> None:
    patch = answering(BODIES[body], status=status)
    try:
        the_only_errors_are_ours(call)
    finally:
        patch.undo()


@settings(max_examples=60)
@given(data=SHAPED, call=st.sampled_from(sorted(CALLS)), status=st.sampled_from([200, 207, 300, 400, 404, 409, 503]))
def test_s9_no_body_brings_out_an_error_of_another_library(data: Any, call: str, status: int) -> None:
    patch = answering(json.dumps(data), status=status)
    try:
        the_only_errors_are_ours(call)
    finally:
        patch.undo()


@settings(max_examples=60)
@given(text=HEADERS, status=st.sampled_from([200, 429, 477]))
def test_s9_no_header_brings_out_an_error_of_another_library(text: str, status: int) -> None:
    names = ("Retry-After", "Date", "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining")
    daily = ("X-HubSpot-RateLimit-Daily", "X-HubSpot-RateLimit-Daily-Remaining")
    patch = answering(
        json.dumps({"portalId": 1, "message": "m"}), status=status, headers=dict.fromkeys(names + daily, text)
    )
    try:
        the_only_errors_are_ours("org")
    finally:
        patch.undo()


# ── parsers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(text=HEADERS)
def test_s9_every_header_is_what_it_says_or_nothing(text: str) -> None:
    pause = pause_of(text)
    assert pause is None or timedelta() <= pause <= timedelta(days=1)
    meter = HubSpotMeter(SteppingClock(), None)
    meter.learn({"X-HubSpot-RateLimit-Daily": text, "X-HubSpot-RateLimit-Daily-Remaining": text})


@given(text=HEADERS | st.integers() | st.floats() | st.none())
def test_s9_every_stamp_is_a_moment_or_is_known_to_be_none(text: Any) -> None:
    if is_stamp(text):
        assert 1970 <= moment(text).year < 4000


@given(seconds=st.floats() | st.integers() | st.none() | st.text() | st.booleans())
def test_s9_every_life_of_a_token_is_a_time(seconds: Any) -> None:
    assert timedelta() <= life_of(seconds) <= timedelta(days=365)


@given(content=SHAPED, status=st.integers(300, 599), pause=HEADERS)
def test_s9_every_refusal_is_an_error_of_ours(content: Any, status: int, pause: str) -> None:
    body = object_of(json.dumps(content))
    headers = {"Retry-After": pause}
    error = failure(status, body, where="acme-hub: x", headers=headers, day_ends=NOON)
    assert isinstance(error, CrmError)


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def row(record_id: str, stamp: Any, **more: Any) -> dict[str, Any]:
    properties = {"name": "N", "hs_lastmodifieddate": stamp, "hs_object_id": record_id}
    return {"id": record_id, "properties": properties, "updatedAt": stamp, **more}


SEARCH = "/crm/objects/2026-03/companies/search"
GOOD = "2026-11-20T11:00:00.000Z"
ODD: dict[str, dict[str, Any]] = {
    "the end of time": row("2", "9999-12-31T23:59:59.999-14:00"),
    "no day": row("2", "2026-99-99T00:00:00.000Z"),
    "5,000 digits": row("2", "9" * 5000),
    "a number": row("2", 7.5),
    "no properties": row("2", GOOD, properties="x"),
    "merged into a number": row("2", GOOD, properties={"hs_lastmodifieddate": GOOD, "hs_merged_object_ids": 5}),
}


@pytest.mark.parametrize("kind", ODD)
def test_s9_a_record_that_cannot_be_understood_is_parked_and_the_others_are_read(
    hub: HubSpotAdapter, wire: Wire, kind: str
) -> None:
    wire.properties("companies", "name", "hs_lastmodifieddate", "hs_object_id")
    wire.answer("POST", SEARCH, {"results": [row("1", GOOD), ODD[kind]]})
    wire.answer("GET", "/crm/objects/2026-03/companies", {"results": []})
    pages = list(hub.changes(Query("companies", ("name",)), since=NOON - timedelta(days=1), after=None))
    records = [one for page in pages for one in page.records]
    assert [(one.id, bool(one.fault)) for one in records] == [("1", False), ("2", True)]
    assert pages[0].last is not None
    assert (pages[0].last.modified, pages[0].last.id) == (GOOD, "1")


def test_s9_what_was_deleted_at_a_time_that_cannot_be_is_deleted_all_the_same(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name", "hs_lastmodifieddate", "hs_object_id")
    wire.answer("POST", SEARCH, {"results": []})
    gone = row("2", "x", archived=True, archivedAt="9999-12-31T23:59:59.999-14:00")
    wire.answer("GET", "/crm/objects/2026-03/companies", {"results": [gone, {"archived": True}]})
    pages = list(hub.changes(Query("companies", ("name",)), since=NOON - timedelta(days=1), after=None))
    assert [(one.id, one.deleted) for page in pages for one in page.records] == [("2", True)]


def test_s9_a_number_of_5000_digits_leaves_the_other_records_readable(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("companies", "name", "hs_lastmodifieddate", "hs_object_id")
    text = json.dumps({"results": [row("1", GOOD)]}).replace('"N"', "7" * 5000)
    wire.handle("POST", SEARCH, lambda _: Reply(text))
    wire.answer("GET", "/crm/objects/2026-03/companies", {"results": []})
    (page,) = hub.changes(Query("companies", ("name",)), since=NOON - timedelta(days=1), after=None)
    assert page.records[0].fields["name"] == "7" * 5000


def test_s11_a_listing_that_goes_round_ends_with_an_error_that_says_so(hub: HubSpotAdapter, wire: Wire) -> None:
    def page(request: Any) -> Reply:
        following = "b" if request.query.get("after") == "a" else "a"
        return Reply({"results": [], "paging": {"next": {"after": following}}})

    wire.handle("GET", "/crm/owners/2026-03", page)
    with pytest.raises(CrmError, match="goes round"):
        list(hub.changes(Query("owners", ("email",)), since=None, after=None))


def test_s11_a_listing_of_nothing_but_empty_pages_ends_with_an_error_that_says_so(
    hub: HubSpotAdapter, wire: Wire
) -> None:
    wire.handle(
        "GET",
        "/crm/owners/2026-03",
        lambda _: Reply({"results": [], "paging": {"next": {"after": str(len(wire.requests))}}}),
    )
    with pytest.raises(CrmError, match="does not end"):
        list(hub.changes(Query("owners", ("email",)), since=None, after=None))
    assert len(wire.requests) < 150


def test_s11_associations_that_go_round_end_with_an_error_that_says_so(hub: HubSpotAdapter, wire: Wire) -> None:
    def page(request: Any) -> Reply:
        asked = request.body["inputs"][0]
        following = "b" if asked.get("after") == "a" else "a"
        return Reply({"results": [{"from": {"id": "1"}, "to": [], "paging": {"next": {"after": following}}}]})

    wire.properties("tickets", "subject", "hs_lastmodifieddate", "hs_object_id")
    wire.answer("POST", "/crm/objects/2026-03/tickets/batch/read", {"results": [row("1", GOOD)]})
    wire.handle("POST", "/crm/associations/2026-03/tickets/companies/batch/read", page)
    with pytest.raises(CrmError, match="goes round"):
        hub.fetch("tickets", ["1"], ["associations.companies"])


NOTES = "/crm/associations/2026-03/companies/notes/batch/read"
HIDDEN = {"category": "OBJECT_NOT_FOUND", "message": "no such company", "context": {"id": ["1"]}}


@pytest.mark.parametrize("found", [{"results": [], "errors": [HIDDEN]}, {"results": [], "errors": [{"message": "?"}]}])
def test_a_record_whose_notes_cannot_be_read_keeps_no_other_from_its_note(
    hub: HubSpotAdapter, wire: Wire, found: dict[str, Any]
) -> None:
    wire.answer("POST", NOTES, found)
    assert hub.notes is not None
    with pytest.raises(RecordRejected, match="could not be read") as caught:
        hub.notes.put(NOTE)
    assert not caught.value.permanent


NO_LIST: tuple[Any, ...] = ({}, {"results": None}, {"results": {}}, {"results": [None], "total": 1})
READINGS: dict[str, tuple[str, str]] = {
    "changes": ("POST", "/crm/objects/2026-03/companies/search"),
    "fetch": ("POST", "/crm/objects/2026-03/companies/batch/read"),
    "find": ("POST", "/crm/objects/2026-03/companies/search"),
    "note": ("POST", NOTES),
    "describe": ("GET", "/crm/properties/2026-03/companies"),
    "unrelatable": ("GET", "/crm/associations/2026-03/tasks/p_visits/labels"),
    "plan_setup": ("GET", "/crm/properties/2026-03/companies/groups"),
    "owners": ("GET", "/crm/owners/2026-03"),
}


@pytest.mark.parametrize("call", READINGS)
@pytest.mark.parametrize("answer", NO_LIST)
def test_an_answer_that_lists_nothing_is_no_evidence_that_nothing_is_there(
    hub: HubSpotAdapter, wire: Wire, call: str, answer: dict[str, Any]
) -> None:
    if call != "describe":
        wire.properties("companies", "name", "hs_lastmodifieddate", "hs_object_id")
    wire.answer(*READINGS[call], answer)
    with pytest.raises(Unavailable, match="not data"):
        CALLS[call](hub)
