"""Whoever has lost the lease stores nothing more, at whatever page of whatever stage; and it is no fault of anybody's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from lap_world import CSAT, DAY, UNHAPPY, LapWorld
from sqlalchemy import update

from connector.errors import MailboxRefused, MailUnavailable
from connector.stages import lap
from connector.stages.alerts import stage as notices
from connector.stages.deliver import stage as deliver
from connector.stages.follow_up import stage as follow_up
from connector.stages.invite import stage as invite
from connector.stages.order import ASKING
from connector.stages.score import stage as score
from connector.stages.write_back import stage as write_back
from connector.store import Store, tables
from connector.store.ops import leases
from connector.store.tables import lease as table


def take_over(world: LapWorld, name: str) -> None:
    """As another process does that finds a lease let lapse."""
    with world.store.write() as tx:
        tx.execute(update(table).where(table.c.name == name).values(fence=table.c.fence + 1))


def give_back(world: LapWorld) -> None:
    """As the other process does when it is through."""
    with world.store.write() as tx:
        tx.execute(update(table).values(owner=None))


def taken_over_before(world: LapWorld, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, lease: str) -> None:
    """Let another process take over just before a function is called."""
    real = getattr(where, name)

    def late(*args: Any, **kwargs: Any) -> Any:
        take_over(world, lease)
        return real(*args, **kwargs)

    monkeypatch.setattr(where, name, late)


def contents(world: LapWorld) -> dict[str, list[Any]]:
    names = ("decision", "invitation", "attempt", "response", "customer_score", "follow_up", "alert")
    return {name: sorted(map(repr, world.rows(getattr(tables, name)))) for name in names}


def close_a_case(world: LapWorld) -> None:
    account = world.account("Southwind")
    world.crm.close(world.crm.case(account, world.crm.contact(account, "Maria Virtanen")))


def answer(world: LapWorld) -> None:
    account = world.account("Southwind")
    world.answer(world.ask(account, world.crm.contact(account, "Maria Virtanen")), 1)


class Taken(NamedTuple):
    """Which stage another process takes over, what happened before it, and which stages were through."""

    module: Any
    stage: lap.Stage
    happens: Callable[[LapWorld], None]
    before: tuple[lap.Stage, ...]


STAGES = [
    Taken(invite, lap.Stage.INVITE, close_a_case, (lap.Stage.PULL,)),
    Taken(deliver, lap.Stage.DELIVER, close_a_case, (lap.Stage.PULL, lap.Stage.INVITE)),
    Taken(score, lap.Stage.SCORE, answer, ()),
    Taken(follow_up, lap.Stage.FOLLOW_UP, answer, (lap.Stage.SCORE,)),
]


@pytest.mark.parametrize("taken", STAGES, ids=[one.stage.value for one in STAGES])
def test_a_stage_that_was_taken_over_stores_and_sends_nothing(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch, taken: Taken
) -> None:
    module, stage, happens, before = taken
    lease = "asking" if stage in ASKING else "judging"
    happens(world)
    world.clock.advance(timedelta(minutes=1))
    if before:
        lap.run(world.installation, stages=before)
    then, mails = contents(world), len(world.mailbox.messages)
    with monkeypatch.context() as patched:
        taken_over_before(world, patched, module, "run", lease)
        report = lap.run(world.installation, stages=(lap.Stage.PULL, stage))
    assert (report.exit_code, report.busy, report.failures) == (0, [lease], {})
    assert (contents(world), len(world.mailbox.messages)) == (then, mails)
    give_back(world)
    assert lap.run(world.installation, stages=(lap.Stage.PULL, stage)).busy == []
    assert (contents(world), len(world.mailbox.messages)) != (then, mails)


def test_what_was_sent_is_noted_all_the_same(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    close_a_case(world)
    taken_over_before(world, monkeypatch, world.mailbox, "send", "asking")
    world.lap()
    assert [row.state for row in world.rows(tables.attempt)] == ["sent"]


@pytest.mark.parametrize("trouble", [MailboxRefused("no address"), MailUnavailable("from is no address")])
def test_a_message_that_cannot_be_made_is_left_to_who_has_taken_over(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    close_a_case(world)
    world.clock.advance(timedelta(minutes=1))
    lap.run(world.installation, stages=(lap.Stage.PULL, lap.Stage.INVITE))
    then = contents(world)
    world.mailbox.unmakeable = trouble
    taken_over_before(world, monkeypatch, world.mailbox, "prepare", "asking")
    assert lap.run(world.installation, stages=(lap.Stage.PULL, lap.Stage.DELIVER)).busy == ["asking"]
    assert contents(world) == then


def test_nobody_is_told_by_a_lap_that_was_taken_over(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crm.update(world.rep, {"Email": "ritva@acme.example"})
    world.configure(CSAT + UNHAPPY + 'notify = ["account_owner"]\n')
    answer(world)
    mails = len(world.mailbox.messages)
    with monkeypatch.context() as patched:
        taken_over_before(world, patched, notices, "run", lap.TELLING)
        assert lap.TELLING in world.lap().busy
    assert (world.rows(tables.alert), len(world.mailbox.messages)) == ([], mails)
    give_back(world)
    world.lap(DAY)
    assert world.rows(tables.alert) != []


@pytest.mark.parametrize("module", [write_back])
def test_a_connection_that_was_taken_over_is_left_to_the_other_process(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    answer(world)
    with monkeypatch.context() as patched:
        taken_over_before(world, patched, module, "run", lap.write_lease("acme"))
        report = world.lap()
    assert (report.exit_code, report.busy, report.failures) == (0, ["acme"], {})
    give_back(world)
    assert world.lap().exit_code == 0
    assert len(world.tasks()) == 1


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY])
def test_a_sign_of_life_from_the_future_keeps_nobody_out(store: Store, ahead: timedelta) -> None:
    assert leases.acquire(store, "read:acme") is not None
    with store.write() as tx:
        elsewhere = {"owner": "another-host/pid:[1]:7:77:777", "beat_at": datetime.now(UTC) + ahead}
        tx.execute(update(table).values(**elsewhere))
    assert leases.acquire(store, "read:acme") is not None


def test_a_clock_that_is_a_little_ahead_is_believed(store: Store) -> None:
    assert leases.acquire(store, "read:acme") is not None
    with store.write() as tx:
        elsewhere = {"owner": "another-host/pid:[1]:7:77:777", "beat_at": datetime.now(UTC) + timedelta(seconds=30)}
        tx.execute(update(table).values(**elsewhere))
    assert leases.acquire(store, "read:acme") is None
