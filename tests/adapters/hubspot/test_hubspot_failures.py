"""One error of ours for each kind of trouble with HubSpot; waits that help, and none that do not."""

import socket
import ssl
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from connected import connected, wrong_keys
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError, SSLError
from written_hubspot import HOST, NOON, TOKEN, Reply, SteppingClock, Wire, refusal

from adapters.hubspot import adapter
from adapters.hubspot.crm_adapter import HubSpotAdapter
from connector.errors import (
    AuthRevoked,
    CrmError,
    NotLetIn,
    NotPermitted,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from connector.model import Ref
from connector.ports import Query, Write

ACCOUNT = "/account-info/2026-03/details"
DETAILS = {"portalId": 62515, "timeZone": "US/Eastern", "companyCurrency": "USD", "uiDomain": "app-eu1.hubspot.com"}
UPDATE = "/crm/objects/2026-03/companies/batch/update"


def limited(policy: str, said: str) -> dict[str, Any]:
    return {"status": "error", "message": said, "errorType": "RATE_LIMIT", "policyName": policy}


def test_the_account_and_its_clock(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    org = hub.org()
    assert (org.id, org.timezone, org.currency, org.api_version) == ("62515", "US/Eastern", "USD", "2026-03")
    assert org.server_time == NOON
    assert org.supported_until == datetime(2027, 9, 1, tzinfo=UTC)


def test_records_are_opened_in_the_accounts_own_domain(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    urls = [hub.record_url(Ref("acme-hub", name, "12")) for name in ("companies", "contacts", "tasks")]
    start = "https://app-eu1.hubspot.com/contacts/62515/record"
    assert urls == [f"{start}/0-2/12", f"{start}/0-1/12", f"{start}/0-27/12"]
    assert len(wire.requests) == 1


def test_every_call_carries_the_token_and_never_waits_for_ever(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    hub.org()
    (request,) = wire.requests
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (request.timeout.connect_timeout, request.timeout.read_timeout) == (5, 60)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, "<html>Sign in to the network first</html>"),
        (401, {"message": "Sign in to the network first"}),
        (403, "<html>Sign in to the network first</html>"),
    ],
)
def test_a_page_of_something_in_between_says_nothing_against_the_token(
    hub: HubSpotAdapter, wire: Wire, status: int, body: Any
) -> None:
    for _ in range(4):
        wire.answer("GET", ACCOUNT, body, status=status)
    with pytest.raises(Unavailable, match="page instead of data"):
        hub.org()


@pytest.mark.parametrize("category", ["INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"])
def test_a_refused_token_pauses_the_connection(hub: HubSpotAdapter, wire: Wire, category: str) -> None:
    wire.answer("GET", ACCOUNT, refusal("Authentication credentials not found.", category), status=401)
    with pytest.raises(AuthRevoked) as caught:
        hub.org()
    assert caught.value.permanent
    assert TOKEN not in f"{caught.value!r} {caught.value} {hub!r}"
    assert len(wire.requests) == 1


def test_a_key_that_is_refused_in_the_middle_of_work_is_tried_again_before_it_counts_as_refused(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    wire.answer("GET", ACCOUNT, refusal("Authentication credentials not found.", "INVALID_AUTHENTICATION"), status=401)
    hub.org()
    with pytest.raises(NotLetIn):
        hub.org()
    clock.sleep(300)
    with pytest.raises(AuthRevoked):
        hub.org()


def test_a_missing_scope_is_named(hub: HubSpotAdapter, wire: Wire) -> None:
    errors = [{"message": "Required.", "context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}]
    wire.answer("GET", ACCOUNT, refusal("Not granted.", "MISSING_SCOPES", errors=errors), status=403)
    with pytest.raises(NotPermitted) as caught:
        hub.org()
    assert "crm.objects.deals.read" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, refusal("Authentication credentials not found.", "INVALID_AUTHENTICATION")),
        (404, "<html>Not found</html>"),
        (404, refusal("resource not found", "OBJECT_NOT_FOUND")),
    ],
)
def test_where_hubspot_does_not_tell_what_a_key_may_do_nothing_is_said(
    hub: HubSpotAdapter, wire: Wire, status: int, body: Any
) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    wire.answer("POST", "/oauth/v2/private-apps/get/access-token-info", body, status=status)
    for _ in range(2):
        assert hub.missing_rights({"companies": frozenset({"read"})}) == []
        hub.org()  # the key is good


def test_a_refusal_that_repeats_a_renewed_token_is_told_without_it(wire: Wire, clock: SteppingClock) -> None:
    app = {"auth": "refresh_token", "client_id": "id", "client_secret": "hush", "refresh_token": "fresh"}
    token = "/oauth/2026-03/token"
    given = {"access_token": "short-lived", "refresh_token": "handed-over", "expires_in": 1800}
    wire.answer("POST", token, given)
    wire.answer("POST", token, {"status": "BAD_REFRESH_TOKEN", "message": "unknown token handed-over"}, status=400)
    wire.answer("GET", ACCOUNT, DETAILS)
    hub = connected(adapter, "acme-hub", app, clock)
    hub.org()
    clock.moment += timedelta(hours=1)
    with pytest.raises(AuthRevoked, match="unknown token") as caught:
        hub.org()
    assert "handed-over" not in str(caught.value)
    hub.close()


@pytest.mark.parametrize(("status", "error"), [(400, AuthRevoked), (404, Unavailable), (409, Unavailable)])
def test_a_long_refusal_is_told_without_a_piece_of_a_token(
    wire: Wire, clock: SteppingClock, status: int, error: type[CrmError]
) -> None:
    app = {"auth": "refresh_token", "client_id": "id", "client_secret": "hush", "refresh_token": "handed-over"}
    said = "unknown token " + "x" * 480 + " handed-over"
    wire.answer("POST", "/oauth/2026-03/token", {"status": "BAD_REFRESH_TOKEN", "message": said}, status=status)
    hub = connected(adapter, "acme-hub", app, clock)
    with pytest.raises(error, match="unknown token") as caught:
        hub.org()
    assert "hand" not in str(caught.value)
    hub.close()


@pytest.mark.parametrize("said", ["x" * 490 + TOKEN, f"{TOKEN} is unknown", b64encode(TOKEN.encode()).decode()])
def test_no_refusal_is_told_with_the_token_or_a_piece_of_it(hub: HubSpotAdapter, wire: Wire, said: str) -> None:
    wire.answer("GET", ACCOUNT, refusal(said), status=400)
    with pytest.raises(CrmError) as caught:
        hub.org()
    assert TOKEN[:6] not in str(caught.value)
    assert b64encode(TOKEN.encode()).decode()[:6] not in str(caught.value)


def test_a_refusal_is_cut_between_characters_as_people_see_them(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, refusal("x" * 496 + "👩‍👩‍👧 and more"), status=400)
    with pytest.raises(CrmError) as caught:
        hub.org()
    assert caught.value.what == "x" * 496 + "…"


def test_of_an_app_that_was_installed_no_key_is_asked_about(wire: Wire, clock: SteppingClock) -> None:
    app = {"auth": "refresh_token", "client_id": "id", "client_secret": "hush", "refresh_token": "fresh"}
    hub = connected(adapter, "acme-hub", app, clock)
    assert hub.missing_rights({"companies": frozenset({"read"})}) == []
    assert wire.requests == []
    hub.close()


def test_a_spent_day_ends_at_midnight_of_the_account(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, DETAILS)
    wire.answer("GET", ACCOUNT, limited("DAILY", "You have reached your daily limit."), status=429)
    hub.org()
    with pytest.raises(QuotaSpent) as caught:
        hub.org()
    assert caught.value.until == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    ("policy", "said", "pause"),
    [
        ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", 10),
        ("SECONDLY", "You have reached your secondly limit.", 1),
        ("", "You have reached your secondly limit.", 1),
    ],
)
def test_a_limit_of_speed_is_waited_out(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock, *, policy: str, said: str, pause: int
) -> None:
    wire.answer("GET", ACCOUNT, limited(policy, said), status=429)
    wire.answer("GET", ACCOUNT, DETAILS)
    hub.org()
    (nap,) = clock.naps
    assert pause <= nap <= pause + 2


def test_a_write_is_repeated_after_a_limit_of_speed(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("POST", UPDATE, limited("TEN_SECONDLY_ROLLING", "Too fast."), status=429)
    wire.answer("POST", UPDATE, {"results": [{"id": "1"}]})
    (result,) = hub.write([Write("k", "companies", {"name": "x"}, id="1")])
    assert result.outcome == "updated"


def test_an_account_that_is_being_moved_is_left_for_later(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    wire.answer(
        "GET", ACCOUNT, refusal("Migration in progress.", "MIGRATION"), status=477, headers={"Retry-After": "36000"}
    )
    with pytest.raises(RateLimited) as caught:
        hub.org()
    assert caught.value.retry_after == timedelta(hours=10)
    assert clock.naps == []


def test_a_long_wait_that_hubspot_asks_for_is_left_to_the_next_lap_by_every_call(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock
) -> None:
    moving = refusal("Migration in progress.", "MIGRATION")
    wire.answer("GET", ACCOUNT, moving, status=477, headers={"Retry-After": "36000"})
    wire.answer("GET", ACCOUNT, DETAILS)
    with pytest.raises(RateLimited):
        hub.org()
    assert hub.org().id == "62515"
    assert clock.naps == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 521, 525])
def test_pages_of_trouble_pass(hub: HubSpotAdapter, wire: Wire, status: int) -> None:
    page = Reply("<html><h1>Bad gateway</h1></html>", status, content_type="text/html")
    wire.queues["GET", ACCOUNT] = [page, Reply(DETAILS)]
    assert hub.org().id == "62515"
    wire.queues["GET", ACCOUNT] = [page]
    with pytest.raises(Unavailable) as caught:
        hub.org()
    assert "acme-hub: account" in caught.value.where


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "[]", "", '{"results":[{"id'])
def test_a_success_that_holds_no_data_is_none(hub: HubSpotAdapter, wire: Wire, body: str) -> None:
    wire.answer("GET", ACCOUNT, body or " ", content_type="text/html")
    with pytest.raises(Unavailable):
        hub.org()


def test_bytes_in_another_encoding_are_no_data(
    hub: HubSpotAdapter, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.answer("GET", ACCOUNT, '{"a": "b"}', content_type="application/json;charset=utf-16")
    with pytest.raises(Unavailable):
        hub.org()


def test_an_address_that_is_gone_may_be_an_ended_version(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, "<html>404</html>", status=404, content_type="text/html")
    with pytest.raises(CrmError, match="update Afterword"):
        hub.org()


def test_a_redirect_is_not_followed(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", ACCOUNT, "", status=302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(Unavailable) as caught:
        hub.org()
    assert caught.value.not_sent


@pytest.mark.parametrize(
    ("cause", "not_sent"),
    [
        (NewConnectionError(HTTPSConnection("api.hubapi.com"), "refused"), True),
        (SSLError(ssl.SSLCertVerificationError(1, "certificate verify failed")), True),
        (SSLError(ssl.SSLError(1, "decryption failed or bad record mac")), False),
        (ReadTimeoutError(None, "/x", "too slow"), False),  # type: ignore[arg-type]
    ],
)
def test_a_network_that_fails(hub: HubSpotAdapter, wire: Wire, cause: Exception, *, not_sent: bool) -> None:
    wire.fail("POST", UPDATE, MaxRetryError(None, UPDATE, cause))  # type: ignore[arg-type]
    with pytest.raises(Unavailable) as caught:
        hub.write([Write("k", "companies", {"name": "x"}, id="1")])
    assert caught.value.not_sent is not_sent
    assert len(wire.requests) == (4 if not_sent else 1)


# ── speed and the day ────────────────────────────────────────────────────────────────────────────────────────────────


def test_searches_keep_below_five_in_any_second(hub: HubSpotAdapter, wire: Wire, clock: SteppingClock) -> None:
    wire.properties("companies", "name")
    times: list[datetime] = []

    def search(_: Any) -> Reply:
        times.append(clock.now())
        return Reply({"total": 1, "results": []})

    wire.handle("POST", "/crm/objects/2026-03/companies/search", search)
    for _ in range(20):
        hub.count(Query("companies", ("name",)))
    for start in times:
        assert sum(start <= time < start + timedelta(seconds=1) for time in times) <= 4


def test_other_calls_keep_below_what_hubspot_tells(hub: HubSpotAdapter, wire: Wire, clock: SteppingClock) -> None:
    times: list[datetime] = []

    def account(_: Any) -> Reply:
        times.append(clock.now())
        return Reply(DETAILS, headers={"X-HubSpot-RateLimit-Max": "20"})

    wire.handle("GET", ACCOUNT, account)
    for _ in range(60):
        hub.org()
    for start in times:
        assert sum(start <= time < start + timedelta(seconds=10) for time in times) <= 20


def test_usage_is_counted_and_told(hub: HubSpotAdapter, wire: Wire) -> None:
    headers = {"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "249000"}
    wire.answer("GET", ACCOUNT, DETAILS, headers=headers)
    wire.answer("GET", ACCOUNT, refusal("no"), status=400, headers=headers)
    hub.org()
    with pytest.raises(CrmError):
        hub.org()
    usage = hub.usage()
    assert (usage.calls, usage.used_today, usage.allowed_today) == (2, 1000, 250_000)


class Ledger:
    """A budget that lets so many calls be made, and remembers what it is told."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.said: list[tuple[int, int]] = []
        self.refusals: list[str] = []

    def take(self, *, where: str) -> None:
        if not self.left:
            raise QuotaSpent("no more", where=where)
        self.left -= 1

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        assert ours is None
        self.said.append((used, allowed))

    def refused(self, why: str) -> None:
        self.refusals.append(why)


def test_no_call_is_made_without_the_budgets_leave(wire: Wire, clock: SteppingClock) -> None:
    headers = {"X-HubSpot-RateLimit-Daily": "100", "X-HubSpot-RateLimit-Daily-Remaining": "99"}
    wire.answer("GET", ACCOUNT, DETAILS, headers=headers)
    ledger = Ledger(1)
    hub = connected(adapter, "acme-hub", {"access_token": TOKEN}, clock, budget=ledger)
    hub.org()
    with pytest.raises(QuotaSpent):
        hub.org()
    assert len(wire.requests) == 1
    assert ledger.said == [(1, 100)]
    hub.close()


def test_the_budget_hears_when_hubspot_gives_no_more(wire: Wire, clock: SteppingClock) -> None:
    said = "You have reached your daily limit."
    wire.answer("GET", ACCOUNT, {"status": "error", "message": said, "policyName": "DAILY"}, status=429)
    ledger = Ledger(9)
    hub = connected(adapter, "acme-hub", {"access_token": TOKEN}, clock, budget=ledger)
    with pytest.raises(QuotaSpent):
        hub.org()
    assert (len(wire.requests), ledger.refusals) == (1, [said])
    hub.close()


# ── the connection's settings ────────────────────────────────────────────────────────────────────────────────────────


def test_settings_are_checked(tmp_path: Path) -> None:
    places = [problem.where for problem in wrong_keys(tmp_path, "hubspot", {"url": "http://localhost:1"})]
    assert places == ["config.toml: crm.acme.access_token", "config.toml: crm.acme.url"]
    (problem,) = wrong_keys(tmp_path, "hubspot", {"access_token": "two words"})
    assert problem.where == "config.toml: crm.acme.access_token"
    assert "two words" not in str(problem)
    assert "Copy it again" in problem.remedy


def test_the_usual_address_needs_no_setting(wire: Wire, clock: SteppingClock) -> None:
    hub = connected(adapter, "acme-hub", {"access_token": f" {TOKEN}\n"}, clock)
    assert HOST in repr(hub)
    assert TOKEN not in repr(hub)
    hub.close()
    hub.close()


def test_the_networks_proxy_is_used(clock: SteppingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed}")
    monkeypatch.setenv("no_proxy", "intranet.example")
    hub = connected(adapter, "acme-hub", {"access_token": TOKEN}, clock)
    with pytest.raises(Unavailable, match="ProxyError") as caught:
        hub.org()
    assert caught.value.not_sent
    hub.close()


@pytest.mark.parametrize("address", ["http://ada:b%40rg@127.0.0.1:{}", "ada:b%40rg@127.0.0.1:{}"])
def test_the_networks_proxy_is_told_who_asks(
    clock: SteppingClock, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """A proxy may be named without its scheme, as other programs take it."""
    heard: list[bytes] = []

    def refuse() -> None:
        for _ in range(4):
            with proxy.accept()[0] as connection:
                heard.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as proxy, ThreadPoolExecutor(1) as threads:
        monkeypatch.setenv("https_proxy", address.format(proxy.getsockname()[1]))
        hub = connected(adapter, "acme-hub", {"access_token": TOKEN}, clock)
        refusing = threads.submit(refuse)
        with pytest.raises(Unavailable, match="ProxyError"):
            hub.org()
        refusing.result()
        hub.close()
    assert b"proxy-authorization: Basic " + b64encode(b"ada:b@rg") in heard[0]
