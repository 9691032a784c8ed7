"""`check` names kinds of interaction that something touches at a fixed hour: their last update is nobody's word."""

from datetime import timedelta

import pytest
from lap_world import DAY, HOUR, LapWorld
from sqlalchemy import update

from connector.checking_updates import mass_updates
from connector.errors import Problem
from connector.store import tables

CASES = 60


@pytest.fixture
def cases(world: LapWorld) -> LapWorld:
    """60 cases that were closed on as many days at different hours."""
    account = world.account()
    for number in range(CASES):
        world.crm.close(world.crm.case(account, world.crm.contact(account, f"Person {number}")))
    world.lap()
    now = world.clock.now()
    for number, row in enumerate(world.rows(tables.interaction)):
        ended = now - number * DAY / 2 - number * HOUR
        _touch(world, row.id, ended_at=ended, updated_at=ended)
    return world


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
    return list(mass_updates(world.house))


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
