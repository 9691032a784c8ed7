"""How many calls a lap needs: no more than the pages of what there is, and one for each kind when nothing happened."""

import math
from collections import Counter

import pytest
from databases import BOTH_DATABASES
from environment import RULES, Environment

from adapters.sandbox.log import LoggedCall
from adapters.sandbox.salesforce.org.seed import Sizes, seed

PAGE = 2_000
"""The most records that Salesforce gives in one answer."""
WHOLE = Sizes(accounts=2_000, contacts=10_000, cases=5_000, calls=600, meetings=300, opportunities=300)
SMALL = Sizes(accounts=60, contacts=200, cases=120, calls=40, meetings=20, opportunities=20)


def readings(calls: list[LoggedCall]) -> list[LoggedCall]:
    """Return the calls that asked for records; not those for the org itself, nor the look at the installation's mark."""
    asked = [call for call in calls if call.kind == "read" and "/query" in call.path]
    return [call for call in asked if call.sobject != "Organization" and "installation" not in call.path]


@pytest.fixture
def first(env: Environment) -> list[LoggedCall]:
    """The reading calls of the first lap over a whole org."""
    seed(env.org, seed=3, now=env.clock.now(), sizes=WHOLE)
    env.configure(rules='[surveys.after-deal]\non = "deal.won"\n')
    mark = env.org.log.mark()
    report = env.lap()
    assert report.exit_code == 0
    assert report.pulled["acme"].counts["contact"].read == WHOLE.contacts
    return readings(env.org.log.since(mark))


def test_the_first_lap_needs_hardly_more_calls_than_there_are_pages(first: list[LoggedCall]) -> None:
    rows: Counter[str] = Counter()
    for call in first:
        rows[str(call.sobject)] += call.rows
    assert rows["Contact"] == WHOLE.contacts
    assert rows["Case"] == WHOLE.cases
    rows.pop("OpportunityContactRole", None)
    fewest = sum(max(1, math.ceil(count / PAGE)) for count in rows.values())
    # The contact roles of deals are asked for by the deals' ids, of which a condition holds so many.
    fewest += math.ceil(WHOLE.opportunities / 150)
    assert len(first) <= 1.1 * fewest


@BOTH_DATABASES
def test_a_quiet_lap_asks_once_for_each_kind_and_writes_nothing(env: Environment) -> None:
    seed(env.org, seed=3, now=env.clock.now(), sizes=SMALL)
    env.configure(rules=RULES)
    assert env.lap().exit_code == 0
    mark = env.org.log.mark()
    report = env.lap()
    calls = env.org.log.since(mark)
    assert report.exit_code == 0
    assert set(Counter(call.sobject for call in readings(calls)).values()) == {1}
    assert len(calls) == len(readings(calls))
    assert len(calls) <= len(report.pulled["acme"].counts)
