"""`check` names kinds of interaction that something touches at a fixed hour: their last update is nobody's word."""

from datetime import timedelta

import pytest
from beginnings import Begin, live
from lap_world import DAY, HOUR, LapWorld
from sqlalchemy import update

from adapters.memory.database import INTEGRATION_USER
from connector.commands.check.updates import mass_updates
from connector.errors import Problem
from connector.store import tables

CASES = 60


@pytest.fixture
def cases(begin: Begin) -> LapWorld:
    """60 cases that were closed on as many days at different hours."""
    return begin(_cases)


def _cases(world: LapWorld) -> None:
    live(world)
    account = world.account()
    for number in range(CASES):
        world.crm.close(world.crm.case(account, world.crm.contact(account, f"Person {number}")))
    world.lap()
    now = world.clock.now()
    for number, row in enumerate(world.rows(tables.interaction)):
        ended = now - number * DAY / 2 - number * HOUR
        _touch(world, row.id, ended_at=ended, updated_at=ended)


def _touch(world: LapWorld, interaction: str, **columns: object) -> None:
    with world.store.write() as tx:
        tx.execute(update(tables.interaction).where(tables.interaction.c.id == interaction).values(**columns))


def nightly(world: LapWorld, share: float) -> None:
    """Let a job touch some of the cases at half past two in the night (Helsinki) after they were closed."""
    rows = world.rows(tables.interaction)
    for row in rows[: int(len(rows) * share)]:
        night = row.ended_at.replace(hour=0, minute=30) + DAY
        _touch(world, row.id, updated_at=night)


def found(world: LapWorld) -> list[Problem]:
    return list(mass_updates(world.installation))


def test_updates_at_all_hours_are_peoples(cases: LapWorld) -> None:
    assert found(cases) == []
    nightly(cases, 0.4)
    assert found(cases) == []


def test_a_nightly_job_that_touches_most_cases_is_named(cases: LapWorld) -> None:
    nightly(cases, 0.9)
    (problem,) = found(cases)
    assert (problem.where, problem.severity) == ("m: interaction.case.updated", "warning")
    assert "54 of 60" in problem.what
    assert "00:00 and 01:00" in problem.what


def test_of_few_cases_nothing_is_said(cases: LapWorld) -> None:
    nightly(cases, 0.9)
    for row in cases.rows(tables.interaction)[20:]:
        _touch(cases, row.id, updated_at=None)
    assert found(cases) == []


def test_closing_many_at_one_hour_is_no_touch(cases: LapWorld) -> None:
    for number, row in enumerate(cases.rows(tables.interaction)):
        at = cases.clock.now().replace(hour=16) - number * DAY
        _touch(cases, row.id, ended_at=at, updated_at=at + timedelta(minutes=2))
    assert found(cases) == []


# ── by whom ──


def by_users(world: LapWorld, users: list[str | None]) -> None:
    """Let users change cases at all hours, a good while after they were closed, in turn."""
    for number, row in enumerate(world.rows(tables.interaction)):
        at = row.ended_at + 2 * HOUR + number * timedelta(minutes=67)
        _touch(world, row.id, updated_at=at, updated_by=users[number % len(users)])


def test_one_user_behind_most_updates_is_named(cases: LapWorld) -> None:
    by_users(cases, [cases.rep, cases.rep, "005000000000777AAA"])
    (problem,) = found(cases)
    assert (problem.where, problem.severity) == ("m: interaction.case.updated", "warning")
    assert "40 of 60 were last updated by one user, Ritva Laine" in problem.what


def test_several_users_and_unknown_ones_are_people(cases: LapWorld) -> None:
    by_users(cases, [cases.rep, "005000000000777AAA"])
    assert found(cases) == []
    by_users(cases, [None])
    assert found(cases) == []


def test_our_own_user_is_nobody(cases: LapWorld) -> None:
    by_users(cases, [INTEGRATION_USER])
    assert found(cases) == []


def test_who_closes_most_is_no_job(cases: LapWorld) -> None:
    for row in cases.rows(tables.interaction):
        _touch(cases, row.id, updated_at=row.ended_at + timedelta(minutes=2), updated_by=cases.rep)
    assert found(cases) == []
