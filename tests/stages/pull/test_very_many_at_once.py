"""What a customer, or two whole CRMs, may have very many of is taken in page by page, and comes to the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld
from sqlalchemy import select

from connector.store import Store, tables
from connector.store.crm import links
from connector.store.results import follow_up_facts

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(params=[2, 500])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many answers of a customer are looked at together."""
    monkeypatch.setattr(follow_up_facts, "AT_ONCE", request.param)
    return int(request.param)


@BOTH_DATABASES
def test_each_of_many_bad_answers_has_its_follow_up(world: LapWorld, at_once: int) -> None:
    account = world.account()
    people = [world.crm.contact(account, f"Person {number}") for number in range(7)]
    for invitation in world.ask_people([(account, contact) for contact in people]):
        world.answer(invitation, 1)
    for _ in range(4):
        world.lap()
    assert sorted(task["WhoId"] for task in world.tasks()) == sorted(people)
    assert all(row.considered_at is not None for row in world.rows(tables.response))


@BOTH_DATABASES
def test_a_later_good_answer_that_comes_with_a_later_page_closes(world: LapWorld, at_once: int) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    others = [world.crm.contact(account, f"Person {number}") for number in range(4)]
    bad, *rest = world.ask_people([(account, contact) for contact in (maria, *others)])
    world.answer(bad, 1)
    for invitation in rest:
        world.answer(invitation, 3)
    good = world.ask(account, maria)
    world.answer(good, 5)
    for _ in range(4):
        world.lap()
    states = {row.state for row in world.rows(tables.follow_up)}
    assert states <= {"closed"}
    assert all(row.considered_at is not None for row in world.rows(tables.response))


# ── linking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def put(store: Store, *accounts: tuple[str, str, str | None]) -> None:
    rows: list[dict[str, Any]] = [
        {"id": name, "connection": crm, "ref": f"Account/{name}", "customer": name, "name": name, "link": link}
        for name, crm, link in accounts
    ]
    with store.write() as tx:
        tx.execute(tables.account.insert(), [row | {"is_customer": True, "facts": {}} for row in rows])


def settled(store: Store) -> tuple[int, dict[str, str]]:
    """Link, and return how many accounts moved and which customer each is."""
    with store.write() as tx:
        moved = links.settle(tx, NOW)
        return moved, {row.id: row.customer for row in tx.execute(select(tables.account))}


def change(store: Store, name: str, **columns: Any) -> None:
    with store.write() as tx:
        tx.execute(tables.account.update().where(tables.account.c.id == name).values(**columns))


@pytest.mark.parametrize("page", [1, 2, 500])
@BOTH_DATABASES
def test_two_crms_are_linked_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(links, "PAGE", page)
    pairs = [(f"{crm}{n}", crm, f"{n}.example") for n in range(5) for crm in ("a", "b")]
    crowd = [(f"z{n}", "a", "gmail.com") for n in range(4)]
    put(store, *pairs, *crowd)
    moved, customers = settled(store)
    assert (moved, customers) == (
        5,
        {f"{crm}{n}": f"a{n}" for n in range(5) for crm in ("a", "b")} | {f"z{n}": f"z{n}" for n in range(4)},
    )
    assert settled(store)[0] == 0
    # Keys that are another by now, or gone, or shared by too many.
    for n in range(3):
        change(store, f"b{n}", link=f"other{n}.example")
    change(store, "b3", link=None)
    put(store, ("c4", "a", "4.example"))
    moved, customers = settled(store)
    assert (moved, {name: customers[name] for name in ("b0", "b1", "b2", "b3", "b4", "c4")}) == (
        5,
        {name: name for name in ("b0", "b1", "b2", "b3", "b4", "c4")},
    )
    assert settled(store)[0] == 0
