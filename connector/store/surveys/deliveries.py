"""What `deliver` reads and leaves behind."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypedDict

from sqlalchemy import Column, ColumnElement, Connection, and_, exists, func, insert, select, update

from connector.model import Delivery, OptOutWay, Ref
from connector.model.stored import StoredContact, StoredInteraction, StoredOwner
from connector.model.surveys import Invitation
from connector.store.crm.refs import chunks, ids_of, owners_at, survivors, values_by_id
from connector.store.db import row_readers
from connector.store.db.upsert import update_any
from connector.store.ops import connections
from connector.store.outbox import fields
from connector.store.surveys import people
from connector.store.surveys.decisions import Move, doubted_at, move_decision, note
from connector.store.surveys.people import PersonMarks
from connector.store.tables import (
    attempt,
    contact,
    interaction,
    invitation,
    response,
)

Purpose = Literal["invitation", "reminder"]

FAILED: Final = "failed"
"""The state of an attempt that certainly reached nobody."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that is due, with the records that it depends on as the store has them."""

    invitation: Invitation
    purpose: Purpose
    contact: StoredContact | None
    interaction: StoredInteraction | None
    person: PersonMarks | None
    owner_timezone: str | None
    takes_part: bool = True
    """Whether the interaction still names the contact, as far as it names anybody."""
    of_account: bool = True
    """Whether it is still the account's for which this was planned, as far as it is anybody's."""

    @property
    def key(self) -> tuple[str, Purpose]:
        """What is sent at most once."""
        return self.invitation.id, self.purpose

    @property
    def contact_ref(self) -> Ref | None:
        """Where the contact is in its CRM, merges followed."""
        return self.contact.ref if self.contact else None

    @property
    def interaction_ref(self) -> Ref | None:
        """Where the interaction is in its CRM."""
        return self.interaction.ref if self.interaction else None


# ── before anything is sent ──────────────────────────────────────────────────────────────────────────────────────────


def give_up_unknown(tx: Connection, now: datetime) -> int:
    """Set what was being sent when the process died to "in doubt"; returns how many messages that were.

    Only for the holder of the lease: nobody else can be sending.
    """
    cut_off = attempt.c.state == Delivery.SENDING
    doubt = "the connector was stopped while this was being sent"
    attempts = update_any(tx, attempt, cut_off, state=Delivery.IN_DOUBT, ended_at=now, error=doubt)
    update_any(tx, invitation, invitation.c.state == Delivery.SENDING, state=Delivery.IN_DOUBT, error=doubt)
    in_doubt = exists().where(
        attempt.c.invitation_id == invitation.c.id,
        attempt.c.purpose == "reminder",
        attempt.c.state == Delivery.IN_DOUBT,
    )
    update_any(tx, invitation, and_(invitation.c.reminder_at.is_not(None), in_doubt), reminder_at=None)
    return attempts


def expire(tx: Connection, now: datetime) -> int:
    """End what was not sent in time, and reminders of what can no longer be answered; returns how many invitations ended."""
    over = invitation.c.expires_at <= now
    ended = update_any(tx, invitation, and_(invitation.c.state == Delivery.DUE, over), state=Delivery.EXPIRED)
    update_any(tx, invitation, and_(invitation.c.reminder_at.is_not(None), over), reminder_at=None)
    return ended


# ── the work list ────────────────────────────────────────────────────────────────────────────────────────────────────


def due(
    tx: Connection,
    purpose: Purpose,
    *,
    crms: Collection[str],
    surveys: Collection[str],
    now: datetime,
    limit: int,
) -> list[str]:
    """Return the invitations whose message of this purpose is due, those that have waited longest first."""
    since = invitation.c.due_at if purpose == "invitation" else invitation.c.reminder_at
    ready = _ready(now) if purpose == "invitation" else _to_remind(now)
    return list(
        tx.execute(
            select(invitation.c.id)
            .join(interaction, interaction.c.id == invitation.c.interaction_id, isouter=True)
            .where(ready, invitation.c.connection.in_(crms), invitation.c.survey.in_(surveys))
            # Then by the CRM's ids, not ours, so that a trial run sends in the same order.
            .order_by(since, interaction.c.ref, invitation.c.email)
            .limit(limit)
        ).scalars()
    )


def _ready(now: datetime) -> ColumnElement[bool]:
    return and_(invitation.c.state == Delivery.DUE, invitation.c.due_at <= now)


def _to_remind(now: datetime) -> ColumnElement[bool]:
    answered = exists().where(response.c.invitation_id == invitation.c.id)
    when = and_(invitation.c.reminder_at <= now, invitation.c.reminded_at.is_(None))
    return and_(invitation.c.state == Delivery.SENT, when, ~answered)


def letters(tx: Connection, purpose: Purpose, ids: Sequence[str]) -> list[Letter]:
    """Read the messages to send to these invitations' people, in the order of `ids`."""
    known = values_by_id(tx, invitation, row_readers.invitation_of, ids)
    invitations = [known[id_] for id_ in ids]
    called = survivors(tx, contact, (asked.contact_id for asked in invitations))
    contacts = values_by_id(tx, contact, row_readers.contact_of, called.values())
    interactions = values_by_id(
        tx, interaction, row_readers.interaction_of, (asked.interaction_id for asked in invitations)
    )
    named = _named(tx, interactions.values())
    belongs = _belongs(tx, interactions.values())
    owners = owners_at(tx, (asked.owner for asked in invitations if asked.owner is not None))
    persons = {
        name: marks
        for part in chunks(asked.person for asked in invitations)
        for name, marks in people.people(tx, part).items()
    }
    return [
        Letter(
            invitation=asked,
            purpose=purpose,
            contact=contacts.get(called.get(asked.contact_id, "")),
            interaction=interactions.get(asked.interaction_id),
            person=persons.get(asked.person),
            owner_timezone=_zone_of(owners, asked.owner),
            takes_part=called.get(asked.contact_id, "")
            in named.get(asked.interaction_id, (called.get(asked.contact_id, ""),)),
            of_account=belongs.get(asked.interaction_id, asked.account_id) == asked.account_id,
        )
        for asked in invitations
    ]


def _zone_of(owners: Mapping[Ref, StoredOwner], ref: Ref | None) -> str | None:
    owner = owners.get(ref) if ref is not None else None
    return owner.timezone if owner is not None else None


def _belongs(tx: Connection, interactions: Iterable[StoredInteraction]) -> dict[str, str]:
    """Return our ids of the accounts that interactions belong to, merges followed, by interaction; unknown ones are absent."""
    accounts = {ended.id: ended.account for ended in interactions if ended.account is not None}
    ids = ids_of(tx, accounts.values())
    return {id_: ids[account] for id_, account in accounts.items() if account in ids}


def _named(tx: Connection, interactions: Iterable[StoredInteraction]) -> dict[str, set[str]]:
    """Return our ids of the contacts that interactions name, by interaction; those that name nobody are absent."""
    naming = [ended for ended in interactions if ended.contacts]
    ids = ids_of(tx, (ref for ended in naming for ref in ended.contacts))
    contacts = {ended.id: {ids.get(ref, "") for ref in ended.contacts} for ended in naming}
    alive = survivors(tx, contact, {id_ for named in contacts.values() for id_ in named if id_})
    return {id_: {alive.get(contact_id, contact_id) for contact_id in named} for id_, named in contacts.items()}


def last_mails(tx: Connection, letters: Iterable[Letter]) -> dict[str, datetime]:
    """Return when each of these letters' persons was last written to, be it as the same contact under another address."""
    rows = [letter.invitation for letter in letters]
    by_person = _last_by(tx, invitation.c.person, (row.person for row in rows))
    by_contact = _last_by(tx, invitation.c.contact_id, (row.contact_id for row in rows))
    latest: dict[str, datetime] = {}
    for row in rows:
        times = (latest.get(row.person), by_person.get(row.person), by_contact.get(row.contact_id))
        if known := [at for at in times if at is not None]:
            latest[row.person] = max(known)
    return latest


def _last_by(tx: Connection, column: Column[str], wanted: Iterable[str]) -> dict[str, datetime]:
    latest: dict[str, datetime] = {}
    for part in chunks(wanted):
        sent = select(column.label("who"), invitation.c.sent_at, invitation.c.reminded_at, doubted_at())
        for row in tx.execute(sent.where(column.in_(part))):
            if times := [at for at in (row.sent_at, row.reminded_at, row.doubted_at) if at is not None]:
                latest[row.who] = max(*times, latest.get(row.who, times[0]))
    return latest


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(tx: Connection, letter: Letter, message_id: str, now: datetime) -> bool:
    """Write down that the message is about to be sent. False: do not send, something has changed since it was looked at.

    The index on attempts lets nobody begin a second time what may have arrived.
    """
    if connections.is_paused(tx, letter.invitation.connection):
        return False
    # Whoever else is at this invitation, another sender or an answer, comes before us or after us.
    tx.execute(select(invitation.c.id).where(invitation.c.id == letter.invitation.id).with_for_update())
    if _may_have_arrived(tx, letter) or not _still_wanted(tx, letter):
        return False
    tx.execute(
        insert(attempt).values(
            invitation_id=letter.invitation.id,
            purpose=letter.purpose,
            state=Delivery.SENDING,
            message_id=message_id,
            started_at=now,
        )
    )
    if letter.purpose == "invitation":
        _set(tx, letter, {"state": Delivery.SENDING})
    return True


def _may_have_arrived(tx: Connection, letter: Letter) -> bool:
    tried = select(attempt.c.id).where(
        attempt.c.invitation_id == letter.invitation.id,
        attempt.c.purpose == letter.purpose,
        attempt.c.state != FAILED,
    )
    return tx.execute(tried).first() is not None


def _still_wanted(tx: Connection, letter: Letter) -> bool:
    state = select(invitation.c.state).where(invitation.c.id == letter.invitation.id)
    if tx.execute(state).scalar_one() != letter.invitation.state:
        return False
    answered = select(response.c.id).where(response.c.invitation_id == letter.invitation.id)
    if tx.execute(answered).first() is not None:
        return False
    known = people.people(tx, [letter.invitation.person]).get(letter.invitation.person)
    return known is None or (known.opted_out_at is None and known.bounced_at is None)


def sent(tx: Connection, letter: Letter, message_id: str, now: datetime, remind_at: datetime | None) -> None:
    """The message was handed over. `remind_at`: when to remind, for an invitation that is to be followed by a reminder."""
    _end_attempt(tx, message_id, Delivery.SENT, now)
    if letter.purpose == "invitation":
        _set(tx, letter, {"state": Delivery.SENT, "sent_at": now, "reminder_at": remind_at, "error": None})
    else:
        _set(tx, letter, {"reminded_at": now, "reminder_at": None})
    # One person, known in several CRMs or under several contacts, was asked once: it stands on all of their records.
    known = {theirs.ref for theirs in people.contacts_of(tx, letter.invitation.person)}
    for ref in sorted(known | ({letter.contact_ref} if letter.contact_ref is not None else set())):
        fields.set_desired(tx, ref, "contact", {"last_asked": now.isoformat()})


def note_server_id(tx: Connection, message_id: str, server_id: str | None) -> None:
    """Keep the id by which the mail server knows a message."""
    tx.execute(update(attempt).where(attempt.c.message_id == message_id).values(server_id=server_id))


def refused_mailbox(tx: Connection, message_id: str, now: datetime, why: str) -> None:
    """The server said of an address that it will not work."""
    _end_attempt(tx, message_id, Delivery.BOUNCED, now, why)


def bounced(tx: Connection, letter: Letter, now: datetime, why: str) -> None:
    """The address was refused for good: nobody writes to this person again until an admin lifts it."""
    _set(tx, letter, {**_state(letter, Delivery.BOUNCED), "reminder_at": None, "error": why})
    people.bounced(tx, letter.invitation.person, now, why)


def in_doubt(tx: Connection, letter: Letter, message_id: str, now: datetime, why: str) -> None:
    """Nobody knows whether the message arrived; it is not sent again, and no reminder follows."""
    _end_attempt(tx, message_id, Delivery.IN_DOUBT, now, why)
    _set(tx, letter, {**_state(letter, Delivery.IN_DOUBT), "reminder_at": None, "error": why})


def failed(tx: Connection, letter: Letter, message_id: str, now: datetime, why: str) -> int:
    """Certainly nothing arrived; returns how many attempts have failed by now."""
    _end_attempt(tx, message_id, FAILED, now, why)
    _set(tx, letter, {**_state(letter, Delivery.DUE), "error": why})
    failures = select(func.count()).where(
        attempt.c.invitation_id == letter.invitation.id, attempt.c.purpose == letter.purpose, attempt.c.state == FAILED
    )
    return int(tx.execute(failures).scalar_one())


def postpone(tx: Connection, letter: Letter, until: datetime) -> None:
    """Look at the message again later; one that would come too late expires."""
    if letter.purpose == "invitation":
        _set(tx, letter, {"due_at": until})
    else:
        _set(tx, letter, {"reminder_at": until})


def cancel(tx: Connection, letter: Letter, move: Move, now: datetime) -> None:
    """Do not send the message. An invitation's decision makes `move`; of a reminder only the log is told."""
    text = move.note or move.reason or ""
    if letter.purpose == "reminder":
        _set(tx, letter, {"reminder_at": None})
        note(tx, letter.invitation.decision_id, f"no reminder: {text}", now)
        return
    _set(tx, letter, {"state": Delivery.CANCELLED, "error": text})
    move_decision(tx, letter.invitation.decision_id, move, now)


def remind_no_more(tx: Connection, letter: Letter, now: datetime) -> None:
    """Send no reminder: its survey sends none any more."""
    _set(tx, letter, {"reminder_at": None})
    note(tx, letter.invitation.decision_id, "no reminder: reminder_after was set to 0s", now)


def still_due(tx: Connection, crms: Collection[str], now: datetime) -> int:
    """Return how many invitations are due and were left for a later lap."""
    return int(tx.execute(select(func.count()).where(invitation.c.connection.in_(crms), _ready(now))).scalar_one())


def latch_opt_out(tx: Connection, letter: Letter, now: datetime) -> None:
    """Keep an opt-out that the CRM told us just before sending."""
    people.opt_out(tx, letter.invitation.person, now, OptOutWay.CRM)


class _InvitationChange(TypedDict, total=False):
    """What changes of an invitation."""

    state: Delivery
    due_at: datetime
    sent_at: datetime
    reminder_at: datetime | None
    reminded_at: datetime
    error: str | None


def _state(letter: Letter, state: Delivery) -> _InvitationChange:
    """Return the state of an invitation; a reminder changes none."""
    return {"state": state} if letter.purpose == "invitation" else {}


def _set(tx: Connection, letter: Letter, change: _InvitationChange) -> None:
    tx.execute(update(invitation).where(invitation.c.id == letter.invitation.id).values(**change))


def _end_attempt(tx: Connection, message_id: str, state: str, now: datetime, why: str | None = None) -> None:
    tx.execute(update(attempt).where(attempt.c.message_id == message_id).values(state=state, ended_at=now, error=why))
