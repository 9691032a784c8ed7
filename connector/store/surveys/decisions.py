"""What `invite` reads and leaves behind."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Label,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from connector.model import Decision, Delivery, Reason, Ref
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction, StoredOwner
from connector.model.surveys import Invitation, StoredDecision
from connector.store.crm.refs import Address, chunks, ids_of, owners_at, rows_by_address, survivors, values_by_id
from connector.store.db import row_readers
from connector.store.db.engine import new_id
from connector.store.db.upsert import insert_new, insert_or_ignore
from connector.store.surveys.people import PersonMarks, people
from connector.store.tables import (
    account,
    attempt,
    connection_state,
    contact,
    decision,
    decision_log,
    interaction,
    invitation,
    outbox_record,
    ref_text,
)
from connector.store.tables import go_live as go_live_table

REACHES = (Delivery.DUE, Delivery.SENDING, Delivery.SENT, Delivery.IN_DOUBT)
"""States of an invitation that reaches its person, or may have."""


# ── going live ───────────────────────────────────────────────────────────────────────────────────────────────────────


def go_live(tx: Connection, subject: str, crm: str, at: datetime) -> None:
    """Remember since when `subject` (survey:NAME, follow_up:NAME) is live on a connection, on the CRM's clock; the first time stays."""
    insert_or_ignore(tx, go_live_table, [{"subject": subject, "connection": crm, "at": at}])


def decide_waiting(tx: Connection, crm: str, now: datetime) -> None:
    """Decide anew on every interaction of a connection about which somebody waits to be asked."""
    waiting = select(decision.c.interaction_id).where(
        decision.c.connection == crm, decision.c.state == Decision.WAITING.value
    )
    tx.execute(update(interaction).where(interaction.c.id.in_(waiting)).values(decide_at=now))


def look_at_refused(
    tx: Connection, persons: Collection[str], reason: Reason, now: datetime, *, ended_since: datetime
) -> None:
    """Decide anew on what has ended since a moment and these people were not asked about, for a reason that has ceased."""
    refused = (
        select(decision.c.interaction_id)
        .join(contact, contact.c.id == decision.c.contact_id)
        .where(
            contact.c.person.in_(persons),
            decision.c.state.in_((Decision.REFUSED.value, Decision.CANCELLED.value)),
            decision.c.reason == reason.value,
        )
    )
    again = (interaction.c.id.in_(refused), interaction.c.ended_at >= ended_since)
    tx.execute(update(interaction).where(*again).values(decide_at=now))


def live_since(tx: Connection) -> Mapping[Address, datetime]:
    """Return, by (connection, survey), since when interactions are asked about: going live, or a later change of the mapping."""
    rows = tx.execute(
        select(go_live_table, connection_state.c.mapping_since)
        .outerjoin(connection_state, connection_state.c.connection == go_live_table.c.connection)
        .where(go_live_table.c.subject.startswith("survey:", autoescape=True))
    )
    return {
        (row.connection, row.subject.removeprefix("survey:")): max(row.at, row.mapping_since or row.at) for row in rows
    }


# ── the work list ────────────────────────────────────────────────────────────────────────────────────────────────────


def is_to_be_decided(now: datetime) -> ColumnElement[bool]:
    """Return whether `invite` is to look at an interaction by now. Only an end that is still to come lets it wait.

    Whatever else is dated ahead was noted by a clock that was wrong.
    """
    still_to_come = and_(interaction.c.ended_at.is_not(None), interaction.c.ended_at > now)
    return or_(interaction.c.decide_at <= now, and_(interaction.c.decide_at.is_not(None), ~still_to_come))


def to_decide(tx: Connection, crms: Collection[str], now: datetime, limit: int) -> list[str]:
    """Return interactions that were changed since they were last decided on."""
    return list(
        tx.execute(
            select(interaction.c.id)
            .where(is_to_be_decided(now), interaction.c.connection.in_(crms))
            .order_by(interaction.c.decide_at, interaction.c.connection, interaction.c.ref)
            .limit(limit)
        ).scalars()
    )


def waiting_no_longer(
    tx: Connection, crms: Collection[str], surveys: Collection[str], now: datetime, limit: int
) -> list[str]:
    """Return interactions with a waiting decision whose time has come."""
    return list(
        tx.execute(
            select(interaction.c.id)
            .join(decision, decision.c.interaction_id == interaction.c.id)
            .where(
                decision.c.state == Decision.WAITING,
                decision.c.due_at <= now,
                decision.c.connection.in_(crms),
                decision.c.survey.in_(surveys),
            )
            .group_by(interaction.c.id)
            .order_by(func.min(decision.c.due_at), func.min(interaction.c.ref))
            .limit(limit)
        ).scalars()
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """A page of interactions with all that decisions on them depend on."""

    interactions: Sequence[StoredInteraction]
    """In the order in which they ended."""
    ids: Mapping[Ref, str]
    """Our ids of the accounts and contacts that the interactions name."""
    accounts: Mapping[str, StoredAccount]
    contacts: Mapping[str, StoredContact]
    owners: Mapping[Ref, StoredOwner]
    people: Mapping[str, PersonMarks]
    decisions: Mapping[str, Sequence[StoredDecision]]
    """By interaction."""
    now_called: Mapping[str, str]
    """For each contact of a decision, the id that stands for it since a merge."""


def gather(tx: Connection, interaction_ids: Sequence[str]) -> Gathered:
    """Read everything that is needed to decide on these interactions."""
    interactions = _in_order(values_by_id(tx, interaction, row_readers.interaction_of, interaction_ids).values())
    decisions = _decisions(tx, interaction_ids)
    now_called = survivors(tx, contact, (known.contact_id for of_one in decisions.values() for known in of_one))
    ids = ids_of(tx, (ref for ended in interactions for ref in _named(ended)))
    contacts = values_by_id(tx, contact, row_readers.contact_of, {*ids.values(), *now_called.values()})
    return Gathered(
        interactions=interactions,
        ids=ids,
        accounts=values_by_id(tx, account, row_readers.account_of, ids.values()),
        contacts=contacts,
        owners=owners_at(tx, (ended.owner for ended in interactions if ended.owner is not None)),
        people=_people(tx, contacts.values()),
        decisions=decisions,
        now_called=now_called,
    )


def _in_order(interactions: Iterable[StoredInteraction]) -> list[StoredInteraction]:
    # By the CRM's ids, not ours: the order, and so who gets the last place under a limit, is the same in a trial run.
    return sorted(interactions, key=lambda ended: (ended.ended_at.timestamp() if ended.ended_at else 0, ended.ref))


def _named(ended: StoredInteraction) -> list[Ref]:
    return [*ended.contacts, *([ended.account] if ended.account is not None else [])]


def _decisions(tx: Connection, interaction_ids: Sequence[str]) -> Mapping[str, list[StoredDecision]]:
    decisions: dict[str, list[StoredDecision]] = {}
    for part in chunks(interaction_ids):
        for row in tx.execute(select(decision).where(decision.c.interaction_id.in_(part))):
            decisions.setdefault(row.interaction_id, []).append(row_readers.decision_of(row))
    return decisions


def _people(tx: Connection, contacts: Iterable[StoredContact]) -> Mapping[str, PersonMarks]:
    marks: dict[str, PersonMarks] = {}
    for part in chunks(known.person for known in contacts if known.person):
        marks.update(people(tx, part))
    return marks


# ── who was asked lately ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ReachedPerson:
    """When an invitation that reached its person, or may have, was sent."""

    person: str
    contact_id: str
    created_at: datetime
    sent_at: datetime | None
    reminded_at: datetime | None
    doubted_at: datetime | None
    """When a message of it was last handed over in doubt."""


@dataclass(frozen=True, slots=True)
class AskedAtCustomer:
    """A person of a customer who was asked."""

    customer: str
    person: str
    at: datetime


def _arrived() -> ColumnElement[bool]:
    return or_(invitation.c.state.in_(REACHES), invitation.c.sent_at.is_not(None))


def doubted_at() -> Label[datetime | None]:
    """Return when a message of an invitation was last handed over in doubt: it may have arrived, so it counts as mail."""
    doubts = select(func.max(attempt.c.started_at)).where(
        attempt.c.invitation_id == invitation.c.id, attempt.c.state == Delivery.IN_DOUBT
    )
    return doubts.scalar_subquery().label("doubted_at")


def mails_to(tx: Connection, persons: Iterable[str]) -> list[ReachedPerson]:
    """Return the invitations that reached these persons."""
    return _mails(tx, invitation.c.person, persons)


def mails_to_contacts(tx: Connection, contacts: Iterable[str]) -> list[ReachedPerson]:
    """Return the same for these contacts, whatever address they had then, those included who were merged into them."""
    return _mails(tx, invitation.c.contact_id, contacts)


def _mails(tx: Connection, column: Column[str], wanted: Iterable[str]) -> list[ReachedPerson]:
    times = (invitation.c.created_at, invitation.c.sent_at, invitation.c.reminded_at, doubted_at())
    query = select(invitation.c.person, invitation.c.contact_id, *times).where(_arrived())
    return [ReachedPerson(*row) for part in chunks(wanted) for row in tx.execute(query.where(column.in_(part)))]


def asked_by_the_crm(tx: Connection, contacts: Iterable[StoredContact]) -> dict[str, datetime]:
    """Return, by person, when the CRM's own records say that they were last asked (our field Last asked, as it was read)."""
    persons = {(known.ref.connection, ref_text(known.ref)): known.person for known in contacts if known.person}
    asked_at: dict[str, datetime] = {}
    for address, row in rows_by_address(tx, outbox_record, persons).items():
        at = _instant(row.actual.get("last_asked"))
        if at is not None:
            asked_at[persons[address]] = max(at, asked_at.get(persons[address], at))
    return asked_at


def _instant(raw: object) -> datetime | None:
    """Read an instant in a CRM's form; None for what is none, e.g. because somebody has mapped another kind of field."""
    try:
        at = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def invitations_of(tx: Connection, customers: Iterable[str], since: datetime) -> list[AskedAtCustomer]:
    """Return the invitations to people of these customers since then."""
    recent = or_(invitation.c.created_at > since, invitation.c.sent_at > since)
    at = func.coalesce(invitation.c.sent_at, invitation.c.created_at)
    columns = (account.c.customer, invitation.c.person, at)
    return [
        AskedAtCustomer(*row)
        for part in chunks(customers)
        for row in tx.execute(
            select(*columns)
            .join(account, account.c.id == invitation.c.account_id)
            .where(account.c.customer.in_(part), _arrived(), recent)
        )
    ]


def sends_on(tx: Connection, day: datetime) -> int:
    """Return how many messages went out, or may have, on the UTC day that begins at `day`."""
    within = and_(attempt.c.started_at >= day, attempt.c.started_at < day + timedelta(days=1))
    return int(
        tx.execute(select(func.count()).select_from(attempt).where(attempt.c.state != "failed", within)).scalar_one()
    )


def lying_ready(tx: Connection, now: datetime, *, crms: Collection[str], surveys: Collection[str]) -> int:
    """Return how many invitations of these connections and surveys wait to be sent."""
    wanted = and_(invitation.c.connection.in_(crms), invitation.c.survey.in_(surveys))
    ready = and_(invitation.c.state == Delivery.DUE, invitation.c.expires_at > now, wanted)
    return int(tx.execute(select(func.count()).select_from(invitation).where(ready)).scalar_one())


# ── what is decided ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Move:
    """One decision's new state."""

    state: str
    reason: str | None = None
    until: datetime | None = None
    due_at: datetime | None = None
    note: str | None = None


class DecisionChange(TypedDict, total=False):
    """Whom a decision is about from now on; what is absent stays as it is."""

    account_id: str | None
    contact_id: str


class DecisionWriter:
    """The decisions on one page of interactions, written together when the page is done: history brings thousands at once.

    Nothing of a page reads what the page writes, so the order within it does not matter but for what refers to what.
    """

    def __init__(self, tx: Connection, at: datetime) -> None:
        self._connection = tx
        self._at = at
        self._decisions: list[dict[str, object]] = []
        self._log: list[dict[str, object]] = []
        self._invitations: list[Invitation] = []
        self._decided: list[dict[str, object]] = []

    def new(
        self, move: Move, *, survey: str, connection: str, interaction_id: str, contact_id: str, account_id: str | None
    ) -> str:
        """Take a new decision; returns its id."""
        decision_id = new_id()
        about = {"survey": survey, "connection": connection, "interaction_id": interaction_id}
        whom = {"contact_id": contact_id, "account_id": account_id}
        self._decisions.append({"id": decision_id, **_state(move, self._at), **about, **whom})
        self._log.append(_log_row(decision_id, move, self._at))
        return decision_id

    def move(self, decision_id: str, move: Move, **whom: Unpack[DecisionChange]) -> None:
        """Bring a decision to another state, and keep the move."""
        move_decision(self._connection, decision_id, move, self._at, **whom)

    def invite(self, invitation: Invitation) -> None:
        """Make a decision's invitation due; see `put_invitation`."""
        self._invitations.append(invitation)

    def decided(self, interaction_id: str, again_at: datetime | None) -> None:
        """Take an interaction off the work list, until `again_at` if that is given."""
        self._decided.append({"interaction": interaction_id, "again": again_at})

    def write(self) -> None:
        """Write the page."""
        insert_new(self._connection, decision, self._decisions)
        insert_new(self._connection, decision_log, self._log)
        for due in self._invitations:
            put_invitation(self._connection, due)
        if self._decided:
            self._connection.execute(_DECIDED, self._decided)


_DECIDED = update(interaction).where(interaction.c.id == bindparam("interaction")).values(decide_at=bindparam("again"))


def move_decision(tx: Connection, decision_id: str, move: Move, at: datetime, **whom: Unpack[DecisionChange]) -> None:
    """Bring a decision to another state, and keep the move."""
    tx.execute(update(decision).where(decision.c.id == decision_id).values(**_state(move, at), **whom))
    _log(tx, decision_id, move, at)


def note(tx: Connection, decision_id: str, text: str, at: datetime) -> None:
    """Keep a remark in the log of a decision that stays as it is."""
    row = tx.execute(select(decision).where(decision.c.id == decision_id)).one()
    _log(tx, decision_id, Move(row.state, row.reason, row.until, note=text), at)


def _state(move: Move, at: datetime) -> dict[str, object]:
    return {"state": move.state, "reason": move.reason, "until": move.until, "due_at": move.due_at, "decided_at": at}


def _log(tx: Connection, decision_id: str, move: Move, at: datetime) -> None:
    tx.execute(insert(decision_log), [_log_row(decision_id, move, at)])


def _log_row(decision_id: str, move: Move, at: datetime) -> dict[str, object]:
    return {
        "decision_id": decision_id,
        "at": at,
        "state": move.state,
        "reason": move.reason,
        "until": move.until,
        "note": move.note,
    }


def put_invitation(tx: Connection, due: Invitation) -> None:
    """Make a decision's invitation due. One that was cancelled before anything was sent is taken up again."""
    columns = {
        "survey": due.survey,
        "connection": due.connection,
        "account_id": due.account_id,
        "contact_id": due.contact_id,
        "interaction_id": due.interaction_id,
        "person": due.person,
        "email": due.email,
        "name": due.name,
        "language": due.language,
        "label": due.label,
        "customer_label": due.customer_label,
        "owner_ref": ref_text(due.owner),
        "owner_name": due.owner_name,
        "questionnaire": dict(due.questionnaire),
        "created_at": due.created_at,
        "due_at": due.due_at,
        "expires_at": due.expires_at,
        "state": due.state.value,
        "reminder_at": due.reminder_at,
        "error": due.error,
    }
    may_have_arrived = exists().where(attempt.c.invitation_id == invitation.c.id, attempt.c.state != "failed")
    again = tx.execute(
        update(invitation).where(invitation.c.decision_id == due.decision_id, ~may_have_arrived).values(**columns)
    )
    if again.rowcount == 0:
        tx.execute(insert(invitation).values(id=due.id, decision_id=due.decision_id, **columns))
