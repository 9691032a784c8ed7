"""What goes wrong on the way is told as what it is."""

import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import urllib3

from adapters.salesforce.crm_adapter import SalesforceAdapter
from adapters.salesforce.errors import failure, no_answer
from adapters.salesforce.http.session import AT_ONCE
from connector.errors import (
    AuthExpired,
    CrmError,
    NotPermitted,
    QuotaSpent,
    RateLimited,
    SchemaChanged,
    Unavailable,
)
from connector.ports import Query
from tests.adapters.salesforce.conftest import NOON, Connect, SteppingClock, Wire

PAGE = "<html><head><title>Down for maintenance</title></head></html>"
DESCRIBE = "sobjects/Account/describe"


@pytest.mark.parametrize("status", [200, 404, 500, 502, 503])
def test_a_page_is_not_data(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock, status: int) -> None:
    for _ in range(4):
        wire.answer("GET", DESCRIBE, PAGE, status=status)
    with pytest.raises(Unavailable) as caught:
        crm.describe("Account")
    assert caught.value.where == "acme: describe Account"
    assert "maintenance" not in str(caught.value)
    assert len(clock.naps) == 3


def test_a_passing_failure_is_passed(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.answer("GET", DESCRIBE, requests.ConnectionError("reset"))
    wire.refuse("GET", DESCRIBE, "SERVER_UNAVAILABLE", "too busy", status=503)
    wire.describe("Account")
    assert crm.describe("Account").name == "Account"


def test_no_refusal_is_told_with_a_piece_of_the_token(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", DESCRIBE, "SOMETHING", "x" * 490 + "00Dx!secret", status=400)
    with pytest.raises(CrmError) as caught:
        crm.describe("Account")
    assert "xx" in str(caught.value)
    assert "00D" not in str(caught.value)


def test_a_refusal_is_cut_between_characters_as_people_see_them(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", DESCRIBE, "SOMETHING", "x" * 496 + "👩‍👩‍👧 and more", status=400)
    with pytest.raises(CrmError) as caught:
        crm.describe("Account")
    assert caught.value.what == "SOMETHING: " + "x" * 496 + "…"


def test_f26_every_call_has_a_time_limit(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.describe("Account")
    crm.describe("Account")
    sent: Any = wire.mock.calls[0].request
    assert sent.req_kwargs["timeout"] == (5, 60)


def test_the_bundle_of_the_settings_is_the_one_used(
    connect: Connect, wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "of-the-environment.pem")
    wire.describe("Account")
    bundle = tmp_path / "ours.pem"
    bundle.touch()
    connect(ca_bundle=str(bundle)).describe("Account")
    sent: Any = wire.mock.calls[0].request
    assert sent.req_kwargs["verify"] == str(bundle)


def test_a_sign_in_page_is_not_followed(crm: SalesforceAdapter, wire: Wire) -> None:
    for _ in range(4):
        wire.answer("GET", DESCRIBE, PAGE, status=302, headers={"Location": "https://login.example/"})
    with pytest.raises(Unavailable, match="the address has moved"):
        crm.describe("Account")


def test_the_days_allowance_is_renewed_at_midnight(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.refuse("GET", DESCRIBE, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
    with pytest.raises(QuotaSpent) as caught:
        crm.describe("Account")
    assert caught.value.until == NOON + timedelta(hours=12)
    assert clock.naps == []


@pytest.mark.parametrize(
    "said", ["ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "ConcurrentPerOrgLongTxn Limit exceeded."]
)
def test_too_many_at_once_is_only_too_fast(crm: SalesforceAdapter, wire: Wire, clock: SteppingClock, said: str) -> None:
    wire.refuse("GET", DESCRIBE, "REQUEST_LIMIT_EXCEEDED", said, status=403)
    wire.describe("Account")
    assert crm.describe("Account").name == "Account"
    assert clock.naps == [5.0]


class Ledger:
    """A budget that lets so many calls be made, and remembers what it is told."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.said: list[tuple[int, int, int | None]] = []
        self.refusals: list[str] = []

    def take(self, *, where: str) -> None:
        if not self.left:
            raise QuotaSpent("no more", where=where)
        self.left -= 1

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        self.said.append((used, allowed, ours))

    def refused(self, why: str) -> None:
        self.refusals.append(why)


def test_few_calls_are_under_way_at_once_however_many_threads_ask(connect: Connect) -> None:
    inside: list[int] = []
    most: list[int] = []

    def describe(_: Any) -> tuple[int, dict[str, str], str]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return 200, {}, '{"name": "Account", "fields": [{"name": "SystemModstamp"}]}'

    with responses.RequestsMock() as mock, ThreadPoolExecutor(12) as pool:
        mock.add_callback("GET", re.compile(".*/describe"), describe)
        list(pool.map(connect().describe, ["Account"] * 24))
    assert 2 <= max(most) <= AT_ONCE


def test_f25_no_call_is_made_without_the_budgets_leave(connect: Connect, wire: Wire) -> None:
    crm = connect(budget=Ledger(1))
    wire.describe("Account")
    crm.describe("Account")
    with pytest.raises(QuotaSpent) as caught:
        crm.describe("Account")
    assert caught.value.where == "acme: describe Account"
    assert crm.usage().calls == 1


@pytest.mark.parametrize(
    ("info", "ours"), [("api-usage=25/50", None), ("api-usage=25/50; per-app-api-usage=17/250(appName=Afterword)", 17)]
)
def test_f25_the_budget_hears_what_salesforce_counts(connect: Connect, wire: Wire, info: str, ours: int | None) -> None:
    ledger = Ledger(9)
    body = {"name": "Account", "fields": [{"name": "SystemModstamp"}]}
    wire.answer("GET", DESCRIBE, body, headers={"Sforce-Limit-Info": info})
    crm = connect(budget=ledger)
    crm.describe("Account")
    assert ledger.said == [(25, 50, ours)]
    assert (crm.usage().used_today, crm.usage().allowed_today) == (25, 50)


def test_f25_the_budget_hears_when_salesforce_gives_no_more(connect: Connect, wire: Wire) -> None:
    ledger = Ledger(9)
    wire.refuse("GET", DESCRIBE, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
    with pytest.raises(QuotaSpent):
        connect(budget=ledger).describe("Account")
    assert ledger.refusals == ["TotalRequests Limit exceeded."]


def test_a_replay_with_a_new_token_is_a_call_too(connect: Connect, wire: Wire) -> None:
    ledger = Ledger(9)
    for token in ("t1", "t2"):
        wire.answer(
            "POST", "/services/oauth2/token", {"access_token": token, "instance_url": "https://acme.my.salesforce.com"}
        )
        if token == "t1":
            wire.refuse("GET", DESCRIBE, "INVALID_SESSION_ID", "Session expired or invalid", status=401)
    wire.describe("Account")
    crm = connect(auth="client_credentials", client_id="app", client_secret="s", budget=ledger)
    crm.describe("Account")
    assert (ledger.left, crm.usage().calls) == (7, 2)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (401, "", AuthExpired),
        (401, "\n<html>Sign in to the network first</html>", Unavailable),
        (401, {"message": "Sign in to the network first"}, Unavailable),
        (401, "Sign in to the network first", Unavailable),
        (403, "Bad_OAuth_Token", AuthExpired),
        (403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "no API"}], NotPermitted),
        (403, "", NotPermitted),
        (404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], SchemaChanged),
        (410, [{"errorCode": "UNSUPPORTED_API_VERSION", "message": "retired"}], CrmError),
        (414, "<html>Bad Message 414</html>", CrmError),
        (400, [{"errorCode": "INVALID_TYPE", "message": "sObject type 'X' is not supported."}], SchemaChanged),
        (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}], Unavailable),
        (429, "", RateLimited),
        (400, [], Unavailable),
        (400, [None], Unavailable),
    ],
)
def test_an_answer_is_named(status: int, content: object, kind: type[CrmError]) -> None:
    error = failure(status, content, where="acme: call", now=NOON)
    assert type(error) is kind
    assert error.where == "acme: call"


def test_a_connection_that_was_never_made_sent_nothing() -> None:
    pool = urllib3.HTTPSConnectionPool("acme.example")
    refused = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPSConnection("acme.example"), "refused")
    never = requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", refused))
    cut = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted."))
    assert no_answer(never, where="").not_sent is True
    assert no_answer(cut, where="").not_sent is False


def test_f28_an_answer_that_is_garbled_on_its_way_leaves_the_outcome_open() -> None:
    pool = urllib3.HTTPSConnectionPool("acme.example")
    garbled = urllib3.exceptions.SSLError(ssl.SSLError(1, "decryption failed or bad record mac"))
    lost = no_answer(requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(pool, "/", garbled)), where="")
    assert lost.not_sent is False
    assert "not trusted" not in str(lost)


def test_f20b_no_permission_is_never_an_empty_listing(crm: SalesforceAdapter, wire: Wire) -> None:
    wire.refuse("GET", "queryAll", "INSUFFICIENT_ACCESS", "no", status=403)
    with pytest.raises(NotPermitted):
        list(crm.changes(Query("Account", ("Name",)), since=None, after=None))
