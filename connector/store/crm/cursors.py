"""Where each pass over each object stands. A cursor is only ever stored in the transaction that stores its records."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from connector.domain import cursor as rules
from connector.domain.cursor import Cursor
from connector.store.db.upsert import insert_or_update
from connector.store.tables import cursor as table

CHANGES = "changes"
"""The pass of every lap."""
_STORED: Final = select(table.c.position, table.c.fingerprint, table.c.moved_at).where(
    table.c.connection == bindparam("crm"), table.c.object == bindparam("of"), table.c["pass"] == bindparam("by")
)


def load(tx: Connection, crm: str, object_name: str, *, fingerprint: str, whole: str = "") -> Cursor:
    """Return the stored position; the beginning when there is none, or when the object is read in another way since.

    `whole` is the fingerprint of the whole mapping, by which version 0.1.0 stored positions.
    """
    row = tx.execute(_STORED, {"crm": crm, "of": object_name, "by": CHANGES}).one_or_none()
    if row is None or row.fingerprint not in (fingerprint, whole):
        return Cursor()
    return rules.load(row.position)


def save(tx: Connection, crm: str, object_name: str, cursor: Cursor, *, fingerprint: str, now: datetime) -> None:
    """Store a position."""
    row = {
        "connection": crm,
        "object": object_name,
        "pass": CHANGES,
        "fingerprint": fingerprint,
        "position": rules.dump(cursor),
        "moved_at": now,
    }
    insert_or_update(tx, table, [row])


def load_pass(tx: Connection, crm: str, object_name: str, name: str) -> tuple[datetime, str] | None:
    """Return when an object was last read in a pass that is made only now and then, and what was kept of it."""
    row = tx.execute(_STORED, {"crm": crm, "of": object_name, "by": name}).one_or_none()
    return None if row is None else (row.moved_at, row.position)


def save_pass(tx: Connection, crm: str, object_name: str, name: str, *, at: datetime, text: str) -> None:
    """Store that an object was read in such a pass."""
    row = {"connection": crm, "object": object_name, "pass": name, "fingerprint": ""}
    insert_or_update(tx, table, [row | {"position": text, "moved_at": at}])
