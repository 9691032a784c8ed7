"""A first reading of very many records: indexes are put aside meanwhile, and there again at its end, whatever interrupts it."""

from itertools import pairwise

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld
from sqlalchemy import event, func, inspect, select

from connector.errors import Unavailable
from connector.stages.pull import stage as pull
from connector.store import tables
from connector.store.crm import merges
from connector.store.db import first_fill
from connector.store.db.migrate import differences, migrate

PEOPLE = 50


@pytest.fixture(autouse=True)
def _many_is_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_fill, "MANY", 20)


def fill(world: LapWorld) -> None:
    account = world.account()
    for number in range(PEOPLE):
        world.crm.contact(account, f"Person {number}")
    with world.store.write() as tx:
        tx.execute(tables.cursor.delete())  # nothing has been read yet


def indexes(world: LapWorld) -> set[str]:
    return {str(index["name"]) for index in inspect(world.store.engine).get_indexes("contact")}


def seen_meanwhile(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Keep which indexes there are after each page that is stored."""
    seen: list[set[str]] = []
    real = merges.settle

    def progress(_crm: str, _object: str, records: int) -> None:
        if records >= first_fill.MANY:
            seen.append(indexes(world))

    object.__setattr__(world.installation, "progress", progress)
    monkeypatch.setattr(merges, "settle", lambda *given: (seen.append(indexes(world)), real(*given)))
    return seen


def test_they_are_aside_while_it_lasts_and_there_before_anything_is_looked_for(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = indexes(world)
    fill(world)
    seen = seen_meanwhile(world, monkeypatch)
    assert world.lap().exit_code == 0
    assert (seen[0], seen[-1]) == (set(), complete)
    assert len({row.ref for row in world.rows(tables.contact)}) == PEOPLE


def test_they_stay_where_the_store_holds_much_already(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.account()
    world.lap()
    monkeypatch.setattr(first_fill, "FEW", 0)
    complete = indexes(world)
    fill(world)
    seen = seen_meanwhile(world, monkeypatch)
    world.lap()
    assert set(map(frozenset, seen)) == {frozenset(complete)}


def test_they_are_there_after_a_failure(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "TOGETHER", 1)
    complete = indexes(world)
    fill(world)
    world.crm.faults.fail(Unavailable("down"), kind="read", object="Contact", nth=3)
    assert world.lap().exit_code == 3
    assert len(world.rows(tables.contact)) == 2 * world.adapter.page_size
    assert indexes(world) == complete


def test_whoever_opens_the_store_next_makes_them_again_after_a_power_cut(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = indexes(world)
    fill(world)
    with monkeypatch.context() as dead:
        dead.setattr(first_fill.FirstFill, "end", lambda _self: None)
        world.lap()
    assert indexes(world) == set()
    migrate(world.store)
    assert indexes(world) == complete
    with world.store.read() as tx:
        assert differences(tx) == []


@BOTH_DATABASES
def test_pages_that_wait_are_stored_together(world: LapWorld) -> None:
    fill(world)
    counted: list[int] = []

    @event.listens_for(world.store.engine, "commit")
    def _count(connection: object) -> None:
        people = select(func.count()).select_from(tables.contact)
        counted.append(connection.execute(people).scalar_one())  # type: ignore[attr-defined]

    world.lap()
    assert [later - before for before, later in pairwise(counted) if later > before] == [PEOPLE]
