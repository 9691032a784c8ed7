"""Queries about the users of a CRM."""

from typing import Any

from sqlalchemy import Connection, Row, select

from connector.store.tables import owner


def with_zones(connection: Connection, crm: str) -> list[Row[Any]]:
    """Return name and time zone, as the CRM names it, of every active user of a connection who has one."""
    columns = select(owner.c.name, owner.c.timezone)
    known = owner.c.active.is_(True) & owner.c.timezone.is_not(None) & owner.c.deleted_at.is_(None)
    return list(connection.execute(columns.where(owner.c.connection == crm, known).order_by(owner.c.name)))
