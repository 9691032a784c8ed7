"""A lap that died is closed by the next one; one that is under way elsewhere is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import DAY, LapWorld
from sqlalchemy import insert

from connector.stages import lap
from connector.store import tables
from connector.store.ops import leases


def laps(world: LapWorld) -> list[Any]:
    return sorted(world.rows(tables.lap), key=lambda row: row.id)


def begun(world: LapWorld, owner: Callable[[], str | None], ago: timedelta = timedelta(minutes=1)) -> None:
    with world.store.write() as tx:
        tx.execute(insert(tables.lap).values(started_at=world.clock.now() - ago, owner=owner))


def dead() -> str:
    """Name a process of this machine whose number has gone to another one since."""
    place, number, _started, thread = leases.myself().rsplit(":", 3)
    return f"{place}:{number}:1:{thread}"


@pytest.mark.parametrize("owner", [lambda: None, dead], ids=["of a version before", "dead"])
@BOTH_DATABASES
def test_the_next_lap_closes_what_a_dead_process_left_open(world: LapWorld, owner: Callable[[], str | None]) -> None:
    begun(world, owner())
    world.lap()
    left, mine = laps(world)[-2:]
    assert (left.ended_at, left.exit_code) == (mine.started_at, None)


@BOTH_DATABASES
def test_a_lap_that_another_process_is_at_stays_open(world: LapWorld) -> None:
    begun(world, leases.myself())
    begun(world, "another-host/pid:[1]:7:77:777")
    world.lap()
    assert [row.ended_at for row in laps(world)[-3:-1]] == [None, None]


@BOTH_DATABASES
def test_one_of_another_machine_is_closed_after_a_day(world: LapWorld) -> None:
    begun(world, "another-host/pid:[1]:7:77:777", ago=DAY + timedelta(minutes=1))
    world.lap()
    assert laps(world)[-2].ended_at is not None


@BOTH_DATABASES
def test_a_lap_that_ends_in_a_fault_of_ours_is_closed_by_itself(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(lap, "_pull", fault)
    with pytest.raises(ZeroDivisionError):
        world.lap()
    assert (laps(world)[-1].ended_at, laps(world)[-1].exit_code) == (world.clock.now(), None)
