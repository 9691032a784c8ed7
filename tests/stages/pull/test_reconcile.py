"""`reconcile`: what the laps cannot have seen is found, put right and counted; what is absent is not simply deleted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lap_world import DAY, HOUR, LapWorld
from sqlalchemy import update

from connector.commands import reconcile, status
from connector.commands.reconcile import Comparison
from connector.errors import NotPermitted, Unavailable
from connector.ports import Page
from connector.runtime.call_budget import CallBudget
from connector.store import tables


def night(world: LapWorld, **options: Any) -> Comparison:
    """Let a day go by, run a lap, and compare everything."""
    world.lap(DAY)
    return reconcile.run(world.installation, since=world.clock.now(), **options)


def drift(world: LapWorld) -> dict[str, Any]:
    drift: dict[str, Any] = status.status(world.installation)["crm"]["acme"]["drift"]
    return drift


def names(world: LapWorld) -> set[str]:
    return {row.name for row in world.rows(tables.contact) if row.deleted_at is None}


@pytest.fixture
def people(world: LapWorld) -> list[str]:
    """Three pages of contacts that have been read."""
    account = world.account()
    made = [world.crm.contact(account, f"Person {number}") for number in range(50)]
    world.lap()
    return made


def test_before_the_first_comparison_drift_is_unknown(world: LapWorld) -> None:
    assert drift(world) == {"records": None, "measured_at": None, "objects": {}}


def test_without_a_difference_drift_is_nought_and_says_when(world: LapWorld, people: list[str]) -> None:
    found = night(world)
    assert found.lap.exit_code == 0
    assert found.found["acme"].compared["Contact"] == len(people)
    assert (drift(world)["records"], drift(world)["measured_at"]) == (0, world.clock.now().isoformat())


def test_a_record_that_surfaced_below_the_watermark_is_found(world: LapWorld, people: list[str]) -> None:
    world.crm.contact(None, "Late Comer", at=world.clock.now() - HOUR)
    world.lap()
    assert "Late Comer" not in names(world)
    night(world)
    assert "Late Comer" in names(world)
    assert drift(world)["records"] == drift(world)["objects"]["Contact"]["records"] == 1


def test_a_change_that_left_no_trace_is_put_right(world: LapWorld, people: list[str]) -> None:
    other = world.account("Other")
    world.lap(HOUR)
    world.crm.update(people[7], {"AccountId": other}, at=world.clock.now() - DAY)
    world.lap(HOUR)
    night(world)
    (row,) = [row for row in world.rows(tables.contact) if row.ref == f"Contact/{people[7]}"]
    assert row.account_ref == f"Account/{other}"
    assert drift(world)["objects"]["Contact"]["records"] == 1
    night(world)
    assert drift(world)["records"] == 0


def test_what_changed_too_lately_for_the_laps_is_no_drift(world: LapWorld, people: list[str]) -> None:
    world.lap(DAY)
    world.crm.update(people[0], {"LastName": "Changed Just Now"})
    reconcile.run(world.installation, since=world.clock.now())
    assert drift(world)["records"] == 0


def test_a_record_that_went_without_a_trace_is_taken_as_deleted(world: LapWorld, people: list[str]) -> None:
    world.crm.purge(people[3])
    world.lap()
    assert len(names(world)) == 50
    night(world)
    assert len(names(world)) == 49
    assert drift(world)["objects"]["Contact"]["records"] == 1


def test_what_a_listing_leaves_out_and_the_crm_has_is_kept(
    world: LapWorld, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.adapter.changes

    def forgetful(*args: Any, **kwargs: Any) -> Iterator[Page]:
        for page in real(*args, **kwargs):
            kept = [record for record in page.records if record.id != people[3]]
            yield Page(kept, page.last, page.server_time)

    monkeypatch.setattr(world.adapter, "changes", forgetful)
    assert night(world).lap.exit_code == 0
    assert len(names(world)) == 50


def test_too_many_missing_are_not_believed_until_an_admin_accepts(world: LapWorld, people: list[str]) -> None:
    for gone in people[:11]:
        world.crm.purge(gone)
    found = night(world)
    assert found.lap.exit_code == 3
    assert len(names(world)) == 50
    problem = drift(world)["objects"]["Contact"]["problem"]
    assert "only 39 of 50" in problem
    assert "afterword reconcile --accept-loss" in problem
    assert night(world, accept_loss=True).lap.exit_code == 0
    assert len(names(world)) == 39
    assert drift(world)["objects"]["Contact"]["problem"] is None


def test_a_loss_that_keeps_an_edited_mapping_from_being_read_to_its_end_can_be_accepted(
    world: LapWorld, people: list[str]
) -> None:
    for gone in people[:40]:
        world.crm.delete(gone)
    with world.store.write() as tx:  # as after an edit: contacts are read from the beginning
        tx.execute(update(tables.cursor).values(fingerprint="of another mapping"))
    assert [world.lap().exit_code for _ in range(2)] == [3, 3]
    assert "Contact" not in reconcile.run(world.installation, since=world.clock.now()).found["acme"].compared
    assert reconcile.run(world.installation, since=world.clock.now(), accept_loss=True).lap.exit_code == 0
    assert world.lap().exit_code == 0
    assert len(names(world)) == 10


def test_a_comparison_that_a_wrong_clock_has_dated_ahead_is_made_anew(world: LapWorld, people: list[str]) -> None:
    night(world)
    with world.store.write() as tx:
        tx.execute(update(tables.reconciliation).values(measured_at=world.clock.now() + 365 * DAY))
    world.crm.purge(people[3])
    night(world)
    assert len(names(world)) == 49


def test_an_object_that_is_forbidden_is_not_empty(world: LapWorld, people: list[str]) -> None:
    world.lap(DAY)
    world.crm.faults.fail(NotPermitted("no access to contacts"), kind="read", object="Contact", times=1)
    comparison = reconcile.run(world.installation, since=world.clock.now())
    assert comparison.lap.exit_code == 3
    assert len(names(world)) == 50
    assert "Account" in comparison.found["acme"].drift  # the others were compared


def test_a_listing_that_breaks_off_deletes_nothing_and_goes_on_from_there(world: LapWorld, people: list[str]) -> None:
    world.crm.purge(people[3])
    world.lap(DAY)
    world.crm.faults.fail(Unavailable("down"), kind="read", object="Contact", nth=2)
    assert reconcile.run(world.installation, since=world.clock.now()).lap.exit_code == 3
    assert len(names(world)) == 50
    before = world.adapter.usage().calls
    comparison = reconcile.run(world.installation, since=world.clock.now())
    assert comparison.found["acme"].compared["Contact"] == 49
    assert len(names(world)) == 49
    assert _reads(world, "Contact", before) == 3  # two pages that were left, and one question for the missing one


def _reads(world: LapWorld, object_name: str, since: int) -> int:
    return sum(call.object == object_name for call in world.crm.log.calls[since:])


def test_restored_records_come_back(world: LapWorld, people: list[str]) -> None:
    world.crm.delete(people[5])
    world.lap(HOUR)
    assert len(names(world)) == 49
    world.crm.restore(people[5])
    world.lap(HOUR)
    assert len(names(world)) == 50


def test_a_comparison_leaves_calls_to_the_laps(world: LapWorld, people: list[str]) -> None:
    world.lap(DAY)
    budget = CallBudget("acme", share=0.2, store=world.store, clock=world.clock)
    budget.note_usage(used=0, allowed=1000)
    world.installation = replace(
        world.installation, endpoints=[replace(world.installation.endpoints[0], budget=budget)]
    )
    for _ in range(149):
        budget.take(where="acme")
    assert not reconcile.run(world.installation, since=world.clock.now()).found["acme"].unfinished
    world.clock.advance(HOUR)
    budget.take(where="acme")  # three quarters of the share
    comparison = reconcile.run(world.installation, since=world.clock.now())
    assert comparison.found["acme"].unfinished
    assert not comparison.out_of_time
    assert comparison.lap.exit_code == 0


def test_a_slice_ends_in_time_and_the_next_one_goes_on(world: LapWorld, people: list[str]) -> None:
    world.lap(DAY)
    since = world.clock.now()
    slices = 0
    comparison = Comparison(out_of_time=True)
    while comparison.out_of_time:
        comparison = reconcile.run(world.installation, since=since, within=timedelta(0))
        slices += 1
    assert slices >= 3
    world.clock.advance(HOUR)
    assert drift(world)["records"] == 0
    assert len(drift(world)["objects"]) == len({*world.installation.endpoints[0].mapping.objects})


def test_a_flood_of_deletions_is_not_let_in_lap_by_lap(world: LapWorld, people: list[str]) -> None:
    world.adapter.page_size = 5
    for one in people[:40]:
        world.clock.advance(timedelta(seconds=1))
        world.crm.delete(one)
    left = [len(names(world)) for _ in range(6) if world.lap().exit_code == 3]
    assert left == [40] * 6
    assert reconcile.run(world.installation, since=world.clock.now(), accept_loss=True).lap.exit_code == 0
    assert (len(names(world)), world.lap().exit_code) == (10, 0)
