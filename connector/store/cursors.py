"""Where each pass over each object stands. A cursor is only ever stored in the transaction that stores its records."""

from datetime import datetime

from sqlalchemy import Connection, select

from connector import cursor as rules
from connector.cursor import Cursor
from connector.store.tables import cursor as table
from connector.store.upsert import insert_or_update

CHANGES = "changes"
"""The pass of every lap."""


def load(connection: Connection, crm: str, object_name: str, *, fingerprint: str, whole: str = "") -> Cursor:
    """Return the stored position; the beginning when there is none, or when the object is read in another way since.

    `whole` is the fingerprint of the whole mapping, by which version 0.1.0 stored positions.
    """
    row = connection.execute(
        select(table.c.position, table.c.fingerprint).where(
            table.c.connection == crm, table.c.object == object_name, table.c["pass"] == CHANGES
        )
    ).one_or_none()
    if row is None or row.fingerprint not in (fingerprint, whole):
        return Cursor()
    return rules.load(row.position)


def save(
    connection: Connection, crm: str, object_name: str, cursor: Cursor, *, fingerprint: str, now: datetime
) -> None:
    """Store a position."""
    row = {
        "connection": crm,
        "object": object_name,
        "pass": CHANGES,
        "fingerprint": fingerprint,
        "position": rules.dump(cursor),
        "moved_at": now,
    }
    insert_or_update(connection, table, [row])
