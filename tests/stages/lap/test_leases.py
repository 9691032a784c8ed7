"""A lease is held by one, for as long as it lives."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from databases import BOTH_DATABASES
from lap_world import CSAT, UNHAPPY, LapWorld
from sqlalchemy import select, update

from connector.errors import LeaseLost, StoreError
from connector.stages.context import Context
from connector.stages.follow_up import stage as follow_up_stage
from connector.stages.score import stage as score
from connector.store import Store
from connector.store.ops import leases
from connector.store.tables import follow_up
from connector.store.tables import lease as table


def beat_at(store: Store) -> datetime | None:
    with store.read() as tx:
        beat: datetime | None = tx.execute(select(table.c.beat_at)).scalar_one()
    return beat


@BOTH_DATABASES
def test_a_beat_that_the_database_does_not_take_is_not_the_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.01)
    write, refused, taken = store.write, threading.Event(), threading.Event()

    def busy_once():  # type: ignore[no-untyped-def]
        if threading.current_thread().name == "lease-read:acme":
            if not refused.is_set():
                refused.set()
                raise StoreError("busy")
            taken.set()
        return write()

    monkeypatch.setattr(store, "write", busy_once)
    with leases.held(store, "read:acme") as mine:
        assert mine is not None
        assert refused.wait(5)
        assert taken.wait(5)


@BOTH_DATABASES
def test_a_holder_in_another_container_of_this_host_is_not_taken_for_dead(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_here", lambda: "host/pid:[1]")
    monkeypatch.setattr(leases, "_started", lambda _pid: "100")
    assert leases.acquire(store, "read:acme") is not None
    monkeypatch.setattr(leases, "_here", lambda: "host/pid:[2]")
    monkeypatch.setattr(leases, "_started", lambda _pid: "-")
    assert leases.acquire(store, "read:acme") is None


@BOTH_DATABASES
def test_whoever_was_silent_for_too_long_writes_no_more(store: Store) -> None:
    old = leases.acquire(store, "read:acme")
    assert old is not None
    with store.write() as tx:
        tx.execute(update(table).values(beat_at=datetime.now(UTC) - leases.TTL - timedelta(seconds=1)))
    new = leases.acquire(store, "read:acme")
    assert new is not None
    with store.write() as tx:
        new.check(tx)
        with pytest.raises(LeaseLost):
            old.check(tx)
    leases.release(store, old)  # it is not the old one's to give back
    assert beat_at(store) is not None


@BOTH_DATABASES
def test_a_lap_that_was_taken_over_between_two_stages_does_the_next_one_no_more(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account))
    world.answer(invitation, 1)

    def taken_over(_context: Context) -> score.ScoreResult:
        with world.store.write() as tx:
            tx.execute(update(table).where(table.c.name == "judging").values(fence=table.c.fence + 1))
        return score.ScoreResult()

    with monkeypatch.context() as patched:
        patched.setattr(score, "run", taken_over)
        assert world.lap().busy == ["judging"]
    assert world.rows(follow_up) == []
    with world.store.write() as tx:
        tx.execute(update(table).values(owner=None))
    world.lap()
    assert len(world.rows(follow_up)) == 1


@BOTH_DATABASES
def test_alerts_end_when_the_lap_is_told_to(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.configure(CSAT + UNHAPPY + 'notify = ["account_owner"]\n')
    world.crm.update(world.rep, {"Email": "ritva@acme.example"})
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account))
    world.answer(invitation, 1)
    before = len(world.mailbox.messages)
    follow_up_run = follow_up_stage.run

    def told_to_end(context: Context) -> follow_up_stage.FollowUpResult:
        result = follow_up_run(context)
        context.stop.set()
        return result

    with monkeypatch.context() as patched:
        patched.setattr(follow_up_stage, "run", told_to_end)
        world.lap()
    assert len(world.mailbox.messages) == before
    world.installation.stop.clear()
    world.lap()
    assert world.mailbox.recipients[before:] == ["ritva@acme.example"]
