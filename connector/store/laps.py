"""The laps that were run, and what they led to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from connector.store.tables import lap, response


def begin(connection: Connection, now: datetime) -> int:
    """Note that a lap begins; returns its number."""
    return int(connection.execute(lap.insert().values(started_at=now).returning(lap.c.id)).scalar_one())


def end(connection: Connection, number: int, now: datetime, *, exit_code: int, report: Mapping[str, Any]) -> None:
    """Note how a lap ended."""
    connection.execute(
        update(lap).where(lap.c.id == number).values(ended_at=now, exit_code=exit_code, report=dict(report))
    )


def latest(connection: Connection, limit: int) -> list[Row[Any]]:
    """Return the newest laps."""
    return list(connection.execute(select(lap).order_by(lap.c.id.desc()).limit(limit)))


def unconsidered(connection: Connection) -> int:
    """Return how many answers have come in that `follow_up` has not looked at yet."""
    return int(
        connection.execute(
            select(func.count()).select_from(response).where(response.c.considered_at.is_(None), response.c.counts)
        ).scalar_one()
    )
