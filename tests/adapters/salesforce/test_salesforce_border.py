"""Whatever comes in at the border to Salesforce: what goes out of it is an error of ours, and a record's fault stays the record's."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from connected import connected, wrong_keys
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.salesforce import adapter
from adapters.salesforce.crm_adapter import SalesforceAdapter
from adapters.salesforce.errors import failure
from adapters.salesforce.http.meter import SalesforceMeter
from connector.errors import AfterwordError, CrmError, Unavailable
from connector.ports import FieldSpec, Query, Write
from tests.adapters.border import DEEP, FOREIGN, break_off, shaped
from tests.adapters.salesforce.conftest import HOST, HTTP_NOON, NOON, Connect, SteppingClock, Wire

ID, OTHER_ID = "001000000000001AAA", "001000000000002AAA"
SPEC = FieldSpec("Account", "Afterword_Mood__c", "Mood", "text")
CALLS: dict[str, Callable[[SalesforceAdapter], Any]] = {
    "org": lambda crm: crm.org(),
    "describe": lambda crm: crm.describe("Account"),
    "changes": lambda crm: list(crm.changes(Query("Account", ("Name",)), since=None, after=None)),
    "count": lambda crm: crm.count(Query("Account", ("Name",))),
    "fetch": lambda crm: crm.fetch("Account", [ID], ["Name"]),
    "newest": lambda crm: crm.newest("Account", ["Name"], 5),
    "find": lambda crm: crm.find("Account", "Key__c", "1", ["Name"]),
    "delete": lambda crm: crm.delete("Account", ID),
    "write": lambda crm: crm.write([Write("w", "Account", {"Name": "n"}, id=ID)]),
    "bulk": lambda crm: crm.bulk and crm.bulk.write([Write("w", "Account", {"Name": "n"}, id=ID)], lambda: False),
    "rights": lambda crm: crm.missing_rights({"Account": frozenset({"read"})}),
    "plan_setup": lambda crm: crm.plan_setup([SPEC]),
    "limits": lambda crm: crm.field_limits(["Account"]),
    "unseen": lambda crm: crm.unseen([SPEC]),
}
NAMES = ("records", "done", "totalSize", "nextRecordsUrl", "Id", "SystemModstamp", "Name", "fields", "name", "success")
SHAPED = shaped(*NAMES, "errors", "id")


def the_only_errors_are_ours(crm: SalesforceAdapter, call: str) -> None:
    try:
        CALLS[call](crm)
    except AfterwordError as error:
        assert isinstance(error, CrmError)
        assert error.where.startswith("acme: ")


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("call", CALLS)
def test_m2_no_call_lets_out_an_error_of_another_library(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, call: str, kind: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        break_off(kind)

    monkeypatch.setattr(requests.Session, "send", fail)
    the_only_errors_are_ours(connect(), call)


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("auth", ["client_credentials", "refresh_token"])
def test_m2_no_sign_in_lets_out_an_error_of_another_library(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, auth: str, kind: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        break_off(kind)

    monkeypatch.setattr(requests.Session, "send", fail)
    crm = connect(auth=auth, client_id="i", client_secret="s", refresh_token="r")
    with pytest.raises(Unavailable) as caught:
        crm.describe("Account")
    assert caught.value.not_sent


@pytest.mark.parametrize("secret", ["00Dx!sec\N{ZERO WIDTH SPACE}ret", "00Dx!sec\nret", "00Dx!\N{SOFT HYPHEN}secret"])
def test_m2_a_token_with_a_character_that_nobody_sees_is_named_before_it_is_sent(tmp_path: Path, secret: str) -> None:
    (problem,) = wrong_keys(tmp_path, "salesforce", {"url": HOST, "access_token": secret})
    assert problem.where == "config.toml: crm.acme.access_token"
    assert "U+" in problem.what
    assert "sec" not in problem.what


def test_m2_a_token_that_salesforce_gave_and_that_nobody_can_send_is_no_usable_answer(
    connect: Connect, wire: Wire
) -> None:
    for _ in range(4):
        wire.answer("POST", f"{HOST}/services/oauth2/token", {"access_token": "00D\u200b", "instance_url": HOST})
    crm = connect(auth="client_credentials", client_id="i", client_secret="s")
    with pytest.raises(Unavailable):
        crm.describe("Account")


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────

BODIES = {
    "deep": DEEP,
    "deep in a record": '{"done": true, "totalSize": 1, "records": [{"Id": ' + DEEP + "}]}",
    "no UTF-8": b'{"name": "\xff\xfe\xfa"}',
    "empty": "",
    "null": "null",
    "a number": "5",
    "a text": '"x"',
    "a list of nothing": "[null]",
    "rows that are none": '{"done": true, "totalSize": "x", "records": 7}',
    "rows of nothing": '{"done": true, "totalSize": 3, "records": [null, 1, []]}',
    "fields that are none": '{"name": 1, "fields": {"a": 1}}',
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [200, 400])
def test_s9_a_body_that_nobody_can_read_is_an_error_of_ours(call: str, body: str, status: int) -> None:
    with answered(BODIES[body], status=status) as crm:
        the_only_errors_are_ours(crm, call)


@settings(max_examples=60)
@given(data=SHAPED, call=st.sampled_from(sorted(CALLS)), status=st.sampled_from([200, 201, 300, 400, 404, 503]))
def test_s9_no_body_brings_out_an_error_of_another_library(data: Any, call: str, status: int) -> None:
    with answered(json.dumps(data), status=status) as crm:
        the_only_errors_are_ours(crm, call)


class answered:  # noqa: N801 - reads as a sentence
    """An org that gives the same answer to whatever it is asked."""

    def __init__(self, body: str | bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        sent = {"Date": HTTP_NOON, **(headers or {})}
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT"):
            self._mock.add(method, _anywhere(), body=body, status=status, headers=sent)

    def __enter__(self) -> SalesforceAdapter:
        self._mock.start()
        values = {"url": HOST, "auth": "token", "access_token": "00Dx!secret"}
        return connected(adapter, "acme", values, SteppingClock())

    def __exit__(self, *_: object) -> None:
        self._mock.stop()


def _anywhere() -> Any:
    return re.compile(r"https://acme\.my\.salesforce\.com/.*")


# ── parsers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    text=st.text(max_size=40)
    | st.sampled_from(["api-usage=²/²", f"api-usage={'9' * 5000}/{'9' * 5000}", "api-usage=0/0"])
)
def test_s9_every_limit_header_is_two_numbers_or_nothing(text: str) -> None:
    meter = SalesforceMeter(None)
    meter.learn(text)
    used = meter.usage()
    assert (used.used_today is None) == (used.allowed_today is None)


@given(content=SHAPED, status=st.integers(300, 599))
def test_s9_every_refusal_is_an_error_of_ours(content: Any, status: int) -> None:
    assert isinstance(failure(status, content, where="acme: x", now=NOON), CrmError)


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def row(record_id: str, stamp: Any, **fields: Any) -> dict[str, Any]:
    return {"Id": record_id, "SystemModstamp": stamp, "IsDeleted": False, "MasterRecordId": None, **fields}


@pytest.mark.parametrize(
    "stamp", ["9999-12-31T23:59:59.000-1400", "2026-99-99T00:00:00.000+0000", "", None, 7, "9" * 5000, ["x"]]
)
def test_s9_a_record_with_an_absurd_stamp_is_parked_and_the_others_are_read(
    crm: SalesforceAdapter, wire: Wire, stamp: Any
) -> None:
    good = "2026-11-20T11:00:00.000+0000"
    wire.rows(row(ID, good, Name="A"), row(OTHER_ID, stamp, Name="B"))
    (page,) = crm.changes(Query("Account", ("Name",)), since=NOON - timedelta(days=1), after=None)
    assert [(one.id, bool(one.fault)) for one in page.records] == [(ID, False), (OTHER_ID, True)]
    assert page.last is not None
    assert (page.last.modified, page.last.id) == (good, ID)


def test_s9_a_record_whose_lookup_is_no_record_is_parked(crm: SalesforceAdapter, wire: Wire) -> None:
    good = "2026-11-20T11:00:00.000+0000"
    wire.rows(row(ID, good, Owner={"Name": "O"}), row(OTHER_ID, good, Owner="text"))
    (page,) = crm.changes(Query("Account", ("Owner.Name",)), since=NOON - timedelta(days=1), after=None)
    assert [bool(one.fault) for one in page.records] == [False, True]


def test_s9_a_number_of_5000_digits_in_a_text_field_leaves_the_other_records_readable(
    crm: SalesforceAdapter, wire: Wire
) -> None:
    body = f"""{{"totalSize": 1, "done": true, "records": [{{"Id": "{ID}",
        "SystemModstamp": "2026-11-20T11:00:00.000+0000", "IsDeleted": false, "Name": {"7" * 5000}}}]}}"""
    wire.answer("GET", "queryAll", body)
    (page,) = crm.changes(Query("Account", ("Name",)), since=NOON - timedelta(days=1), after=None)
    assert page.records[0].fields["Name"] == "7" * 5000


# ── listings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("places", "said"), [(("a", "b"), "does not go on"), (None, "does not end")])
def test_s11_a_listing_without_end_ends_with_an_error_that_says_so(
    connect: Connect, places: tuple[str, ...] | None, said: str
) -> None:
    asked: list[str] = []

    def page(request: Any) -> tuple[int, dict[str, str], str]:
        asked.append(request.url)
        count = len(asked)
        following = f"/services/data/v64.0/query/{places[count % 2] if places else count}"
        return 200, {}, json.dumps({"totalSize": 0, "done": False, "records": [], "nextRecordsUrl": following})

    with responses.RequestsMock() as mock:
        mock.add_callback("GET", _anywhere(), page)
        with pytest.raises(CrmError, match=said):
            list(connect().changes(Query("Account", ("Name",)), since=None, after=None))
    assert len(asked) < 150
