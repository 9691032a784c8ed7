"""A machine's clock that was ahead for a while: what it dated ahead is looked at again as soon as the clock is right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lap_world import DAY, LapWorld

from connector.runtime.clock import SteppedClock
from connector.store import Store, tables


class SetClock(SteppedClock):
    """A clock that somebody sets."""

    def set_back(self, step: timedelta) -> None:
        with self._lock:
            self._now -= step


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 16, 8, 0, tzinfo=UTC))


@pytest.fixture
def ahead(tmp_path: Path, clock: SetClock, store: Store) -> LapWorld:
    world = LapWorld(tmp_path, clock, store)
    assert world.lap().exit_code == 0
    return world


def test_a_call_that_was_called_overdue_too_early_is_called_due_again(ahead: LapWorld, clock: SetClock) -> None:
    account = ahead.account()
    ahead.rated(account, 1, who="Maria Virtanen")
    ahead.lap(2 * DAY)
    assert "call overdue since" in ahead.shows(account)["Attention"]
    clock.set_back(2 * DAY)
    ahead.lap()
    assert "Ritva Laine calls by" in ahead.shows(account)["Attention"]
    writes = ahead.writes()
    ahead.lap()
    assert ahead.writes() == writes, "once is enough"


def test_an_end_that_was_read_too_early_is_decided_on_at_once(ahead: LapWorld, clock: SetClock) -> None:
    account = ahead.account()
    case = ahead.crm.case(account, ahead.crm.contact(account, "Maria Virtanen"))
    ahead.clock.advance(timedelta(minutes=1))
    ahead.crm.close(case)
    ahead.lap()
    with ahead.store.write() as tx:
        tx.execute(tables.decision_log.delete())
        for table in (tables.attempt, tables.invitation, tables.decision):
            tx.execute(table.delete())
        # As a lap leaves it that read it while the clock was ahead, and then died.
        tx.execute(tables.interaction.update().values(decide_at=ahead.clock.now() + DAY))
    ahead.lap()
    assert [row.state for row in ahead.rows(tables.decision)] == ["invited"]
