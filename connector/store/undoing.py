"""Queries of `undo`: which lines of the log the last write-back is made of, and what a record shows after it was put back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.store.tables import display, setting, write_log
from connector.store.upsert import insert_or_update

UNDOING = "undo:"
"""Before the key of a write that takes another back."""
_DONE = ("created", "updated")


def begins(connection: Connection, crm: str, line: int, now: datetime) -> None:
    """Note the line of the log with which a write-back begins: from now on this is the last one."""
    row = {"name": _name(crm), "value": {"line": line, "at": now.isoformat()}}
    insert_or_update(connection, setting, [row])


def last(connection: Connection, crm: str) -> tuple[int, datetime] | None:
    """Return where in the log the last write-back begins, and when that was; None when there is none, or it was taken back."""
    found = connection.execute(select(setting.c.value).where(setting.c.name == _name(crm))).scalar_one_or_none()
    return (int(found["line"]), datetime.fromisoformat(found["at"])) if found else None


def forget(connection: Connection, crm: str) -> None:
    """Note that the last write-back was taken back."""
    connection.execute(setting.delete().where(setting.c.name == _name(crm)))


def lines(connection: Connection, crm: str, first: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return what a write-back did, newest first: the lines from `first` on, and before the line `before`."""
    mine = [write_log.c.connection == crm, write_log.c.id >= first, write_log.c.outcome.in_(_DONE)]
    if before is not None:
        mine.append(write_log.c.id < before)
    mine.append(write_log.c.ref.is_not(None))
    mine.append(~write_log.c.key.startswith(UNDOING))
    return connection.execute(select(write_log).where(*mine).order_by(write_log.c.id.desc()).limit(limit)).all()


def put_back(connection: Connection, crm: str, ref: str, values: Mapping[str, Any]) -> None:
    """Note what a record shows after our fields (by our names) were put back: that was us, and nobody else."""
    mine = (display.c.connection == crm) & (display.c.ref == ref)
    row = connection.execute(select(display).where(mine).with_for_update()).one_or_none()
    if row is None:
        return
    shown = {name: raw for name, raw in {**row.shown, **values}.items() if raw is not None}
    written = {name: one for name, one in row.written.items() if name not in values}
    connection.execute(update(display).where(mine).values(shown=shown, written=written, dirty=True))


def _name(crm: str) -> str:
    return f"write_back:{crm}"
