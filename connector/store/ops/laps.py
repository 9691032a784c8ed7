"""The laps that were run, and what they led to."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from connector.store.ops.leases import is_dead, myself
from connector.store.tables import lap, response

LONGEST = timedelta(days=1)
"""A lap that began before is not under way any more."""


def begin(tx: Connection, now: datetime, *, job: str = "sync") -> int:
    """Note that a lap, or a job of it, begins; returns its number. Those that died are closed."""
    _close_dead(tx, now)
    statement = lap.insert().values(started_at=now, owner=myself(), job=job).returning(lap.c.id)
    return int(tx.execute(statement).scalar_one())


def _close_dead(tx: Connection, now: datetime) -> None:
    """A process of another machine cannot be seen to be dead: no lap takes a day."""
    for row in tx.execute(select(lap).where(lap.c.ended_at.is_(None))).all():
        if row.owner is None or is_dead(row.owner) or row.started_at < now - LONGEST:
            cut_off(tx, row.id, now)


def cut_off(tx: Connection, number: int, now: datetime) -> None:
    """Note that a lap came to no end of its own: it has no exit code."""
    tx.execute(update(lap).where(lap.c.id == number).values(ended_at=now))


def end(tx: Connection, number: int, now: datetime, *, exit_code: int, report: Mapping[str, object]) -> None:
    """Note how a lap ended."""
    tx.execute(update(lap).where(lap.c.id == number).values(ended_at=now, exit_code=exit_code, report=dict(report)))


def unconsidered(tx: Connection) -> int:
    """Return how many answers have come in that `follow_up` has not looked at yet."""
    return int(
        tx.execute(
            select(func.count()).select_from(response).where(response.c.considered_at.is_(None), response.c.counts)
        ).scalar_one()
    )
