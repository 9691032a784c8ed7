"""Queries of `collect`: the inbox of raw events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.model import Delivery
from connector.store.tables import attempt, inbox, invitation
from connector.store.upsert import insert_or_ignore

BOUNCE = "bounce"
"""A mail provider's word that a message did not arrive: message_id and reason."""
_STAGED = (BOUNCE,)


def receive(connection: Connection, source: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Keep a raw event; the same key again changes nothing."""
    insert_or_ignore(connection, inbox, [{"source": source, "key": key, "payload": dict(payload), "received_at": now}])


def waiting(connection: Connection, limit: int) -> list[Row[Any]]:
    """Return events that were not taken in, oldest first."""
    rows = connection.execute(
        select(inbox).where(inbox.c.done_at.is_(None), inbox.c.source.in_(_STAGED)).order_by(inbox.c.id).limit(limit)
    )
    return list(rows)


def done(connection: Connection, event: int, now: datetime, error: str | None) -> None:
    """Note that an event was taken in, or why it could not be."""
    connection.execute(update(inbox).where(inbox.c.id == event).values(done_at=now, error=error))


def invitation_of(connection: Connection, message_id: str) -> Row[Any] | None:
    """Return the invitation that a message belonged to."""
    return connection.execute(
        select(invitation)
        .join(attempt, attempt.c.invitation_id == invitation.c.id)
        .where(attempt.c.message_id == message_id)
    ).one_or_none()


def close_invitation(connection: Connection, invitation_id: str, state: Delivery, reason: str) -> None:
    """End an invitation: no reminder goes out any more."""
    connection.execute(
        update(invitation)
        .where(invitation.c.id == invitation_id)
        .values(state=state.value, error=reason, reminder_at=None)
    )
