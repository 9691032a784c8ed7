"""What our fields on CRM records should say, and what they were last seen to say."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from connector.model import Ref
from connector.store.tables import display, ref_text
from connector.store.upsert import insert_or_update


def want(connection: Connection, ref: Ref, target: str, values: Mapping[str, Any]) -> None:
    """Say what some of our fields on a record should hold (JSON values by our names; None clears, absent leaves alone).

    The record is marked for `write_back` when that changes anything.
    """
    row = _row(connection, ref)
    before = dict(row.wanted) if row else {}
    after = before | dict(values)
    if row is not None and after == before:
        return
    _put(
        connection,
        ref,
        target,
        wanted=after,
        shown=row.shown if row else {},
        written=row.written if row else {},
        dirty=True,
    )


def _row(connection: Connection, ref: Ref) -> Any:
    # Locked, so that nobody notes what the record shows between our reading and our writing it.
    return connection.execute(
        select(display).where(display.c.connection == ref.connection, display.c.ref == ref_text(ref)).with_for_update()
    ).one_or_none()


def _put(connection: Connection, ref: Ref, target: str, **columns: Any) -> None:
    row = {"connection": ref.connection, "ref": ref_text(ref), "target": target, **columns}
    insert_or_update(connection, display, [row])
