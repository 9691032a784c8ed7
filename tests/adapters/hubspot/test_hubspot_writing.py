"""Writing: each record once, with a fate of its own, whatever the answer looks like."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError
from written_hubspot import Reply, Request, SteppingClock, Wire, definition, property_error, refusal

from adapters.hubspot.crm_adapter import HubSpotAdapter
from connector.errors import (
    BadOption,
    Bug,
    Conflict,
    Gone,
    Locked,
    NotPermitted,
    RecordRejected,
    SchemaChanged,
    TooLong,
    Unavailable,
)
from connector.model import Ref
from connector.ports import Write, WriteResult

UPDATE = "/crm/objects/2026-03/companies/batch/update"
UPSERT = "/crm/objects/2026-03/tasks/batch/upsert"
CREATE = "/crm/objects/2026-03/tasks/batch/create"
COMPANY, PERSON = Ref("acme-hub", "companies", "900"), Ref("acme-hub", "contacts", "70")


def change(record_id: int | str, **fields: Any) -> Write:
    return Write(f"change {record_id}", "companies", fields, id=str(record_id))


def task(key: str, *related: Ref, **fields: Any) -> Write:
    return Write(key, "tasks", fields or {"hs_task_subject": "Call"}, external=("afterword_key", key), related=related)


def test_objects_without_an_association_are_named(hub: HubSpotAdapter, wire: Wire) -> None:
    path = "/crm/associations/2026-03/tasks/{}/labels"
    plain = {"category": "HUBSPOT_DEFINED", "typeId": 9, "label": None}
    wire.handle("GET", path.format("p_visits"), lambda _: Reply({"results": [plain]}))
    wire.handle("GET", path.format("p_rooms"), lambda _: Reply({"results": []}))
    wire.handle("GET", path.format("p_gone"), lambda _: Reply(refusal("VALIDATION_ERROR", "no such pair"), 400))
    wire.handle("GET", path.format("p_secret"), lambda _: Reply(refusal("MISSING_SCOPES", "no"), 403))
    others = ["tickets", "deals", "p_visits", "p_rooms", "p_gone", "p_secret"]
    assert hub.unrelatable("tasks", others) == ["p_rooms", "p_gone"]
    hub.unrelatable("tasks", ["p_visits"])
    assert len(wire.sent("GET", path.format("p_visits"))) == 1


def outcomes(results: list[WriteResult]) -> list[str]:
    return [result.outcome for result in results]


def accepting(request: Request) -> Reply:
    """Accept everything, in another order than it was sent."""
    return Reply({"status": "COMPLETE", "results": [{"id": one["id"]} for one in reversed(request.body["inputs"])]})


def test_values_are_sent_as_text_and_none_clears(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.handle("POST", UPDATE, accepting)
    moment = datetime(2026, 11, 12, 13, 5, 59, 250_000, tzinfo=UTC)
    values = {
        "a": None,
        "b": True,
        "c": 0,
        "d": 7.5,
        "e": 1e-7,
        "f": moment,
        "g": date(2026, 11, 12),
        "h": "x",
        "i": 10.0,
    }
    (result,) = hub.write([change(1, **values)])
    assert (result.outcome, result.id) == ("updated", "1")
    (sent,) = wire.sent("POST", UPDATE)[0].body["inputs"]
    assert sent["properties"] == {
        "a": "",
        "b": "true",
        "c": "0",
        "d": "7.5",
        "e": "0.0000001",
        "f": "2026-11-12T13:05:59.250Z",
        "g": "2026-11-12",
        "h": "x",
        "i": "10",
    }


def test_results_come_in_the_order_of_the_writes(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.handle("POST", UPDATE, accepting)
    results = hub.write([change(number, name="x") for number in range(100)])
    assert [result.id for result in results] == [str(number) for number in range(100)]


def test_a_bad_record_is_found_among_many_though_the_whole_call_was_refused(hub: HubSpotAdapter, wire: Wire) -> None:
    def check(request: Request) -> Reply:
        if any(one["properties"]["mood"] == "Blue" for one in request.body["inputs"]):
            said = "Blue was not one of the allowed options: [Happy, Unhappy]"
            return Reply(property_error("INVALID_OPTION", said, "mood"), 400)
        return accepting(request)

    wire.handle("POST", UPDATE, check)
    results = hub.write([change(number, mood="Blue" if number in (13, 77) else "Happy") for number in range(100)])
    assert [number for number, result in enumerate(results) if result.outcome == "refused"] == [13, 77]
    assert isinstance(results[13].error, BadOption)
    assert results[13].error.code == "INVALID_OPTION"
    assert results[13].error.fields == ("mood",)
    assert "Happy, Unhappy" in str(results[13].error)


def test_a_search_for_bad_records_ends_and_the_rest_waits_for_the_next_lap(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.handle("POST", UPDATE, lambda _: Reply(property_error("INVALID_OPTION", "no", "mood"), 400))
    results = hub.write([change(number, mood="Blue") for number in range(100)])
    assert len(wire.sent("POST", UPDATE)) == 50
    waiting = [result.error for result in results if isinstance(result.error, Unavailable)]
    assert outcomes(results) == ["refused"] * 100
    assert 0 < len(waiting) < 100
    assert all(error.not_sent for error in waiting)


def test_an_unknown_property_is_found_without_a_search(hub: HubSpotAdapter, wire: Wire) -> None:
    def check(request: Request) -> Reply:
        if any("nmae" in one["properties"] for one in request.body["inputs"]):
            return Reply(property_error("PROPERTY_DOESNT_EXIST", 'Property "nmae" does not exist', "nmae"), 400)
        return accepting(request)

    wire.handle("POST", UPDATE, check)
    results = hub.write([change(1, name="x"), change(2, nmae="x"), change(3, name="x")])
    assert outcomes(results) == ["updated", "refused", "updated"]
    assert isinstance(results[1].error, SchemaChanged)
    assert results[1].error.field == "nmae"
    assert len(wire.sent("POST", UPDATE)) == 2


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("INVALID_OPTION", "x was not one of the allowed options: [y]", BadOption),
        ("VALUE_TOO_LONG", "note is too long", TooLong),
        ("INVALID_INTEGER", "many was not a valid integer.", RecordRejected),
    ],
)
def test_refusals_by_their_codes(
    hub: HubSpotAdapter, wire: Wire, code: str, said: str, kind: type[RecordRejected]
) -> None:
    wire.answer("POST", UPDATE, property_error(code, said, "note"), status=400)
    (result,) = hub.write([change(1, note="x")])
    assert type(result.error) is kind
    assert said in result.error.what


def test_an_error_inside_a_message_is_found_too(hub: HubSpotAdapter, wire: Wire) -> None:
    body = property_error("INVALID_OPTION", "x was not one of the allowed options: [y]", "mood")
    del body["errors"]
    wire.answer("POST", UPDATE, body, status=400)
    (result,) = hub.write([change(1, mood="x")])
    assert isinstance(result.error, BadOption)
    assert result.error.fields == ("mood",)


def test_success_that_is_none_is_seen(hub: HubSpotAdapter, wire: Wire) -> None:
    """A 207 says COMPLETE; only its errors tell."""
    error = refusal("gone", "OBJECT_NOT_FOUND", context={"ids": ["2"]})
    wire.answer("POST", UPDATE, {"status": "COMPLETE", "results": [{"id": "1"}], "errors": [error]}, status=207)
    wire.answer(
        "GET", "/crm/objects/2026-03/companies/2", refusal("resource not found", "OBJECT_NOT_FOUND"), status=404
    )
    results = hub.write([change(1, name="x"), change(2, name="x")])
    assert outcomes(results) == ["updated", "refused"]
    assert isinstance(results[1].error, Gone)
    assert results[1].error.merged_into is None


def test_a_record_passed_over_in_silence_was_merged(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("POST", UPDATE, {"status": "COMPLETE", "results": [{"id": "1"}]})
    wire.answer("GET", "/crm/objects/2026-03/companies/2", {"id": "55", "properties": {}})
    results = hub.write([change(1, name="x"), change(2, name="x")])
    assert isinstance(results[1].error, Gone)
    assert results[1].error.merged_into == "55"


def test_a_record_passed_over_in_silence_though_it_lives_is_tried_again(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("POST", UPDATE, {"status": "COMPLETE", "results": []})
    wire.answer("GET", "/crm/objects/2026-03/companies/2", {"id": "2", "properties": {}, "archived": False})
    (result,) = hub.write([change(2, name="x")])
    assert isinstance(result.error, Unavailable)
    assert not result.error.permanent


def test_a_lock_is_waited_for_and_then_passes(hub: HubSpotAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.answer("POST", UPDATE, refusal("The object is locked.", "LOCKED"), status=423)
    (result,) = hub.write([change(1, name="x")])
    assert isinstance(result.error, Locked)
    assert not result.error.permanent
    assert all(2.0 <= nap <= 3.0 for nap in clock.naps)
    assert len(set(clock.naps)) == 2  # never in step with others who wait for the same lock


def test_a_lost_answer_is_not_sent_again(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.fail("POST", UPDATE, ProtocolError("Connection aborted."))
    with pytest.raises(Unavailable) as caught:
        hub.write([change(1, name="x")])
    assert not caught.value.not_sent
    assert len(wire.requests) == 1


def test_what_is_known_is_not_lost_with_a_later_failure(hub: HubSpotAdapter, wire: Wire) -> None:
    answers = iter([Reply(refusal("x"), 400), Reply({"results": [{"id": "1"}]}), Reply("<html>", 502)])
    wire.handle("POST", UPDATE, lambda _: next(answers))
    results = hub.write([change(1, name="x"), change(2, name="x")])
    assert outcomes(results) == ["updated", "refused"]
    assert isinstance(results[1].error, Unavailable)


def test_mistakes_of_the_caller(hub: HubSpotAdapter, wire: Wire) -> None:
    for writes in (
        [change(1, a=1), change(1, b=1)],
        [task("k"), task("k")],
        [change(number, a=1) for number in range(101)],
        [change(1, a=1), task("k")],
        [change(1, a=datetime(2026, 1, 1))],  # noqa: DTZ001  (a time without a zone is what must not be written)
        [change(1, a=float("nan"))],
    ):
        with pytest.raises(Bug):
            hub.write(writes)
    assert hub.write([]) == []
    assert wire.requests == []


def test_half_a_character_keeps_nothing_from_being_written(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.handle("POST", UPDATE, accepting)
    assert outcomes(hub.write([change(1, name="cut \ud83d")])) == ["updated"]
    assert wire.requests[0].body["inputs"][0]["properties"]["name"] == "cut ?"


# ── once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def keyed(wire: Wire) -> Wire:
    """Let tasks have a unique key."""
    rows = [definition("hs_task_subject"), definition("afterword_key", hasUniqueValue=True)]
    wire.answer("GET", "/crm/properties/2026-03/tasks", {"results": rows})
    for end in ("companies", "contacts"):
        wire.answer("POST", f"/crm/associations/2026-03/tasks/{end}/batch/associate/default", {"status": "COMPLETE"})
    return wire


@pytest.fixture
def unkeyed(wire: Wire) -> Wire:
    """Let tasks have a key that HubSpot does not hold to be unique."""
    wire.properties("tasks", "hs_task_subject", "afterword_key")
    return wire


def test_a_unique_key_makes_one_record_with_its_associations(hub: HubSpotAdapter, keyed: Wire) -> None:
    rows = [{"id": "8", "new": False, "objectWriteTraceId": "1"}, {"id": "7", "new": True, "objectWriteTraceId": "0"}]
    keyed.answer("POST", UPSERT, {"results": rows})
    results = hub.write([task("k-1", COMPANY, PERSON), task("k-2", COMPANY)])
    assert [(result.outcome, result.id) for result in results] == [("created", "7"), ("updated", "8")]
    sent = keyed.sent("POST", UPSERT)[0].body["inputs"][0]
    assert (sent["idProperty"], sent["id"]) == ("afterword_key", "k-1")
    assert sent["properties"] == {"hs_task_subject": "Call", "afterword_key": "k-1"}
    (companies,) = keyed.sent("POST", "/crm/associations/2026-03/tasks/companies/batch/associate/default")
    assert companies.body["inputs"] == [
        {"from": {"id": "7"}, "to": {"id": "900"}},
        {"from": {"id": "8"}, "to": {"id": "900"}},
    ]


def test_a_result_without_a_trace_is_known_by_its_key(hub: HubSpotAdapter, keyed: Wire) -> None:
    rows = [{"id": str(n), "new": True, "properties": {"afterword_key": f"k-{n}"}} for n in (2, 1)]
    keyed.answer("POST", UPSERT, {"results": rows})
    assert [result.id for result in hub.write([task("k-1"), task("k-2")])] == ["1", "2"]


def test_a_task_whose_associations_failed_is_taken_up_again(hub: HubSpotAdapter, keyed: Wire) -> None:
    keyed.answer("POST", UPSERT, {"results": [{"id": "7", "new": True, "objectWriteTraceId": "0"}]})
    path = "/crm/associations/2026-03/tasks/companies/batch/associate/default"
    keyed.queues["POST", path] = [Reply("<html>", 503)]
    (result,) = hub.write([task("k-1", COMPANY)])
    assert (result.outcome, result.id) == ("refused", "7")
    assert isinstance(result.error, Unavailable)


def test_an_association_that_was_refused_among_others_is_taken_up_again(hub: HubSpotAdapter, keyed: Wire) -> None:
    rows = [{"id": one, "new": True, "objectWriteTraceId": trace} for one, trace in (("7", "0"), ("8", "1"))]
    keyed.answer("POST", UPSERT, {"results": rows})
    row = refusal("70 is not a valid ID", subCategory="crm.associations.INVALID_IDENTIFIER", context={"id": ["70"]})
    made = {"from": {"id": "8"}, "to": {"id": "71"}, "associationSpec": {"associationTypeId": 204}}
    path = "/crm/associations/2026-03/tasks/contacts/batch/associate/default"
    keyed.queues["POST", path] = [Reply({"status": "COMPLETE", "results": [made], "errors": [row], "numErrors": 1})]
    other = Ref("acme-hub", "contacts", "71")
    first, second = hub.write([task("k-1", COMPANY, PERSON), task("k-2", other)])
    assert (first.outcome, first.id, second.outcome) == ("refused", "7", "created")
    assert "70 is not a valid ID" in str(first.error)


def test_without_a_unique_key_a_task_is_created_with_its_associations(hub: HubSpotAdapter, unkeyed: Wire) -> None:
    unkeyed.answer("POST", "/crm/associations/2026-03/companies/tasks/batch/read", {"results": []}, status=207)
    unkeyed.answer("POST", CREATE, {"results": [{"id": "7", "objectWriteTraceId": "0"}]}, status=201)
    (result,) = hub.write([task("k-1", COMPANY, PERSON)])
    assert (result.outcome, result.id) == ("created", "7")
    (sent,) = unkeyed.sent("POST", CREATE)[0].body["inputs"]
    kinds = [(one["to"]["id"], one["types"][0]["associationTypeId"]) for one in sent["associations"]]
    assert kinds == [("900", 192), ("70", 204)]


def test_a_task_that_was_made_before_is_found_through_its_company(hub: HubSpotAdapter, unkeyed: Wire) -> None:
    """As after a lost answer: a search would not show it yet."""
    ends = [{"toObjectId": one, "associationTypes": []} for one in (5, 7)]
    answer = {"results": [{"from": {"id": "900"}, "to": ends}]}
    unkeyed.answer("POST", "/crm/associations/2026-03/companies/tasks/batch/read", answer)
    rows = [{"id": "5", "properties": {"afterword_key": None}}, {"id": "7", "properties": {"afterword_key": "k-1"}}]
    unkeyed.answer("POST", "/crm/objects/2026-03/tasks/batch/read", {"results": rows})
    unkeyed.handle("POST", "/crm/objects/2026-03/tasks/batch/update", accepting)
    unkeyed.answer("POST", CREATE, {"results": [{"id": "8", "objectWriteTraceId": "0"}]}, status=201)
    results = hub.write([task("k-1", COMPANY), task("k-2", COMPANY)])
    assert [(result.outcome, result.id) for result in results] == [("updated", "7"), ("created", "8")]


def test_a_task_that_may_have_been_made_before_is_not_made_again(hub: HubSpotAdapter, unkeyed: Wire) -> None:
    row = refusal("Something went wrong.", "INTERNAL_ERROR", context={"fromObjectId": ["900"]})
    path = "/crm/associations/2026-03/companies/tasks/batch/read"
    unkeyed.answer("POST", path, {"results": [], "errors": [row], "numErrors": 1}, status=207)
    unkeyed.answer("POST", CREATE, {"results": [{"id": "8", "objectWriteTraceId": "0"}]}, status=201)
    results = hub.write([task("k-1", COMPANY), task("k-2", Ref("acme-hub", "companies", "901"))])
    assert outcomes(results) == ["refused", "created"]
    assert isinstance(results[0].error, Unavailable)
    ((sent,),) = [one.body["inputs"] for one in unkeyed.sent("POST", CREATE)]
    assert sent["properties"]["afterword_key"] == "k-2"


def test_text_keeps_its_lines_where_hubspot_shows_html(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = [definition("hs_task_body", fieldType="html"), definition("hs_task_subject"), definition("afterword_key")]
    wire.answer("GET", "/crm/properties/2026-03/tasks", {"results": rows})
    wire.answer("POST", "/crm/objects/2026-03/tasks/search", {"total": 0, "results": []})
    wire.answer("POST", CREATE, {"results": [{"id": "8", "objectWriteTraceId": "0"}]}, status=201)
    said = 'She said: <5 & "slow".\nhttps://feedback.acme.example/f/1'
    hub.write([task("k-1", hs_task_body=said, hs_task_subject="a\nb")])
    (sent,) = wire.sent("POST", CREATE)[0].body["inputs"]
    assert sent["properties"] == {
        "hs_task_body": 'She said: &lt;5 &amp; "slow".<br>https://feedback.acme.example/f/1',
        "hs_task_subject": "a\nb",
        "afterword_key": "k-1",
    }


def test_refusals_of_creations_are_told_by_their_trace(hub: HubSpotAdapter, unkeyed: Wire) -> None:
    unkeyed.answer("POST", "/crm/objects/2026-03/tasks/search", {"total": 0, "results": []})
    said = "Error creating TASK. Some required properties were not set."
    context = {"objectWriteTraceId": ["0"], "properties": ["hs_timestamp"]}
    answer = {"results": [{"id": "8", "objectWriteTraceId": "1"}], "errors": [refusal(said, context=context)]}
    unkeyed.answer("POST", CREATE, answer, status=207)
    results = hub.write([task("k-1"), task("k-2")])
    assert outcomes(results) == ["refused", "created"]
    assert said in str(results[0].error)


def test_a_conflict_names_the_record_that_is_there(hub: HubSpotAdapter, wire: Wire) -> None:
    path = "/crm/objects/2026-03/contacts/batch/create"
    wire.answer("POST", path, refusal("Contact already exists. Existing ID: 3401", "CONFLICT"), status=409)
    (result,) = hub.write([Write("k", "contacts", {"email": "a@b.example"})])
    assert isinstance(result.error, Conflict)
    assert result.error.existing_id == "3401"


def test_a_missing_scope_stops_the_call(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("POST", UPDATE, refusal("Not granted.", "MISSING_SCOPES"), status=403)
    with pytest.raises(NotPermitted):
        hub.write([change(1, name="x"), change(2, name="x")])


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ('She said: &lt;5 &amp; "slow".<br>https://feedback.acme.example/f/1', None),
        ('<div style="" dir="auto"><p style="margin:0;">She said: &lt;5 &amp; &quot;slow&quot;.</p>'
         "<p>https://feedback.acme.example/f/1</p></div>", "\n\n"),
    ],
)  # fmt: skip
def test_text_that_hubspot_keeps_as_html_is_read_as_text(
    hub: HubSpotAdapter, wire: Wire, kept: str, read: str | None
) -> None:
    rows = [definition("hs_task_body", fieldType="html"), definition("hs_lastmodifieddate", type="datetime")]
    wire.answer("GET", "/crm/properties/2026-03/tasks", {"results": rows})
    row = {"id": "8", "properties": {"hs_task_body": kept, "hs_lastmodifieddate": "2026-11-16T08:00:00Z"}}
    wire.answer("POST", "/crm/objects/2026-03/tasks/batch/read", {"results": [row]})
    found = hub.fetch("tasks", ["8"], ["hs_task_body"])["8"].fields["hs_task_body"]
    assert found == 'She said: <5 & "slow".\nhttps://feedback.acme.example/f/1' + (read or "")
