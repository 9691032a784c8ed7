"""Associations that come later and leave no trace on the record: whoever waits for one is decided on when it is there."""

from datetime import timedelta
from typing import Any

from lap_world import CSAT, DAY, HOUR, LapWorld
from sqlalchemy import update

from connector.errors import NotPermitted
from connector.store import tables


def unresolved(world: LapWorld) -> str:
    """Close a case that belongs to nobody yet, and let it be read."""
    case = world.crm.case(None)
    world.clock.advance(HOUR)
    world.crm.close(case)
    assert world.lap().invited == 0
    return case


def associate(world: LapWorld, case: str) -> None:
    """Say whose case it is, without moving its stamp."""
    account = world.account()
    values = {"AccountId": account, "ContactId": world.crm.contact(account)}
    row = world.crm.row(case)
    assert row is not None
    world.crm.update(case, values, at=row.latest.modified)


def decided(world: LapWorld) -> list[tuple[Any, Any]]:
    return [(row.state, row.reason) for row in world.rows(tables.decision)]


def test_a_late_association_is_found_within_the_hour_and_decided_on(world: LapWorld) -> None:
    case = unresolved(world)
    assert decided(world) == [("waiting", "no_account")]
    world.clock.advance(9 * DAY)
    world.lap()
    associate(world, case)
    assert world.lap(timedelta(minutes=10)).invited == 0
    assert world.lap(HOUR).invited == 1
    assert decided(world) == [("invited", None)]


def test_an_hour_that_a_wrong_clock_has_dated_ahead_is_not_waited_for(world: LapWorld) -> None:
    case = unresolved(world)
    with world.store.write() as tx:
        tx.execute(update(tables.cursor).values(moved_at=world.clock.now() + 365 * DAY))
    world.lap(HOUR)
    associate(world, case)
    assert world.lap(HOUR).invited == 1


def test_what_waits_is_read_again_once_an_hour_and_nothing_else_is(world: LapWorld) -> None:
    case = unresolved(world)
    world.ask(world.account(), world.crm.contact(None, "Somebody Else", AccountId=world.account()))
    world.lap(HOUR)
    before = len(world.crm.log.calls)
    for _ in range(12):
        world.lap(timedelta(minutes=10))
    read = [call.records for call in world.crm.log.calls[before:] if call.method == "fetch"]
    assert read == [(case,)] * 2


def test_what_waits_for_a_survey_that_is_no_more_is_not_read_again(world: LapWorld) -> None:
    unresolved(world)
    world.configure(CSAT.replace("after-case", "after-each-case"))
    before = len(world.crm.log.calls)
    for _ in range(3):
        world.lap(HOUR)
    assert [call for call in world.crm.log.calls[before:] if call.method == "fetch"] == []


def test_a_case_that_was_deleted_meanwhile_is_not_waited_for(world: LapWorld) -> None:
    world.crm.delete(unresolved(world))
    world.lap(HOUR)
    assert decided(world) == [("cancelled", "deleted")]


def test_what_may_not_be_read_again_waits_on(world: LapWorld) -> None:
    unresolved(world)
    world.crm.faults.fail(NotPermitted("no access to cases"), kind="read", object="Case", nth=2, times=1)
    report = world.lap(2 * HOUR)
    assert report.exit_code == 3
    assert decided(world) == [("waiting", "no_account")]
