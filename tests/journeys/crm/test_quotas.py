"""Orgs with few calls a day: the lap ends early with what it has read, and goes on the next day where it was."""

from collections.abc import Container, Iterator
from pathlib import Path

import pytest
from environment import DAY, HOUR, RULES, Environment, standing
from environment_hubspot import HubSpotEnvironment
from sqlalchemy import func, select

from connector.errors import QuotaSpent
from connector.runtime.clock import SteppedClock
from connector.stages.lap import Report
from connector.store import tables

SHARE = "daily_call_share = 0.1"
CUSTOMERS = 60
PAGES_A_DAY = 30
MOST_DAYS = 8


@pytest.fixture(params=["salesforce", "hubspot"])
def env(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    store_address: str,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Environment]:
    """An installation beside a CRM with customers, each of whom has a contact, that gives three records at a time."""
    monkeypatch.setattr("adapters.hubspot.records.reader._PAGE", 3)
    kind = Environment if request.param == "salesforce" else HubSpotEnvironment
    with standing(kind, tmp_path, store_address, clock) as env:
        env.org.rows_per_page = 3
        for number in range(CUSTOMERS):
            company = env.account(f"Company {number:02}")
            env.contact(company, f"Person {number:02}", f"person{number:02}@company{number:02}.example")
        env.advance(2 * HOUR)
        yield env


def allow(env: Environment, calls: int) -> None:
    """Let the org have so many calls a day, none of them used yet."""
    limits = env.org.limits
    limits.used = 0
    setattr(limits, "most" if hasattr(limits, "most") else "daily", calls)


def calls(env: Environment) -> int:
    """Return how many calls the CRM has ever seen, but for those that give out tokens: what a token may do is asked at a price."""
    asked = sum("access-token-info" in call.path for call in env.org.log.since(0, kind="auth"))
    return asked + sum(env.org.log.by_kind().get(kind, 0) for kind in ("read", "write", "page"))


def kept(env: Environment) -> int:
    """Return how many contacts are in the store."""
    with env.installation.store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(tables.contact)).scalar_one())


def spent(report: Report) -> QuotaSpent:
    """Return why the lap ended early."""
    (error,) = report.failures["acme"]
    assert isinstance(error, QuotaSpent)
    return error


def test_f25_a_spent_share_ends_the_lap_and_the_next_days_go_on(env: Environment) -> None:
    env.configure(RULES, extra=SHARE)
    allow(env, 10_000)
    describing = env.lap(stages=()).calls["acme"]
    env.advance(DAY)
    budget = describing + PAGES_A_DAY
    allow(env, 10 * budget)

    reports, pages = [], [kept(env)]
    while not reports or reports[-1].exit_code != 0:
        before = calls(env)
        reports.append(env.lap())
        pages.append(kept(env))
        assert calls(env) - before == reports[-1].calls["acme"] <= budget

        # No other lap of the same day makes a call, whichever process runs it.
        before = calls(env)
        env.restart()
        if reports[-1].exit_code:
            assert "share of the day's calls is used" in spent(reports[-1]).what
            assert env.later(HOUR).exit_code == 1
            assert calls(env) == before
        env.advance(DAY)
        assert len(reports) < MOST_DAYS

    assert [report.exit_code for report in reports[:-1]] == [1] * (len(reports) - 1) != []
    assert pages == sorted(pages)
    assert pages[-1] == CUSTOMERS
    # What was read on one day is not read again on another.
    assert (
        sum(report.pulled["acme"].counts["contact"].read for report in reports if "contact" in counts(report))
        == CUSTOMERS
    )


def counts(report: Report) -> Container[str]:
    """Return the kinds that a lap has read."""
    return report.pulled["acme"].counts if "acme" in report.pulled else ()


def test_status_tells_what_is_left_of_the_budget(env: Environment) -> None:
    env.configure(RULES, extra=SHARE)
    allow(env, 5_000)
    setting_up = env.status()["crm"]["acme"]["calls_today"]
    made = env.lap().calls["acme"]
    shown = env.status()["crm"]["acme"]
    assert shown["calls_today"] == shown["calls"]["last_24h"] == setting_up + made
    assert (shown["calls"]["budget"], shown["calls"]["org_allowed"]) == (500, 5_000)
    assert shown["calls"]["org_used"] <= calls(env)


def test_f25_an_org_that_others_have_drained_is_left_to_them(env: Environment) -> None:
    env.configure(RULES, extra=SHARE)
    allow(env, 10_000)
    env.org.limits.used = 9_700
    before = calls(env)
    report = env.lap()
    assert report.exit_code == 1
    assert "for its other programs" in spent(report).what
    assert calls(env) - before <= 3
    env.restart()
    assert env.later(HOUR / 12).exit_code == 1
    assert calls(env) - before <= 3
    left = env.status()["crm"]["acme"]["calls"]
    assert "for its other programs" in left["none_why"]
    assert left["none_until"] > env.clock.now().isoformat()

    env.advance(DAY)
    env.org.limits.used = 0
    assert env.lap().exit_code == 0
    assert kept(env) == CUSTOMERS
    assert env.status()["crm"]["acme"]["calls"]["none_until"] is None
