"""Queries of `collect`: the inbox of raw events."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from connector.model import Delivery
from connector.store.db.among import among
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import attempt, inbox, invitation

BOUNCE = "bounce"
"""A mail provider's word that a message did not arrive: message_id and reason."""
NO_MESSAGE = "no message of ours has this id"
"""Why a report could not be used."""
_STAGED = (BOUNCE,)


def receive(tx: Connection, source: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Keep a raw event; the same key again changes nothing."""
    insert_or_ignore(tx, inbox, [{"source": source, "key": key, "payload": dict(payload), "received_at": now}])


def received(tx: Connection, source: str, keys: Collection[str]) -> frozenset[str]:
    """Return which of these events were kept before."""
    rows = select(inbox.c.key).where(inbox.c.source == source, among(tx, inbox.c.key, keys))
    return frozenset(tx.execute(rows).scalars())


def waiting(tx: Connection, limit: int) -> list[Row[Any]]:
    """Return events that were not taken in, oldest first."""
    rows = tx.execute(
        select(inbox).where(inbox.c.done_at.is_(None), inbox.c.source.in_(_STAGED)).order_by(inbox.c.id).limit(limit)
    )
    return list(rows)


def done(tx: Connection, event: int, now: datetime, error: str | None) -> None:
    """Note that an event was taken in, or why it could not be."""
    tx.execute(update(inbox).where(inbox.c.id == event).values(done_at=now, error=error))


def invitation_of(tx: Connection, message_id: str) -> Row[Any] | None:
    """Return the invitation that a message belonged to, by our id of the message or by the mail server's, whose mail domain may follow.

    A mail server may use an id again after a while: the newest message of it is meant.
    """
    message = select(invitation).join(attempt, attempt.c.invitation_id == invitation.c.id)
    by_ours = tx.execute(message.where(attempt.c.message_id == message_id)).one_or_none()
    if by_ours is not None:
        return by_ours
    theirs = attempt.c.server_id.in_({message_id, message_id.partition("@")[0]})
    return tx.execute(message.where(theirs).order_by(attempt.c.id.desc()).limit(1)).one_or_none()


def unmatched(tx: Connection) -> tuple[int, Row[Any] | None]:
    """Return how many reports of bounces, of those that are kept, were about no message of ours, and the last of them."""
    mine = (inbox.c.source == BOUNCE, inbox.c.error == NO_MESSAGE)
    count = tx.execute(select(func.count()).select_from(inbox).where(*mine)).scalar_one()
    last = tx.execute(select(inbox).where(*mine).order_by(inbox.c.id.desc()).limit(1)).one_or_none()
    return int(count), last


def drop_reports(tx: Connection, since: datetime, now: datetime) -> None:
    """Take reports of bounces that wait since some moment for taken in: the admin says that the addresses are right."""
    waiting = (inbox.c.source == BOUNCE, inbox.c.done_at.is_(None), inbox.c.received_at >= since)
    tx.execute(update(inbox).where(*waiting).values(done_at=now, error="the marks of this time were taken off"))


def close_invitation(tx: Connection, invitation_id: str, state: Delivery, reason: str) -> None:
    """End an invitation: no reminder goes out any more."""
    tx.execute(
        update(invitation)
        .where(invitation.c.id == invitation_id)
        .values(state=state.value, error=reason, reminder_at=None)
    )
