"""How many calls a quiet lap needs when each one is a process of its own, as `afterword sync` from cron is."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from environment import HOUR, RULES, Environment, standing
from environment_hubspot import HubSpotEnvironment

from adapters.sandbox.log import LoggedCall
from connector.runtime.clock import SteppedClock

QUARTER = timedelta(minutes=15)
TOO_FAST = 429


@pytest.fixture(params=[Environment, HubSpotEnvironment], ids=["salesforce", "hubspot"])
def busy(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_address: str, clock: SteppedClock
) -> Iterator[Environment]:
    """An installation beside each of the CRMs, some hours after a case was closed there."""
    with standing(request.param, tmp_path, sqlite_address, clock) as env:
        env.configure(rules=RULES)
        account = env.account("Northwind")
        env.close_case(env.case(account, env.contact(account, "Maria Virtanen", "maria@customer.example")))
        env.later(HOUR)
        for _ in range(2):
            calls_of_a_process(env, QUARTER)
        yield env


def calls_of_a_process(env: Environment, after: timedelta) -> list[LoggedCall]:
    """Run a lap in an installation that is wired anew; returns the calls that were answered, but for signing in."""
    env.restart()
    mark = env.org.log.mark()
    report = env.later(after)
    assert report.exit_code == 0
    return [call for call in env.org.log.since(mark) if call.kind != "auth" and call.status != TOO_FAST]


def test_a_quiet_process_calls_once_for_each_object(busy: Environment) -> None:
    laps = [calls_of_a_process(busy, QUARTER) for _ in range(4)]
    fewest = min(map(len, laps))
    assert fewest <= 7
    # One of the four is the first of an hour; with it comes what is read once an hour.
    assert sorted(map(len, laps))[:3] == [fewest] * 3


def test_what_is_read_once_an_hour_is_read_once_an_hour_by_all_processes_together(busy: Environment) -> None:
    hourly: Counter[str] = Counter()
    for _ in range(8):
        calls = calls_of_a_process(busy, QUARTER)
        seldom = [call for call in calls if "/search" not in call.path and "/query" not in call.path]
        hourly.update(call.path.partition("?")[0] for call in seldom if "associations" not in call.path)
    lists = {path: count for path, count in hourly.items() if count > 2}
    # The list of owners takes two calls: one for those who are there, one for those who have left.
    assert {path: count for path, count in lists.items() if not (path.endswith("owners/2026-03") and count <= 4)} == {}
