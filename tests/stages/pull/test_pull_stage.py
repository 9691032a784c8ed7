"""`pull`: a cursor moves with its rows or not at all, whatever interrupts it."""

from datetime import timedelta
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import HOUR, LapWorld
from sqlalchemy import func, select

from connector.commands import reconcile
from connector.errors import CursorInvalid, ImplausibleLoss, NotPermitted, Unavailable
from connector.stages import lap
from connector.stages.order import Stage
from connector.stages.pull import stage as pull_stage
from connector.store import tables
from connector.store.crm import cursors

PEOPLE = 50
"""More than two pages."""


class PowerCut(Exception):
    """The process dies here."""


def fill(world: LapWorld) -> str:
    account = world.account()
    for number in range(PEOPLE):
        world.crm.contact(account, f"Person {number}")
    return account


@pytest.fixture
def page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store each page in a transaction of its own, though others wait."""
    monkeypatch.setattr(pull_stage, "TOGETHER", 1)


def stored(world: LapWorld) -> int:
    with world.store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(tables.contact)).scalar_one())


def place(world: LapWorld) -> Any:
    """Return where reading the contacts stands."""
    return next(row.position for row in world.rows(tables.cursor) if row.object == "Contact")


@BOTH_DATABASES
@pytest.mark.usefixtures("page_by_page")
def test_a_power_cut_between_the_rows_and_the_cursor_loses_both(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    before = place(world)
    real, pages = cursors.save, 0

    def save(connection: Any, crm: str, object_name: str, *args: Any, **kwargs: Any) -> None:
        nonlocal pages
        pages += object_name == "Contact"
        if pages == 2:
            raise PowerCut
        real(connection, crm, object_name, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(cursors, "save", save)
        with pytest.raises(PowerCut):
            world.lap()
    after_one_page = place(world)
    assert after_one_page != before
    assert stored(world) == world.adapter.page_size
    assert world.lap().exit_code == 0
    assert stored(world) == PEOPLE
    assert {row.name for row in world.rows(tables.contact)} == {f"Person {number}" for number in range(PEOPLE)}


@BOTH_DATABASES
def test_what_was_read_before_a_failure_is_kept_and_the_rest_follows(world: LapWorld) -> None:
    fill(world)
    world.crm.faults.fail(Unavailable("down"), kind="read", object="Contact", nth=2)
    assert world.lap().exit_code == 3
    assert stored(world) == world.adapter.page_size
    report = world.lap()
    assert report.exit_code == 0
    assert stored(world) == PEOPLE


@BOTH_DATABASES
def test_a_place_that_the_crm_forgot_is_begun_again_within_the_lap(world: LapWorld) -> None:
    fill(world)
    world.crm.faults.fail(CursorInvalid("that locator is gone"), kind="read", object="Contact", nth=2)
    assert world.lap().exit_code == 0
    assert stored(world) == PEOPLE


@BOTH_DATABASES
def test_an_object_that_is_forbidden_pauses_and_the_others_go_on(world: LapWorld) -> None:
    account = fill(world)
    world.crm.faults.fail(NotPermitted("no access to cases"), kind="read", object="Case", times=1)
    assert world.lap().exit_code == 3
    assert stored(world) == PEOPLE
    world.crm.close(world.crm.case(account, world.crm.contact(account, "Late Comer")))
    assert world.lap().invited == 1


@BOTH_DATABASES
def test_a_record_that_was_committed_late_is_not_missed(world: LapWorld) -> None:
    account = world.account()
    world.lap()
    world.crm.commit_delay = timedelta(minutes=3)  # its stamp will be older than the laps in between
    world.crm.contact(account, "Late Comer")
    world.crm.commit_delay = timedelta()
    world.lap(timedelta(minutes=1))
    assert stored(world) == 0
    world.lap(timedelta(minutes=3))
    assert stored(world) == 1


@BOTH_DATABASES
def test_reading_twice_changes_nothing(world: LapWorld) -> None:
    fill(world)
    world.lap()
    before = world.rows(tables.contact)
    report = world.lap(timedelta(minutes=1))
    assert report.pulled["acme"].counts["contact"].changed == 0
    assert world.rows(tables.contact) == before


def test_what_was_deleted_before_we_knew_it_is_counted_too(world: LapWorld) -> None:
    account = world.account()
    world.lap()
    world.crm.delete(world.crm.contact(account))
    counts = world.lap().pulled["acme"].counts["contact"]
    assert (counts.read, counts.deleted, counts.unchanged) == (1, 0, 1)


@BOTH_DATABASES
def test_each_stage_can_be_run_alone_and_again(world: LapWorld) -> None:
    account = fill(world)
    case = world.crm.case(account, world.crm.contact(account, "Maria"))
    world.clock.advance(HOUR)
    world.crm.close(case)
    world.clock.advance(HOUR)
    for stage in Stage:
        for _ in range(2):
            assert lap.run(world.installation, stages=(stage,)).exit_code == 0
    assert len(world.mailbox.messages) == 1
    assert world.lap().invited == 0


def alive(world: LapWorld) -> int:
    return sum(row.deleted_at is None for row in world.rows(tables.contact))


@BOTH_DATABASES
def test_more_deletions_at_once_than_can_be_believed_wait_for_an_admin(world: LapWorld) -> None:
    account = fill(world)
    world.lap()
    for row in world.crm.all("Contact")[: PEOPLE // 2]:
        world.crm.delete(row["Id"])
    world.crm.close(world.crm.case(account, world.crm.contact(account, "Late Comer")))
    report = world.lap()
    (problem,) = report.failures["acme"]
    assert isinstance(problem, ImplausibleLoss)
    assert report.exit_code == 3
    assert alive(world) >= PEOPLE - 10
    assert report.pulled["acme"].counts["case"].changed == 1  # the other objects go on
    reconcile.run(world.installation, since=world.clock.now(), accept_loss=True)
    assert world.lap().exit_code == 0
    assert alive(world) == PEOPLE // 2 + 1


@BOTH_DATABASES
def test_a_restored_record_gets_what_could_not_be_written_before_it_was_deleted(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    invitation = world.ask(account, world.crm.contact(account, "Mika Aho"))
    world.answer(invitation, 5)
    world.crm.faults.fail(Unavailable("down"), kind="write", times=1)
    assert world.lap().exit_code == 3
    world.crm.delete(account)
    world.lap()
    world.crm.restore(account)
    world.lap()
    assert world.shows(account)["People"] == 2


@BOTH_DATABASES
def test_a_restored_account_is_scored_again(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    for row in world.crm.all("Case"):
        world.crm.delete(row["Id"])
    world.crm.delete(account)
    world.lap()
    assert [row.figures for row in world.rows(tables.customer_score)] == [None]
    world.crm.restore(account)
    world.lap()
    assert [row.figures is not None for row in world.rows(tables.customer_score)] == [True]
