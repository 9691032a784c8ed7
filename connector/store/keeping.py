"""Tokens that a CRM gave in exchange for others, as they lie in the database: sealed by whoever keeps them."""

from datetime import datetime

from sqlalchemy import Connection, select

from connector.store.connecting import mark
from connector.store.tables import token as table
from connector.store.upsert import insert_or_update


def load(connection: Connection, crm: str, given: str) -> str | None:
    """Return what was kept last; None when it does not descend from the token `given` in config.toml."""
    row = connection.execute(select(table).where(table.c.connection == crm)).one_or_none()
    return row.sealed if row is not None and row.given == mark(connection, given) else None


def save(connection: Connection, crm: str, sealed: str, *, given: str, at: datetime) -> None:
    """Keep this in place of what was kept."""
    row = {"connection": crm, "sealed": sealed, "given": mark(connection, given), "at": at}
    insert_or_update(connection, table, [row])
