"""How fast HubSpot is called: below its limits as HubSpot counts, which is when calls arrive."""

import io
import itertools
import time
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from connected import connected
from written_hubspot import TOKEN, Reply, SteppingClock, Wire

from adapters.hubspot import adapter
from adapters.hubspot.crm_adapter import HubSpotAdapter
from adapters.hubspot.http.throttle import Throttle
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.server import running
from adapters.sandbox.web import Request
from connector.runtime.clock import SteppedClock, SystemClock

START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def most_within(times: list[datetime], span: timedelta) -> int:
    """Count the moments in the busiest span."""
    return max(sum(first <= time < first + span for time in times) for first in times)


@pytest.mark.parametrize("latency_s", [0.0, 0.1, 0.2])
def test_never_more_than_five_searches_arrive_in_a_second_though_some_are_late(latency_s: float) -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    arrived = []
    for number in range(20):
        throttle.wait(search=True)
        late = latency_s if number % 8 < 4 else 0.0
        arrived.append(clock.now() + timedelta(seconds=late))
    assert most_within(arrived, SECOND) <= 5


def test_searches_are_not_held_up_longer_than_that_needs() -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    for _ in range(40):
        throttle.wait(search=True)
    assert clock.now() - START <= 15 * SECOND


class PutBackClock(SteppedClock):
    """A clock that somebody may correct."""

    def __init__(self) -> None:
        super().__init__(START)
        self._off = timedelta()

    def now(self) -> datetime:
        return super().now() - self._off

    def put_back(self, step: timedelta) -> None:
        self._off += step


@pytest.mark.parametrize("search", [True, False])
def test_a_clock_that_was_put_back_holds_up_no_call(*, search: bool) -> None:
    clock = PutBackClock()
    throttle = Throttle(clock)
    for _ in range(200):
        throttle.wait(search=search)
    throttle.refused(10 * SECOND, search=search)
    clock.put_back(timedelta(days=365))
    before = clock.now()
    throttle.wait(search=search)
    assert 9 * SECOND < clock.now() - before <= 11 * SECOND


ALLOWED = 190
CALLS = 20 * ALLOWED


@pytest.mark.parametrize("latest_s", [0.0, 0.1, 0.4])
def test_never_more_than_allowed_arrive_in_ten_seconds_and_hardly_fewer(latest_s: float) -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    throttle.learn(ALLOWED, None)
    arrived = []
    late = itertools.cycle([0.0, latest_s, latest_s / 2])
    for _ in range(CALLS):
        throttle.wait(search=False)
        arrived.append(clock.now() + timedelta(seconds=next(late)))
        clock.advance(timedelta(milliseconds=10))
    arrived.sort()
    busiest = max(bisect_left(arrived, at + 10 * SECOND) - first for first, at in enumerate(arrived))
    assert busiest <= ALLOWED
    assert len(arrived) >= 0.9 * ALLOWED * (arrived[-1] - arrived[0]) / (10 * SECOND)


class Portal:
    """A pretend HubSpot at the other end of a wire without a network, a moment away, on the same clock."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self._time = SandboxClock(clock.now())
        self.hubspot = HubSpot(self._time)
        self.statuses: list[int] = []

    def request(self, _pool: object, method: str, url: str, **rest: Any) -> urllib3.HTTPResponse:
        self._clock.advance(timedelta(milliseconds=10))
        self._time.set(self._clock.now())
        parts = urlsplit(url)
        headers = {name.lower(): value for name, value in rest["headers"].items()}
        response = self.hubspot.handle(Request(method, parts.path, headers, (rest.get("body") or "").encode()))
        self.statuses.append(response.status)
        return urllib3.HTTPResponse(io.BytesIO(response.body), headers=dict(response.headers), status=response.status)


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Portal:
    portal = Portal(SteppedClock(START))
    monkeypatch.setattr(
        urllib3.PoolManager, "request", lambda pool, method, url, **rest: portal.request(pool, method, url, **rest)
    )
    return portal


def test_f24_a_big_read_uses_nine_tenths_of_the_allowance_and_is_hardly_ever_refused(portal: Portal) -> None:
    clock = portal._clock
    hub = connected(adapter, "acme", {"access_token": portal.hubspot.access_token}, clock)
    hub.org()
    began = clock.now()
    for _ in range(10 * ALLOWED):
        hub.org()
    seconds = (clock.now() - began).total_seconds()
    assert len(portal.statuses) >= 0.9 * ALLOWED * seconds / 10
    assert portal.statuses.count(429) < 0.01 * len(portal.statuses)
    hub.close()


def test_f24_what_others_use_of_the_same_key_is_found_out_by_few_refusals(portal: Portal) -> None:
    clock = portal._clock
    ours, theirs = (connected(adapter, "acme", {"access_token": portal.hubspot.access_token}, clock) for _ in range(2))
    for _ in range(5 * ALLOWED):
        ours.org()
        theirs.org()
    assert portal.statuses.count(429) < 0.01 * len(portal.statuses)
    for hub in (ours, theirs):
        hub.close()


@pytest.mark.parametrize(
    ("policy", "headers", "pause_s"),
    [
        ("TEN_SECONDLY_ROLLING", {}, 10),
        ("SECONDLY", {}, 1),
        ("TEN_SECONDLY_ROLLING", {"Retry-After": "7"}, 7),
        ("SOMETHING_NEW", {}, 10),
    ],
)
def test_f24_a_refusal_says_by_its_policy_how_long_everybody_waits(
    hub: HubSpotAdapter, wire: Wire, clock: SteppingClock, *, policy: str, headers: dict[str, str], pause_s: int
) -> None:
    refused: list[datetime] = []
    again: list[datetime] = []

    def account(_: Any) -> Reply:
        if refused:
            again.append(clock.now())
            return Reply({"portalId": 1, "timeZone": "UTC"})
        refused.append(clock.now())
        return Reply({"status": "error", "message": "too fast", "policyName": policy}, status=429, headers=headers)

    wire.handle("GET", "/account-info/2026-03/details", account)
    hub.org()
    waited = (again[0] - refused[0]).total_seconds()
    assert pause_s <= waited <= pause_s + 2
    assert TOKEN in wire.requests[0].headers["Authorization"]


def test_f24_the_other_threads_wait_too() -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    throttle.refused(10 * SECOND, search=False)
    throttle.wait(search=True)
    assert clock.now() == START
    throttle.wait(search=False)
    assert clock.now() == START + 10 * SECOND


def test_f24_where_hubspot_sees_nothing_left_nobody_tries() -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    throttle.learn(ALLOWED, 0)
    throttle.wait(search=False)
    assert clock.now() == START + SECOND


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[HubSpot, dict[str, str]]]:
    portal = HubSpot(SandboxClock())
    with running(portal, cert_dir=tmp_path) as server:
        yield (
            portal,
            {"url": server.url, "ca_bundle": str(server.ca_bundle), "access_token": portal.access_token},
        )


@pytest.mark.soak
def test_f24_the_same_in_real_time_with_many_threads(served: tuple[HubSpot, dict[str, str]]) -> None:
    portal, values = served
    hub = connected(adapter, "acme", values, SystemClock())
    hub.org()
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: hub.org(), range(4 * ALLOWED)))
    seconds = time.monotonic() - began
    statuses = [call.status for call in portal.log]
    assert len(statuses) >= 0.9 * ALLOWED * seconds / 10
    assert statuses.count(429) < 0.01 * len(statuses)
    hub.close()
