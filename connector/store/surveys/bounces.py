"""Marks on addresses: who is not written to because mail does not arrive, and taking such marks off."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from connector.model import Delivery, Reason
from connector.store.crm.refs import chunks
from connector.store.surveys import decisions, people
from connector.store.surveys.askable import look_again_at_people
from connector.store.surveys.deliveries import FAILED
from connector.store.tables import attempt, contact, invitation, person

PAGE = 500


@dataclass(frozen=True, slots=True)
class Bounce:
    """One person to whose address nothing is sent."""

    addresses: tuple[str, ...]
    """As contacts and invitations have it; empty where nobody has it any more."""
    contacts: tuple[str, ...]
    """Their names."""
    crms: tuple[str, ...]
    since: datetime
    reason: str


def marked(tx: Connection) -> Iterator[Bounce]:
    """Yield all marks, the newest first, read page by page."""
    after: tuple[datetime, str] | None = None
    while True:
        query = select(person).where(person.c.bounced_at.is_not(None))
        if after is not None:
            query = query.where(tuple_(person.c.bounced_at, person.c.person) < after)
        rows = tx.execute(query.order_by(person.c.bounced_at.desc(), person.c.person.desc()).limit(PAGE)).all()
        names = [row.person for row in rows]
        contacts = tx.execute(
            select(contact.c.person, contact.c.connection, contact.c.email, contact.c.name).where(
                contact.c.person.in_(names), contact.c.deleted_at.is_(None)
            )
        ).all()
        asked = tx.execute(
            select(invitation.c.person, invitation.c.email).where(invitation.c.person.in_(names)).distinct()
        ).all()
        for row in rows:
            theirs = [holder for holder in contacts if holder.person == row.person]
            yield Bounce(
                addresses=_unique([holder.email for holder in (*theirs, *asked) if holder.person == row.person]),
                contacts=_unique([holder.name for holder in theirs]),
                crms=_unique([holder.connection for holder in theirs]),
                since=row.bounced_at,
                reason=row.bounce or "",
            )
        if len(rows) < PAGE:
            return
        after = (rows[-1].bounced_at, rows[-1].person)


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def lift_address(tx: Connection, address: str, now: datetime, *, ended_since: datetime) -> int:
    """Take the mark off an address; returns 0 where there was none.

    What nobody was asked about because of the mark, and has ended since `ended_since`, is decided anew by the next lap.
    """
    return _lift(tx, [people.person_of(people.person_key(tx), address)], now, ended_since)


def lift_since(tx: Connection, since: datetime, now: datetime, *, ended_since: datetime) -> int:
    """Take off all marks that were made since some moment, as `lift_address` does; returns how many those were."""
    rows = tx.execute(select(person.c.person).where(person.c.bounced_at >= since).order_by(person.c.person))
    return _lift(tx, list(rows.scalars()), now, ended_since)


def _lift(tx: Connection, persons: Collection[str], now: datetime, ended_since: datetime) -> int:
    lifted = 0
    for part in chunks(persons):
        lifted += unmark(tx, part)
        _send_again(tx, part, now)
        decisions.look_at_refused(tx, part, Reason.BAD_ADDRESS, now, ended_since=ended_since)
    return lifted


def unmark(tx: Connection, persons: Collection[str]) -> int:
    """Take marks off, and do no more about it; returns how many there were."""
    marks = (person.c.person.in_(persons), person.c.bounced_at.is_not(None))
    lifted = tx.execute(update(person).where(*marks).values(bounced_at=None, bounce=None)).rowcount
    look_again_at_people(tx, persons)
    return lifted


def _send_again(tx: Connection, persons: Collection[str], now: datetime) -> None:
    """Let invitations that the mail server refused at once be sent after all, while they can still be answered: nothing has arrived."""
    asked = (
        invitation.c.person.in_(persons),
        invitation.c.state == Delivery.BOUNCED,
        invitation.c.expires_at > now,
    )
    refused = (attempt.c.purpose == "invitation", attempt.c.state == Delivery.BOUNCED)
    again = select(invitation.c.id).join(attempt, attempt.c.invitation_id == invitation.c.id).where(*asked, *refused)
    for part in chunks(tx.execute(again).scalars().all()):
        tx.execute(update(attempt).where(attempt.c.invitation_id.in_(part), *refused).values(state=FAILED))
        tx.execute(update(invitation).where(invitation.c.id.in_(part)).values(state=Delivery.DUE, error=None))
