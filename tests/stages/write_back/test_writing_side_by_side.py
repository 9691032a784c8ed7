"""Several write at once, a lap and whoever brings an answer: no record is written by two, and the newest answer stands there."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import HOUR, LapWorld

from connector.model import MARK_KEY
from connector.ports import Page, Write, WriteResult
from connector.stages import lap
from connector.stages.order import AFTER_AN_ANSWER
from connector.stages.report import Report
from connector.stages.write_back import outbox
from connector.store import tables
from connector.store.outbox import fields


def bring(world: LapWorld, account: str) -> Report:
    """Bring what this account's people have answered to the CRM, as after an answer."""
    (customer,) = {row.customer for row in world.rows(tables.account) if row.ref.endswith(account)}
    return lap.run(world.installation, stages=AFTER_AN_ANSWER, customers=[customer])


@contextmanager
def once_before(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, come: Callable[[], object], when: Callable[..., bool]
) -> Iterator[None]:
    """Let somebody come just before a function is called for which `when` holds, once."""
    real, came = getattr(where, name), []

    def called(*args: Any, **kwargs: Any) -> Any:
        if not came and when(*args):
            came.append(True)
            come()
        return real(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(where, name, called)
        yield
    assert came


def on(object_name: str) -> Callable[[Sequence[Write]], bool]:
    return lambda writes: writes[0].object == object_name


def asked_twice(world: LapWorld) -> tuple[str, str, str]:
    """Return an account and the invitations of two of its people."""
    account = world.account()
    first, second = (world.crm.contact(account, name) for name in ("Maria Virtanen", "Olli Laine"))
    invitations = world.ask_people([(account, first), (account, second)])
    return account, invitations[0], invitations[1]


@BOTH_DATABASES
def test_an_answer_reaches_its_records_without_any_lap(world: LapWorld) -> None:
    account, first, _ = asked_twice(world)
    world.answer(first, 1, "Still broken")
    report = bring(world, account)
    assert (report.exit_code, report.follow_ups, world.shows(account)["People"]) == (0, 1, 1)
    assert [task["WhatId"] for task in world.tasks()] == [account]


@BOTH_DATABASES
def test_a_record_that_a_lap_is_writing_shows_the_newer_answer_in_the_end(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE", timedelta(seconds=0.3))
    account, first, second = asked_twice(world)
    world.answer(first, 5)

    def come() -> None:
        world.answer(second, 4)
        bring(world, account)  # it finds the record claimed, and leaves it to the lap

    with once_before(monkeypatch, world.adapter, "write", come, on("Account")):
        report = world.lap()
    assert report.exit_code == 0
    assert world.shows(account)["People"] == 2
    assert [row.pending for row in world.rows(tables.outbox_record)] == [False] * 3
    assert world.rows(tables.write_claim) == []
    writes = world.writes()
    world.lap()
    assert world.writes() == writes


@BOTH_DATABASES
def test_a_task_that_a_lap_is_making_is_made_once(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PATIENCE", timedelta(seconds=0.3))
    account, first, _ = asked_twice(world)
    world.answer(first, 1)
    with once_before(monkeypatch, world.adapter, "write", lambda: bring(world, account), on("Task")):
        world.lap()
    made = [row for row in world.rows(tables.write_log) if row.outcome == "created"]
    assert (len(world.tasks()), len(made)) == (1, 1)


class Order:
    """Takes everything as one order, and carries it out after somebody came."""

    least = 1
    most = 10

    def __init__(self, world: LapWorld, come: Callable[[], object]) -> None:
        self.world = world
        self.come: Callable[[], object] | None = come
        self.orders = 0

    def write(self, writes: Sequence[Write], _stopping: Callable[[], bool]) -> list[WriteResult]:
        self.orders += 1
        come, self.come = self.come, None
        if come is not None:
            come()
        return self.world.adapter.write(writes)


@BOTH_DATABASES
def test_an_answer_does_not_wait_for_a_bulk_order_and_the_orders_older_value_does_not_stay(world: LapWorld) -> None:
    account, first, second = asked_twice(world)
    world.answer(first, 5)
    shown = []

    def come() -> None:
        world.answer(second, 4)
        bring(world, account)
        shown.append(world.shows(account)["People"])

    world.adapter.bulk = order = Order(world, come)
    assert world.lap().exit_code == 0
    assert (shown, order.orders > 0) == ([2], True)
    world.adapter.bulk = None
    assert world.shows(account)["People"] == 2, "the order wrote 1 after that; it was read back and written again"
    world.lap()
    assert [(row.pending, row.read_back, row.bulk_order) for row in world.rows(tables.outbox_record)] == [
        (False, False, None)
    ] * 3


@BOTH_DATABASES
def test_what_an_order_wrote_whose_process_died_is_read_back(world: LapWorld) -> None:
    account, first, second = asked_twice(world)
    world.answer(first, 5)

    class Died(BaseException):
        """The process ends in the middle."""

    def die() -> None:
        raise Died

    world.adapter.bulk = Order(world, die)
    with pytest.raises(Died):
        world.lap()
    world.adapter.bulk = None
    world.answer(second, 4)
    bring(world, account)
    world.crm.update(account, {"Afterword_People__c": 1})  # the order is carried out late
    lap.run(world.installation, stages=(lap.Stage.WRITE_BACK,))  # nobody has read the record since
    assert world.shows(account)["People"] == 2


@BOTH_DATABASES
def test_a_page_that_was_read_before_an_answer_was_written_says_nothing_of_it(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    world.answer(world.ask(account, contact), 2)
    world.lap()
    again = world.ask(account, contact)
    real, came = world.adapter.changes, []

    def changes(query: Any, **place: Any) -> Iterator[Page]:
        for page in real(query, **place):
            if query.object == "Account" and not came:
                came.append(True)
                world.answer(again, 1, "It broke again")
                bring(world, account)
            yield page

    world.crm.update(account, {"Name": "Northwind Oy"})
    monkeypatch.setattr(world.adapter, "changes", changes)
    world.lap()
    monkeypatch.undo()
    world.lap()
    assert came
    assert "1 of 5" in world.shows(account)["Attention"]
    (task,) = world.tasks()
    assert ("It broke again" in task["Description"], "1 of 5" in task["Subject"]) == (True, True)
    (follow_up,) = world.rows(tables.follow_up)
    assert follow_up.task_left_at is None, "nobody else has changed the task's texts"
    (row,) = [row for row in world.rows(tables.outbox_record) if row.ref.endswith(account)]
    assert {last["times"] for last in row.written.values()} == {1}, "nobody else has put a value over ours"


@BOTH_DATABASES
def test_what_somebody_died_over_is_read_back_and_written(world: LapWorld) -> None:
    account, first, second = asked_twice(world)
    world.answer(first, 5)
    world.lap()
    world.crm.update(
        account, {"Afterword_Details__c": "https://elsewhere.example"}
    )  # what they had written, or somebody
    world.answer(second, 5)
    with world.store.write() as tx:
        dead = {"claim": "c1", "owner": "elsewhere:1:1:1", "until": datetime(2020, 1, 1, tzinfo=UTC)}
        tx.execute(tables.write_claim.insert().values(connection="acme", key=f"account:Account/{account}", **dead))
    bring(world, account)  # nobody has read the record since
    assert (world.shows(account)["People"], world.rows(tables.write_claim)) == (2, [])
    assert "elsewhere" not in world.shows(account)["Details"]


@BOTH_DATABASES
def test_what_somebody_alive_is_writing_is_left_to_them(world: LapWorld) -> None:
    account, first, _ = asked_twice(world)
    world.answer(first, 5)
    with world.store.write() as tx:
        alive = {"claim": "c1", "owner": "elsewhere:1:1:1", "until": datetime.now(UTC) + timedelta(minutes=5)}
        tx.execute(tables.write_claim.insert().values(connection="acme", key=f"account:Account/{account}", **alive))
    assert world.lap().exit_code == 0
    assert world.shows(account) == {}


@BOTH_DATABASES
def test_a_task_that_was_completed_while_it_was_read_and_written_is_noted(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    world.answer(world.ask(account, contact), 2)
    world.lap()
    again = world.ask(account, contact)
    (task,) = world.tasks()
    real, done = world.adapter.changes, threading.Event()

    def changes(query: Any, **place: Any) -> Iterator[Page]:
        if query.object == "Task":
            assert done.wait(60)
        for page in real(query, **place):
            if query.object == "Account" and not done.is_set():
                world.answer(again, 1, "It broke again")
                bring(world, account)
                world.crm.update(task["Id"], {"Status": "Completed"})
                done.set()
            yield page

    world.crm.update(account, {"Name": "Northwind Oy"})
    with monkeypatch.context() as patched:
        patched.setattr(world.adapter, "changes", changes)
        world.lap()
    world.lap()
    (follow_up,) = world.rows(tables.follow_up)
    assert (follow_up.state, follow_up.task_state) == ("waiting_for_outcome", "completed")


def four_answered(world: LapWorld) -> None:
    """Let somebody of each of four accounts answer, and their records show it."""
    accounts = [world.account(f"Account {number}") for number in range(4)]
    people = [(account, world.crm.contact(account, f"Person of {account}")) for account in accounts]
    for invitation in world.ask_people(people):
        world.answer(invitation, 5)
    world.lap()


@BOTH_DATABASES
def test_records_that_need_no_write_are_settled_where_orders_are_given(world: LapWorld) -> None:
    world.adapter.bulk = order = Order(world, lambda: None)
    four_answered(world)
    with world.store.write() as tx:
        fields.compare_again(tx, "acme")  # as after an edit of the mapping
    order.orders = 0
    world.lap()
    assert (order.orders, [row.ref for row in world.rows(tables.outbox_record) if row.pending]) == (0, [])


@BOTH_DATABASES
def test_the_records_of_an_order_that_was_left_are_read_back_once(world: LapWorld) -> None:
    world.adapter.bulk = Order(world, lambda: None)
    four_answered(world)
    with world.store.write() as tx:
        tx.execute(tables.outbox_record.update().values(bulk_order="left"))
    world.lap()
    left = [row.ref for row in world.rows(tables.outbox_record) if row.pending or row.read_back or row.bulk_order]
    assert left == []


@BOTH_DATABASES
def test_two_that_would_renew_the_installations_mark_at_once_do_so_one_after_the_other(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.account()
    world.lap()
    world.lap(2 * HOUR)
    world.clock.advance(2 * HOUR)
    others: list[threading.Thread] = []

    def come() -> None:
        other = threading.Thread(target=lap.run, args=(world.installation,), kwargs={"stages": (lap.Stage.PULL,)})
        others.append(other)
        other.start()
        other.join(1)  # it would be through by then, and its run would be overwritten by ours

    with once_before(monkeypatch, world.adapter, "write", come, lambda writes: writes[0].key == MARK_KEY):
        lap.run(world.installation, stages=(lap.Stage.PULL,))
    others[0].join(60)
    assert [world.lap(2 * HOUR).exit_code for _ in range(3)] == [0, 0, 0]
