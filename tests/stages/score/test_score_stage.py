"""`score`: figures hold for a day, share one prior, and move only when there is a reason to."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from databases import BOTH_DATABASES
from lap_world import CSAT, DAY, UNHAPPY, LapWorld

from connector.store import tables


def figures(world: LapWorld) -> dict[str, Any]:
    """Return the published figures by customer."""
    return {row.customer: row.figures for row in world.rows(tables.customer_score)}


def book(world: LapWorld, accounts: int = 6) -> list[str]:
    """Let two people of each account answer."""
    made = [world.account(f"Account {number}") for number in range(accounts)]
    world.rate_all([(account, value) for number, account in enumerate(made) for value in (1 + number % 5, 5)])
    return made


def test_the_prior_is_fitted_and_kept_once_a_day(world: LapWorld) -> None:
    book(world, 3)
    days = [row.day for row in world.rows(tables.prior)]
    assert len(days) == len(set(days))
    world.lap(DAY)
    world.lap()
    world.lap()
    days = [row.day for row in world.rows(tables.prior)]
    assert len(days) == len(set(days))
    assert world.clock.now().date().isoformat() in days


def test_an_account_keeps_its_prior_until_one_of_its_own_answers_comes(world: LapWorld) -> None:
    accounts = book(world)
    for _ in range(2):
        world.lap(DAY)
    before = {row.customer: (row.prior_version, row.figures) for row in world.rows(tables.customer_score)}
    world.lap(DAY)
    world.rated(accounts[0], 1)
    after = {row.customer: (row.prior_version, row.figures) for row in world.rows(tables.customer_score)}
    changed = [customer for customer in after if after[customer] != before[customer]]
    assert len(changed) == 1
    assert after[changed[0]][0] > before[changed[0]][0]


def test_the_first_accounts_of_an_installation_do_not_keep_the_prior_of_an_empty_book(world: LapWorld) -> None:
    account = world.account("The first")
    world.rate_all([(account, value) for value in (4, 4, 4, 4, 5)])
    assert "Satisfaction" not in world.shows(account)  # nobody had answered when the day's prior was fitted
    world.lap(DAY)
    shown = world.shows(account)
    assert shown["Satisfaction_From"] < shown["Satisfaction"] < shown["Satisfaction_To"]
    for _ in range(3):
        world.lap(DAY)
    assert world.shows(account) == shown


@BOTH_DATABASES
def test_the_same_answers_are_scored_once(world: LapWorld) -> None:
    accounts = book(world, 2)
    assert world.lap().scored == 0
    world.crm.update(accounts[0], {"Industry": "Energy"})
    assert world.lap().scored == 0


def test_time_alone_publishes_only_when_the_score_has_moved_by_a_step(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + "[scoring]\nwrite_step = 3\nhalf_life = '60d'\n")
    account = world.account("Old Friend")
    others = [(world.account(f"Other {number}"), 1 + number) for number in range(4)]
    world.rate_all([*((account, value) for value in (5, 5, 4, 5, 5, 4)), *others])
    world.lap(DAY)
    seen = [world.shows(account).get("Satisfaction")]
    assert seen[0] is not None
    for _ in range(30):
        world.lap(6 * DAY)
        now = world.shows(account).get("Satisfaction")
        if now != seen[-1]:
            seen.append(now)
    steps = [abs(one - other) for one, other in pairwise(seen) if None not in (one, other)]
    assert len(seen) > 1
    assert all(step >= 2 for step in steps), seen  # 3 points unrounded are at least 2 of the whole ones shown


def test_an_account_whose_evidence_has_faded_shows_nothing(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + "[scoring]\nhalf_life = '20d'\n")
    account = world.account()
    world.rated(account, 5)
    assert {"Mood", "People"} <= world.shows(account).keys()
    for _ in range(20):
        world.lap(30 * DAY)
    assert {"Satisfaction", "Mood", "People"}.isdisjoint(world.shows(account))


def test_within_a_day_the_moment_of_the_lap_makes_no_difference(world: LapWorld) -> None:
    book(world, 2)
    before = figures(world)
    for _ in range(5):
        world.lap(timedelta(hours=1))
    assert figures(world) == before
