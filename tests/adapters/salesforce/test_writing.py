"""Each write has one result, in its place, and none is done twice."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import requests

from adapters.salesforce.crm_adapter import SalesforceAdapter
from connector.errors import (
    BadOption,
    Bug,
    Conflict,
    CrmError,
    Gone,
    Locked,
    NotPermitted,
    QuotaSpent,
    RecordRejected,
    RuleRefused,
    SchemaChanged,
    TooLong,
    Unavailable,
)
from connector.ports import Write
from tests.adapters.salesforce.conftest import SteppingClock, Wire

ONE = "001000000000001AAA"
TWO = "001000000000002AAA"
MANY = "composite/sobjects"


def update(record: str = ONE, **fields: object) -> Write:
    return Write(f"account {record}", "Account", fields or {"Mood__c": "Happy"}, id=record)


def updates(*moods: object) -> list[Write]:
    return [update(f"00100000000{n:04}AAA", Mood__c=mood) for n, mood in enumerate(moods)]


def done(record: str = ONE, **more: object) -> dict[str, Any]:
    return {"id": record, "success": True, "errors": []} | more


def refused(code: str, message: str = "no", *fields: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}


def test_f27_a_refused_row_does_not_hide_among_the_good_ones(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [done(), refused("STRING_TOO_LONG", "Mood: data value too large", "Mood__c")])
    good, bad = crm.write([update(), update(TWO)])
    assert (good.outcome, good.id, good.error) == ("updated", ONE, None)
    assert (bad.outcome, bad.write.id) == ("refused", TWO)
    assert isinstance(bad.error, TooLong)
    assert bad.error.fields == ("Mood__c",)
    assert wire.bodies(MANY)[0]["allOrNone"] is False


def test_f28_a_keyed_record_is_upserted_with_its_key_in_the_body(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", f"{MANY}/Task/Key__c", [done("00T000000000001AAA", created=True), done(created=False)])
    keyed = [Write(key, "Task", {"Subject": "Call"}, external=("Key__c", key)) for key in ("a-1", "a-2")]
    assert [result.outcome for result in crm.write(keyed)] == ["created", "updated"]
    assert wire.bodies("Key__c")[0]["records"][0] == {
        "attributes": {"type": "Task"},
        "Subject": "Call",
        "Key__c": "a-1",
    }


def test_a_record_that_an_upsert_answers_without_its_id_is_found_by_its_key(crm: SalesforceAdapter, wire: Wire) -> None:
    nameless = {"success": True, "errors": [], "created": False}
    wire.answer("PATCH", f"{MANY}/Task/Key__c", [nameless, done("00T000000000001AAA", created=True), nameless])
    wire.rows({"Id": "00T000000000002AAA", "Key__c": "A-1"}, resource="query")
    keyed = [Write(key, "Task", {"Subject": "Call"}, external=("Key__c", key)) for key in ("a-1", "a-2", "a-3")]
    results = crm.write(keyed)
    assert [result.id for result in results] == ["00T000000000002AAA", "00T000000000001AAA", None]
    assert [result.outcome for result in results] == ["updated", "created", "updated"]
    assert "Key__c IN ('a-1', 'a-3')" in wire.queries[-1]


def test_f28_a_lost_answer_is_not_sent_again(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.answer("POST", MANY, requests.ReadTimeout("read timed out"))
    with pytest.raises(Unavailable) as caught:
        crm.write([Write("t", "Task", {"Subject": "Call"})])
    assert caught.value.not_sent is False
    assert clock.naps == []


def test_what_was_certainly_not_sent_is_sent_again(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.answer("POST", MANY, requests.ConnectTimeout("no route"))
    wire.answer("POST", MANY, [done("00T000000000001AAA")])
    (result,) = crm.write([Write("t", "Task", {"Subject": "Call"})])
    assert result.outcome == "created"
    assert len(clock.naps) == 1


def test_results_keep_the_order_of_mixed_writes(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("POST", MANY, [done("00T000000000001AAA")])
    wire.answer("PATCH", MANY, [done(ONE)])
    created, updated = crm.write([Write("t", "Account", {"Name": "x"}), update()])
    assert (created.outcome, created.write.key) == ("created", "t")
    assert (updated.outcome, updated.write.id) == ("updated", ONE)


def test_what_one_request_did_is_told_though_the_next_was_lost(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [done(ONE)])
    wire.answer("POST", MANY, requests.ReadTimeout("read timed out"))
    updated, lost = crm.write([update(), Write("t", "Account", {"Name": "x"})])
    assert updated.outcome == "updated"
    assert isinstance(lost.error, Unavailable)
    assert not lost.error.not_sent


def test_f32_an_unknown_column_costs_only_the_rows_that_have_it(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("PATCH", MANY, "INVALID_FIELD", "No such column 'Gone__c' on sobject of type Account")
    wire.answer("PATCH", MANY, [done(ONE)])
    good, bad = crm.write([update(), update(TWO, Gone__c="x")])
    assert good.outcome == "updated"
    assert isinstance(bad.error, SchemaChanged)
    assert bad.error.field == "Gone__c"


def test_f32_a_wrong_type_is_searched_by_halves_until_it_is_alone(crm: SalesforceAdapter, wire: Wire) -> None:
    said = "Cannot deserialize instance of double from VALUE_STRING value x"
    wire.refuse("PATCH", MANY, "JSON_PARSER_ERROR", said)
    wire.answer("PATCH", MANY, [done(), done()])
    wire.refuse("PATCH", MANY, "JSON_PARSER_ERROR", said)
    wire.refuse("PATCH", MANY, "JSON_PARSER_ERROR", said)
    wire.answer("PATCH", MANY, [done()])
    results = crm.write(updates(1, 2, "x", 4))
    assert [result.outcome for result in results] == ["updated", "updated", "refused", "updated"]
    assert isinstance(results[2].error, RecordRejected)
    assert results[2].error.code == "JSON_PARSER_ERROR"


def test_f32_a_search_for_bad_records_ends_and_the_rest_waits_for_the_next_lap(
    crm: SalesforceAdapter, wire: Wire
) -> None:
    for _ in range(50):
        wire.refuse("PATCH", MANY, "JSON_PARSER_ERROR", "Cannot deserialize instance of double")
    results = crm.write(updates(*range(200)))
    waiting = [result.error for result in results if isinstance(result.error, Unavailable)]
    assert [result.outcome for result in results] == ["refused"] * 200
    assert 0 < len(waiting) < 200  # those that were found are set aside, so the next search is shorter
    assert all(error.not_sent for error in waiting)


@pytest.mark.parametrize("writes", [[update(), update()], [update(), update(ONE[:15])]])
def test_f32_the_same_record_twice_is_our_own_fault(crm: SalesforceAdapter, writes: list[Write]) -> None:
    with pytest.raises(Bug):
        crm.write(writes)


def test_the_same_key_twice_is_our_own_fault(crm: SalesforceAdapter) -> None:
    with pytest.raises(Bug, match="external key"):
        crm.write([Write(name, "Task", {}, external=("Key__c", "k")) for name in ("a", "b")])


def test_f34_a_held_row_is_sent_again_alone(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.answer("PATCH", MANY, [refused("UNABLE_TO_LOCK_ROW"), done(TWO)])
    wire.answer("PATCH", MANY, [done(ONE)])
    results = crm.write([update(), update(TWO)])
    assert [result.outcome for result in results] == ["updated", "updated"]
    assert [record["id"] for record in wire.bodies(MANY)[1]["records"]] == [ONE]
    assert len(clock.naps) == 1


def test_f34_a_row_that_stays_held_is_locked(crm: SalesforceAdapter, wire: Wire) -> None:
    for _ in range(3):
        wire.answer("PATCH", MANY, [refused("UNABLE_TO_LOCK_ROW")])
    (result,) = crm.write([update()])
    assert isinstance(result.error, Locked)
    assert result.error.permanent is False


def test_f34_a_row_that_is_held_inside_a_trigger_is_sent_again(crm: SalesforceAdapter, wire: Wire) -> None:
    said = "Sum: execution of AfterUpdate caused by: System.DmlException: first error: UNABLE_TO_LOCK_ROW, unable to obtain"
    wire.answer("PATCH", MANY, [refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", said)])
    wire.answer("PATCH", MANY, [done(ONE)])
    (result,) = crm.write([update()])
    assert result.outcome == "updated"


def test_f34_a_call_that_is_held_as_a_whole_is_sent_again(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("PATCH", MANY, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
    wire.answer("PATCH", MANY, [done(ONE)])
    (result,) = crm.write([update()])
    assert result.outcome == "updated"


@pytest.mark.parametrize(
    "code", ["UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE", "STORAGE_LIMIT_EXCEEDED", "ENTITY_IS_LOCKED", "QUERY_TIMEOUT"]
)
def test_f33_a_refusal_that_does_not_judge_the_record_is_not_for_good(
    crm: SalesforceAdapter, wire: Wire, code: str
) -> None:
    wire.answer("PATCH", MANY, [refused(code, "An unexpected error occurred")])
    (result,) = crm.write([update()])
    assert result.outcome == "refused"
    assert result.error is not None
    assert result.error.permanent is False


TOO_MUCH = refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Sum: System.LimitException: Apex CPU time limit exceeded")


def test_f32_what_a_trigger_cannot_do_for_many_records_is_asked_of_it_for_fewer(
    crm: SalesforceAdapter, wire: Wire
) -> None:
    wire.answer("PATCH", MANY, [TOO_MUCH] * 4)
    wire.answer("PATCH", MANY, [done(), done()])
    wire.answer("PATCH", MANY, [TOO_MUCH] * 2)
    wire.answer("PATCH", MANY, [TOO_MUCH])
    wire.answer("PATCH", MANY, [done()])
    results = crm.write(updates(1, 2, 3, 4))
    assert [result.outcome for result in results] == ["updated", "updated", "refused", "updated"]
    assert isinstance(results[2].error, RuleRefused)
    assert results[2].error.permanent  # it failed for this record alone
    assert [len(body["records"]) for body in wire.bodies(MANY)] == [4, 2, 2, 1, 1]


def test_f32_a_trigger_that_can_do_it_for_nobody_costs_few_calls(crm: SalesforceAdapter, wire: Wire) -> None:
    for size in (200, 100, 50, 25, 12, 6, 3, 1):
        wire.answer("PATCH", MANY, [TOO_MUCH] * size)
    results = crm.write(updates(*range(200)))
    assert all(isinstance(result.error, RuleRefused) for result in results)


def test_f19_a_merged_record_names_its_survivor(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [refused("ENTITY_IS_DELETED", "entity is deleted")])
    wire.rows({"Id": ONE, "MasterRecordId": TWO})
    (result,) = crm.write([update()])
    assert isinstance(result.error, Gone)
    assert result.error.merged_into == TWO


def test_f27_results_are_told_though_the_survivor_cannot_be_found(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [done(), refused("ENTITY_IS_DELETED", "entity is deleted")])
    wire.refuse("GET", "queryAll", "INSUFFICIENT_ACCESS", "no", status=403)
    good, gone = crm.write([update(), update(TWO)])
    assert good.outcome == "updated"
    assert isinstance(gone.error, Gone)


def test_an_object_that_is_not_there_is_not_searched_for_by_halves(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("PATCH", MANY, "INVALID_TYPE", "sObject type 'Account' is not supported.")
    assert all(isinstance(result.error, SchemaChanged) for result in crm.write(updates(1, 2, 3)))


def test_a_lookup_that_finds_nothing_is_searched_for_by_halves(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("PATCH", MANY, "INVALID_FIELD", "Foreign key external ID: k not found for field Ext__c in entity Task")
    wire.refuse("PATCH", MANY, "INVALID_FIELD", "Foreign key external ID: k not found for field Ext__c in entity Task")
    wire.answer("PATCH", MANY, [done()])
    assert [result.outcome for result in crm.write(updates(1, 2))] == ["refused", "updated"]


def test_a_record_that_points_to_a_deleted_one_is_not_gone_itself(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [refused("ENTITY_IS_DELETED", "entity is deleted", "OwnerId")])
    (result,) = crm.write([update()])
    assert type(result.error) is RecordRejected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", BadOption),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", RuleRefused),
        ("DUPLICATES_DETECTED", RuleRefused),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", NotPermitted),
        ("REQUIRED_FIELD_MISSING", RecordRejected),
        ("A_CODE_OF_NEXT_YEAR", RecordRejected),
    ],
)
def test_a_refusal_is_named(crm: SalesforceAdapter, wire: Wire, code: str, kind: type[CrmError]) -> None:
    wire.answer("PATCH", MANY, [refused(code, "the org's own words")])
    (result,) = crm.write([update()])
    assert type(result.error) is kind
    assert "the org's own words" in str(result.error)
    assert result.error.where.startswith("acme: write Account")


def test_f55_a_conflict_names_the_holder_by_its_long_id(crm: SalesforceAdapter, wire: Wire) -> None:
    said = "duplicate value found: Key__c duplicates value on record with id: 0018M000003uKqq"
    wire.answer("PATCH", MANY, [refused("DUPLICATE_VALUE", said)])
    (result,) = crm.write([update()])
    assert isinstance(result.error, Conflict)
    assert result.error.existing_id == "0018M000003uKqqQAE"


def test_a_quota_that_is_spent_ends_the_call(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("PATCH", MANY, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
    with pytest.raises(QuotaSpent):
        crm.write([update()])


def test_an_answer_with_too_few_results_is_no_answer(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [done()])
    with pytest.raises(Unavailable, match="1 results came back for 2 records"):
        crm.write([update(), update(TWO)])


def test_more_than_a_batch_is_our_own_fault(crm: SalesforceAdapter) -> None:
    with pytest.raises(Bug, match="201 writes"):
        crm.write(updates(*range(201)))


def test_values_go_in_salesforces_own_forms(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("PATCH", MANY, [done()])
    when = datetime(2026, 11, 20, 14, 30, 0, 5000, tzinfo=timezone(timedelta(hours=2)))
    values: dict[str, Any] = {
        "At__c": when,
        "On__c": date(2026, 11, 20),
        "N__c": Decimal("7"),
        "Off__c": None,
        "T__c": "\ud800 ä😀",
    }
    crm.write([update(**values)])
    sent = wire.bodies(MANY)[0]["records"][0]
    assert {name: sent[name] for name in values} == {
        "At__c": "2026-11-20T12:30:00.005Z",
        "On__c": "2026-11-20",
        "N__c": 7,
        "Off__c": None,
        "T__c": "? ä😀",
    }


def test_what_is_no_number_is_our_own_fault(crm: SalesforceAdapter) -> None:
    with pytest.raises(Bug):
        crm.write([update(N__c=float("nan"))])


def test_writing_nothing_calls_nobody(crm: SalesforceAdapter) -> None:
    assert crm.write([]) == []
    assert crm.usage().calls == 0
