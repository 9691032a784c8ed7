"""Queries about the users of a CRM."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from connector.model.stored import StoredOwner
from connector.store.db.row_readers import owner_of
from connector.store.tables import owner


def addresses(tx: Connection, crms: Collection[str]) -> list[str]:
    """Return the e-mail addresses of the active users of these connections who are the firm's own people, each once."""
    own = owner.c.standard.is_not(False)  # a partner's or a customer's login is nobody of the firm's
    known = owner.c.active.is_(True) & owner.c.email.is_not(None) & owner.c.deleted_at.is_(None) & own
    rows = select(owner.c.email).where(owner.c.connection.in_(crms), known).distinct().order_by(owner.c.email)
    return list(tx.execute(rows).scalars())


def active_with(tx: Connection, email: str) -> list[StoredOwner]:
    """Return the active users of the firm's own who have this (normalised) address, in every connection.

    Until it was read whether somebody is one, they are not.
    """
    own = owner.c.standard.is_(True) & owner.c.active.is_(True) & owner.c.deleted_at.is_(None)
    rows = tx.execute(select(owner).where(func.lower(owner.c.email) == email, own))
    return [owner_of(row) for row in rows]


def with_zones(tx: Connection, crm: str) -> list[tuple[str, str]]:
    """Return name and time zone, as the CRM names it, of every active user of a connection who has one."""
    columns = select(owner.c.name, owner.c.timezone)
    known = owner.c.active.is_(True) & owner.c.timezone.is_not(None) & owner.c.deleted_at.is_(None)
    rows = tx.execute(columns.where(owner.c.connection == crm, known).order_by(owner.c.name))
    return [(name, timezone) for name, timezone in rows]


def all_of(tx: Connection, crm: str) -> list[StoredOwner]:
    """Return every user of a connection that the CRM still has."""
    known = select(owner).where(owner.c.connection == crm, owner.c.deleted_at.is_(None))
    return [owner_of(row) for row in tx.execute(known.order_by(owner.c.name))]
