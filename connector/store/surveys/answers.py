"""Answers as people give them on the survey page: reading the invitation, recording, and stopping surveys."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, exists, func, select, update

from connector.model import Delivery, OptOutWay, Rating
from connector.model.stored import StoredContact
from connector.store.db.engine import new_id
from connector.store.db.row_readers import contact_of
from connector.store.db.types import AnyRow
from connector.store.db.upsert import insert_new, insert_or_update
from connector.store.outbox.fields import is_desired, remove_desired, set_desired
from connector.store.surveys.askable import look_again_at_people
from connector.store.surveys.people import contacts_of, opt_out, people, person_key, person_of
from connector.store.tables import (
    account,
    contact,
    customer_score,
    follow_up_response,
    invitation,
    rating,
    response,
)
from connector.store.tables import person as person_table

_OVER = (Delivery.CANCELLED, Delivery.EXPIRED)
MOST_ANSWERS: Final = 30
"""To one invitation: the first one and its corrections, each of which is kept and has to be taken in."""
MOST_IN_AN_HOUR: Final = 10
NO_SURVEYS: Final[Mapping[str, bool]] = {"no_surveys": True}
"""What the records of a person show who wants none."""


# The statements of a page that many people open at once, made once: to build one takes longer than to carry it out.
_ID: Final = "of_invitation"
_INVITED: Final = (
    select(
        *(
            invitation.c[name]
            for name in (
                "id",
                "email",
                "name",
                "label",
                "customer_label",
                "owner_name",
                "questionnaire",
                "expires_at",
                "state",
            )
        ),
        contact.c.deleted_at.label("contact_deleted_at"),
    )
    .outerjoin(contact, contact.c.id == invitation.c.contact_id)
    .where(invitation.c.id == bindparam(_ID))
)
_COPIED: Final = ("survey", "connection", "account_id", "contact_id", "interaction_id", "label", "language")
"""What an answer takes over from its invitation."""
_TO_ANSWER: Final = (
    select(
        *(invitation.c[name] for name in ("id", "state", "expires_at", "reminder_at", *_COPIED)),
        contact.c.deleted_at.label("contact_deleted_at"),
        account.c.customer,
    )
    .outerjoin(contact, contact.c.id == invitation.c.contact_id)
    .outerjoin(account, account.c.id == invitation.c.account_id)
    .where(invitation.c.id == bindparam(_ID))
    .with_for_update(of=invitation)
)
_NOT_REMINDED: Final = update(invitation).where(invitation.c.id == bindparam(_ID)).values(reminder_at=None)
_LAST_REVISION: Final = select(func.max(response.c.revision)).where(response.c.invitation_id == bindparam(_ID))
_NEWEST: Final = (
    select(
        *(response.c[name] for name in ("id", "invitation_id", "revision", "at", "comment", "counts", "after_contact")),
        rating.c.question,
        rating.c.value,
    )
    .outerjoin(rating, rating.c.response_id == response.c.id)
    .where(response.c.invitation_id == bindparam(_ID), response.c.revision == _LAST_REVISION.scalar_subquery())
)


class ChangedTooOften(Exception):
    """An answer was corrected so often that no further correction is taken; the last one stays, in full."""

    def __init__(self, again_in: timedelta | None) -> None:
        super().__init__("an answer was changed too often")
        self.again_in = again_in
        """When it can be corrected again; None: not any more."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation as the survey page needs it."""

    id: str
    email: str
    name: str
    label: str
    owner_name: str | None
    questionnaire: Mapping[str, object]
    expires_at: datetime
    state: str
    is_gone: bool = False
    """The CRM has deleted the contact: nothing of them is shown any more, and nothing recorded."""

    def open_at(self, now: datetime) -> bool:
        """Whether an answer may be given or corrected."""
        return _is_open(self.state, self.expires_at, now) and not self.is_gone


def _is_open(state: str, expires_at: datetime, now: datetime) -> bool:
    return now < expires_at and state not in _OVER


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer as it was recorded."""

    at: datetime
    ratings: Mapping[str, int]
    """By question."""
    comment: str
    counts: bool
    after_contact: bool
    invitation_id: str
    response_id: str
    revision: int
    values: Mapping[str, float]
    """The ratings as they are stored."""


@dataclass(frozen=True, slots=True)
class RecordedResult:
    """What became of an answer."""

    response_id: str
    changed: bool
    """False when the very same answer was recorded before: a double click, a page sent again."""
    customer: str | None
    """Whose figures are to be computed anew; None when the account is not known."""


def invited(tx: Connection, invitation_id: str) -> Invited | None:
    """Return an invitation, or None if there is none (any more)."""
    row = tx.execute(_INVITED, {_ID: invitation_id}).one_or_none()
    if row is None:
        return None
    return Invited(
        id=row.id,
        email=row.email,
        name=row.name,
        label=row.customer_label or row.label,
        owner_name=row.owner_name,
        questionnaire=row.questionnaire,
        expires_at=row.expires_at,
        state=row.state,
        is_gone=row.contact_deleted_at is not None,
    )


def last_response(tx: Connection, invitation_id: str) -> StoredResponse | None:
    """Return the newest answer to an invitation."""
    rows = tx.execute(_NEWEST, {_ID: invitation_id}).all()
    if not rows:
        return None
    newest = rows[0]
    values = {row.question: row.value for row in rows if row.question is not None}
    return StoredResponse(
        at=newest.at,
        ratings={question: int(value) for question, value in values.items()},
        comment=newest.comment or "",
        counts=newest.counts,
        after_contact=newest.after_contact,
        invitation_id=newest.invitation_id,
        response_id=newest.id,
        revision=newest.revision,
        values=values,
    )


def record(
    tx: Connection, invitation_id: str, ratings: Sequence[Rating], *, comment: str, now: datetime
) -> RecordedResult | None:
    """Record an answer; None when the invitation is gone or over. Call it in one writing transaction of its own.

    The newest answer counts, until a follow-up was opened on one: from then on later ones are kept beside it, marked as given
    after contact, and do not count. Raises `ChangedTooOften`.
    """
    row = tx.execute(_TO_ANSWER, {_ID: invitation_id}).one_or_none()
    if row is None or not _is_open(row.state, row.expires_at, now) or row.contact_deleted_at is not None:
        return None
    newest = last_response(tx, invitation_id)
    if newest is not None and _same(newest, ratings, comment):
        return RecordedResult(newest.response_id, False, row.customer)
    _limit(tx, newest, now)
    response_id = _insert(tx, row, newest, comment=comment, now=now)
    _insert_ratings(tx, response_id, ratings)
    if row.reminder_at is not None:
        tx.execute(_NOT_REMINDED, {_ID: invitation_id})
    if row.customer is not None:
        insert_or_update(tx, customer_score, [{"customer": row.customer, "stale_at": now}])
    return RecordedResult(response_id, True, row.customer)


def would_change(
    tx: Connection, newest: StoredResponse, ratings: Sequence[Rating], *, comment: str, now: datetime
) -> bool:
    """Return whether this is another answer than the last one; raises `ChangedTooOften` as `record` would.

    For those who need not wait for their turn to write.
    """
    if _same(newest, ratings, comment):
        return False
    _limit(tx, newest, now)
    return True


def _limit(tx: Connection, newest: StoredResponse | None, now: datetime) -> None:
    """Raises `ChangedTooOften` where there are as many answers to one invitation as anybody has reason to give."""
    if newest is None:
        return
    if newest.revision >= MOST_ANSWERS:
        raise ChangedTooOften(None)
    same = (response.c.invitation_id == newest.invitation_id, response.c.at > now - timedelta(hours=1))
    earliest = (
        select(response.c.at).where(*same).order_by(response.c.revision.desc()).offset(MOST_IN_AN_HOUR - 1).limit(1)
    )
    at = tx.execute(earliest).scalar_one_or_none()
    if at is not None:
        raise ChangedTooOften(at + timedelta(hours=1) - now)


def _same(newest: StoredResponse, ratings: Sequence[Rating], comment: str) -> bool:
    return newest.comment == comment and newest.values == {rating.question: rating.value for rating in ratings}


def _insert(tx: Connection, asked: AnyRow, newest: StoredResponse | None, *, comment: str, now: datetime) -> str:
    contacted = newest is not None and _contacted(tx, asked.id)
    if newest is not None and not contacted:
        tx.execute(update(response).where(response.c.invitation_id == asked.id).values(counts=False))
    values = {
        "id": new_id(),
        "invitation_id": asked.id,
        "revision": newest.revision + 1 if newest is not None else 1,
        "at": now,
        "source": "page",
        "comment": comment or None,
        "counts": not contacted,
        "after_contact": contacted,
    }
    insert_new(tx, response, [values | {name: getattr(asked, name) for name in _COPIED}])
    return str(values["id"])


def _contacted(tx: Connection, invitation_id: str) -> bool:
    """Whether a follow-up is about any answer to this invitation, be it as one of several."""
    referred = exists().where(follow_up_response.c.response_id == response.c.id)
    count = select(func.count()).select_from(response).where(response.c.invitation_id == invitation_id, referred)
    return tx.execute(count).scalar_one() > 0


def _insert_ratings(tx: Connection, response_id: str, ratings: Sequence[Rating]) -> None:
    rows = [
        {
            "response_id": response_id,
            "metric": new_rating.metric,
            "question": new_rating.question,
            "value": new_rating.value,
            "low": new_rating.low,
            "high": new_rating.high,
            "direction": new_rating.direction,
        }
        for new_rating in ratings
    ]
    insert_new(tx, rating, rows)


def stop_surveys(tx: Connection, invitation_id: str, *, now: datetime, by: str = OptOutWay.LINK) -> bool:
    """Latch the opt-out of whoever was invited, for all connections; False when the invitation is gone.

    It holds after the invitation has expired, and the same link may be used again and again. `by`: ``link`` for the one in the mail,
    ``complaint`` where their mail provider has told us.
    """
    row = tx.execute(select(invitation).where(invitation.c.id == invitation_id)).one_or_none()
    if row is None:
        return False
    _stop(tx, row.person, _told(tx, row.person, [row.contact_id]), now=now, by=by)
    return True


def stop_surveys_at(tx: Connection, address: str, *, now: datetime) -> list[StoredContact]:
    """Latch the opt-out of whoever has an address, or was asked at it, as an admin notes it; returns their contacts.

    An address that nobody has is latched too: whoever has it later is not asked.
    """
    person = person_of(person_key(tx), address)
    contacts = _asked_at(tx, person)
    _stop(tx, person, contacts, now=now, by=OptOutWay.ADMIN)
    return contacts


def opted_out_by(tx: Connection, address: str) -> str | None:
    """Return by what an address has opted out (link, complaint, crm, admin, erased); None where it has not."""
    person = person_of(person_key(tx), address)
    known = people(tx, [person]).get(person)
    return known.opted_out_by if known is not None else None


def allow_surveys_at(tx: Connection, address: str) -> list[StoredContact]:
    """Take back the opt-out of whoever has an address, or was asked at it, but for those who were erased; returns their contacts.

    What their records say in the CRM is not touched: it is looked at before each mail, and while it says no, no it is.
    """
    asked = person_of(person_key(tx), address)
    contacts = _asked_at(tx, asked)
    who = {asked, *(theirs.person for theirs in contacts if theirs.person is not None)}
    lifted = (person_table.c.person.in_(who), person_table.c.opted_out_by != OptOutWay.ERASED)
    tx.execute(update(person_table).where(*lifted).values(opted_out_at=None, opted_out_by=None))
    tx.execute(update(contact).where(contact.c.id.in_([theirs.id for theirs in contacts])).values(no_surveys=False))
    for ref in sorted(theirs.ref for theirs in contacts):
        remove_desired(tx, ref, NO_SURVEYS)
    look_again_at_people(tx, who)
    return contacts


def _asked_at(tx: Connection, person: str) -> list[StoredContact]:
    asked = select(invitation.c.contact_id).where(invitation.c.person == person).distinct()
    return _told(tx, person, tx.execute(asked).scalars().all())


def _stop(tx: Connection, person: str, contacts: Collection[StoredContact], *, now: datetime, by: str) -> None:
    who = {person, *(known.person for known in contacts if known.person is not None)}
    theirs = invitation.c.person.in_(who)
    # In one order, so that no two who come by different links wait for each other.
    tx.execute(select(invitation.c.id).where(theirs).order_by(invitation.c.id).with_for_update()).all()
    for key in sorted(who):
        opt_out(tx, key, now, by)
    tx.execute(update(invitation).where(theirs).values(reminder_at=None))
    for ref in sorted(known.ref for known in contacts):
        set_desired(tx, ref, "contact", NO_SURVEYS)


def would_stop(tx: Connection, invitation_id: str) -> bool:
    """Return whether `stop_surveys` would change anything, for those who need not wait for their turn to write."""
    row = tx.execute(select(invitation).where(invitation.c.id == invitation_id)).one_or_none()
    if row is None:
        return False
    known = people(tx, [row.person]).get(row.person)
    contacts = _told(tx, row.person, [row.contact_id])
    reminded = select(invitation.c.id).where(invitation.c.person == row.person, invitation.c.reminder_at.is_not(None))
    return (
        known is None
        or known.opted_out_at is None
        or tx.execute(reminded.limit(1)).first() is not None
        or not all(is_desired(tx, theirs.ref, NO_SURVEYS) for theirs in contacts)
    )


def _told(tx: Connection, person: str, asked: Collection[str]) -> list[StoredContact]:
    """The records to show it on: every one of the person, and those asked, whose address may have changed since."""
    contacts = contacts_of(tx, person)
    others = set(asked) - {theirs.id for theirs in contacts}
    if others:
        here = select(contact).where(contact.c.id.in_(others), contact.c.deleted_at.is_(None))
        contacts += [contact_of(row) for row in tx.execute(here.order_by(contact.c.id))]
    return contacts
