"""Queries of `collect`: the inbox of raw events."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from connector.model import Delivery
from connector.store.db.among import among
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import attempt, inbox, invitation

BOUNCE = "bounce"
"""A mail provider's word that a message did not arrive: message_id and reason."""
NO_MESSAGE = "no message of ours has this id"
"""Why a report could not be used."""
_STAGED = (BOUNCE,)
_EVENTS = select(inbox.c.id, inbox.c.source, inbox.c.payload, inbox.c.received_at)


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """A raw event as it came."""

    id: int
    source: str
    payload: Mapping[str, object]
    received_at: datetime

    @property
    def message_id(self) -> str:
        """The id of the message that a report is about; empty where it names none."""
        return str(self.payload.get("message_id", ""))


@dataclass(frozen=True, slots=True)
class InvitedPerson:
    """An invitation, and the person who got it."""

    invitation_id: str
    person: str


def receive(tx: Connection, source: str, key: str, payload: Mapping[str, object], now: datetime) -> None:
    """Keep a raw event; the same key again changes nothing."""
    insert_or_ignore(tx, inbox, [{"source": source, "key": key, "payload": dict(payload), "received_at": now}])


def received(tx: Connection, source: str, keys: Collection[str]) -> frozenset[str]:
    """Return which of these events were kept before."""
    rows = select(inbox.c.key).where(inbox.c.source == source, among(tx, inbox.c.key, keys))
    return frozenset(tx.execute(rows).scalars())


def waiting(tx: Connection, limit: int) -> list[InboxEvent]:
    """Return events that were not taken in, oldest first."""
    rows = tx.execute(
        _EVENTS.where(inbox.c.done_at.is_(None), inbox.c.source.in_(_STAGED)).order_by(inbox.c.id).limit(limit)
    )
    return [InboxEvent(*row) for row in rows]


def done(tx: Connection, event: int, now: datetime, error: str | None) -> None:
    """Note that an event was taken in, or why it could not be."""
    tx.execute(update(inbox).where(inbox.c.id == event).values(done_at=now, error=error))


def invitation_of(tx: Connection, message_id: str) -> InvitedPerson | None:
    """Return the invitation that a message belonged to, by our id of the message or by the mail server's, whose mail domain may follow.

    A mail server may use an id again after a while: the newest message of it is meant.
    """
    message = select(invitation.c.id, invitation.c.person).join(attempt, attempt.c.invitation_id == invitation.c.id)
    by_ours = tx.execute(message.where(attempt.c.message_id == message_id)).one_or_none()
    if by_ours is not None:
        return InvitedPerson(*by_ours)
    theirs = attempt.c.server_id.in_({message_id, message_id.partition("@")[0]})
    by_theirs = tx.execute(message.where(theirs).order_by(attempt.c.id.desc()).limit(1)).one_or_none()
    return None if by_theirs is None else InvitedPerson(*by_theirs)


def unmatched(tx: Connection) -> tuple[int, InboxEvent | None]:
    """Return how many reports of bounces, of those that are kept, were about no message of ours, and the last of them."""
    conditions = (inbox.c.source == BOUNCE, inbox.c.error == NO_MESSAGE)
    count = tx.execute(select(func.count()).select_from(inbox).where(*conditions)).scalar_one()
    last = tx.execute(_EVENTS.where(*conditions).order_by(inbox.c.id.desc()).limit(1)).one_or_none()
    return int(count), None if last is None else InboxEvent(*last)


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
