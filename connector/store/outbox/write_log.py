"""The log of every write to a CRM, with the values before."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from connector.model.outbox import WriteLogEntry
from connector.store.tables import ref_of, ref_text, write_log

_AT_ONCE: Final = 1_000
"""How many lines are read together."""
DONE: Final = ("created", "updated")
"""The outcomes of writes that the CRM has taken."""


def add(tx: Connection, crm: str, entry: WriteLogEntry, now: datetime) -> int:
    """Add a line to the log; returns its number."""
    line = write_log.insert().values(
        connection=crm,
        key=entry.key,
        ref=ref_text(entry.ref),
        at=now,
        outcome=entry.outcome,
        before=dict(entry.before),
        after=dict(entry.after),
        error=entry.error,
    )
    return int(tx.execute(line.returning(write_log.c.id)).scalar_one())


_COLUMNS = (
    write_log.c.id,
    write_log.c.connection,
    write_log.c.key,
    write_log.c.ref,
    write_log.c.outcome,
    write_log.c.before,
    write_log.c.after,
    write_log.c.error,
)


def entries(tx: Connection, *conditions: ColumnElement[bool]) -> Iterator[tuple[int, WriteLogEntry]]:
    """Yield lines of the log with their numbers, the earliest first."""
    rows = tx.execute(
        select(*_COLUMNS).where(*conditions).order_by(write_log.c.id).execution_options(yield_per=_AT_ONCE)
    )
    for line, crm, key, ref, outcome, before, after, error in rows:
        record = None if ref is None else ref_of(crm, ref)
        yield line, WriteLogEntry(key, record, outcome, before or {}, after, error)


def newest_line(tx: Connection) -> int:
    """Return the number of the newest line; 0 without one."""
    return int(tx.execute(select(func.max(write_log.c.id))).scalar_one() or 0)


def written_after(tx: Connection, crm: str, line: int) -> frozenset[str]:
    """Return the refs, as text, of the records of a connection that were written, or may have been, behind a line."""
    behind = (write_log.c.id > line) & (write_log.c.connection == crm)
    refs = select(write_log.c.ref).where(behind, write_log.c.outcome != "refused")
    return frozenset(ref for ref in tx.execute(refs).scalars() if ref is not None)
