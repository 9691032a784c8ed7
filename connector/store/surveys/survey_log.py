"""What the survey log tells: decisions, what became of their mail, and the answers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, or_, select

from connector.model import Decision, Kind, Rating, normalized_address
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction
from connector.model.surveys import DecisionLogEntry, Invitation, StoredDecision
from connector.store.crm.refs import chunks, values_by_id
from connector.store.db import row_readers
from connector.store.db.types import AnyRow, AnyTable
from connector.store.results import record_texts
from connector.store.surveys import before_go_live
from connector.store.surveys.deliveries import FAILED
from connector.store.surveys.people import PersonMarks, people
from connector.store.tables import (
    account,
    attempt,
    binding,
    contact,
    decision,
    decision_log,
    follow_up,
    interaction,
    invitation,
    ref_text,
    refused_record,
    response,
)

LATEST = 50
"""How many decisions are told of one contact or account, the latest ones."""

_TABLES: Mapping[Kind, AnyTable] = {Kind.ACCOUNT: account, Kind.CONTACT: contact, Kind.INTERACTION: interaction}
_Reader = Callable[[AnyRow], StoredAccount | StoredContact | StoredInteraction]
_READERS: Mapping[Kind, _Reader] = {
    Kind.ACCOUNT: row_readers.account_of,
    Kind.CONTACT: row_readers.contact_of,
    Kind.INTERACTION: row_readers.interaction_of,
}


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """A record that the asked-for id may mean."""

    kind: Kind
    record: StoredAccount | StoredContact | StoredInteraction

    @property
    def title(self) -> str:
        """What people call it."""
        return self.record.label if isinstance(self.record, StoredInteraction) else self.record.name


def find(tx: Connection, record: str, normalisers: Collection[Callable[[str], str]] = ()) -> list[LoggedRecord]:
    """Return the accounts, contacts and interactions that are meant: by a CRM's id (several may use the same) or one of ours, by the
    address of a record's page, by an e-mail address, or by what people call them.

    `normalisers` write an id as the records of a CRM have it, see `AdapterPackage`.
    """
    record = record.strip()
    for looked_for in (record, *_ids_in_address(record)):
        written = dict.fromkeys([looked_for, *(normalise(looked_for) for normalise in normalisers)])
        if records := _by_id(tx, list(written)):
            return records
    if "@" in record:
        return _by_email(tx, normalized_address(record.removeprefix("mailto:")))
    return _by_name(tx, record) if record else []


def _ids_in_address(record: str) -> list[str]:
    """Return the parts of a web address that may be a record's id, the last one first: what comes behind it is a view of the record."""
    host, _, rest = record.removeprefix("https://").partition("/")
    if "." not in host or not rest:
        return []
    path = urlsplit(f"https://{host}/{rest}").path
    return [part for part in reversed(path.split("/")) if any(letter.isdigit() for letter in part)]


def _by_email(tx: Connection, email: str) -> list[LoggedRecord]:
    rows = tx.execute(select(contact).where(contact.c.email == email).order_by(contact.c.connection, contact.c.ref))
    return [LoggedRecord(Kind.CONTACT, row_readers.contact_of(row)) for row in rows]


def _by_name(tx: Connection, name: str) -> list[LoggedRecord]:
    """A case is often called by its number alone, and a ticket by its subject: what stands behind the word for its kind."""
    bare = name.strip('"').lower()
    label, ending = func.lower(interaction.c.label), _escaped(bare)
    called = or_(
        label.in_([name.lower(), bare]),
        label.like(f"% {ending}", escape="\\"),
        label.like(f'% "{ending}"', escape="\\"),
    )
    meant = {
        Kind.ACCOUNT: select(account).where(func.lower(account.c.name) == name.lower()),
        Kind.CONTACT: select(contact).where(func.lower(contact.c.name) == name.lower()),
        Kind.INTERACTION: select(interaction).where(called),
    }
    return [
        LoggedRecord(kind, _READERS[kind](row))
        for kind, query in meant.items()
        for row in tx.execute(query.order_by("ref").limit(LATEST))
    ]


def _by_id(tx: Connection, record_ids: list[str]) -> list[LoggedRecord]:
    """`record_ids`: one id, as it may be written."""
    if not record_ids[0]:
        return []
    ends_with = [binding.c.ref.like(f"%/{_escaped(record_id)}", escape="\\") for record_id in record_ids]
    bound = tx.execute(
        select(binding).where(
            or_(binding.c.id == record_ids[0], *ends_with), binding.c.kind.in_([kind.value for kind in _TABLES])
        )
    ).all()
    ids = {
        (row.kind, row.id): None
        for row in bound
        if row.id == record_ids[0] or row.ref.partition("/")[2] in record_ids  # for SQL, capitals make no difference
    }
    return [
        LoggedRecord(kind, record)
        for kind, table in _TABLES.items()
        for record in values_by_id(tx, table, _READERS[kind], [id_ for of, id_ in ids if of == kind.value]).values()
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@dataclass(frozen=True, slots=True)
class LoggedResponse:
    """An answer as the survey log tells it."""

    at: datetime
    comment: str | None
    counts: bool
    ratings: tuple[Rating, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """What was refused of a record, or of a task about it."""

    direction: str
    """read or write."""
    what: str
    remedy: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision with everything that followed from it."""

    decision: StoredDecision
    interaction: StoredInteraction
    contact: StoredContact | None
    moves: Sequence[DecisionLogEntry]
    """Oldest first."""
    invitation: Invitation | None
    failed_attempts: int
    """How often the mail could not be handed over."""
    answers: Sequence[LoggedResponse]
    """Oldest first."""
    person: PersonMarks | None = None
    """What is known of the person asked, over all connections: whether they want surveys, whether mail reaches them."""

    @property
    def who(self) -> str:
        """The name of who was asked or not."""
        if self.contact is not None:
            return self.contact.name
        return self.invitation.name if self.invitation is not None else ""


def person(tx: Connection, logged: LoggedRecord) -> PersonMarks | None:
    """Return what is known of the person behind a contact; None for other kinds."""
    key = logged.record.person if isinstance(logged.record, StoredContact) else None
    return people(tx, [key]).get(key) if key else None


def set_aside(tx: Connection, logged: LoggedRecord) -> list[SetAside]:
    """Return what was refused of a record, read or written, and of the tasks about it."""
    record, ref = logged.record, ref_text(logged.record.ref)
    about = {Kind.ACCOUNT: follow_up.c.account_id, Kind.CONTACT: follow_up.c.contact_id}.get(logged.kind)
    of_record = [refused_record.c.key.in_([f"{logged.kind.value}:{ref}", f"read:{ref}"])]
    if about is not None:
        of_record.append(refused_record.c.key.in_(select(follow_up.c.id).where(about == record.id)))
    rows = (
        select(refused_record.c.direction, refused_record.c.what, refused_record.c.remedy, refused_record.c.at)
        .where(refused_record.c.connection == record.ref.connection, or_(*of_record))
        .order_by(refused_record.c.at, refused_record.c.key)
    )
    return [SetAside(*row) for row in tx.execute(rows)]


def entries(tx: Connection, logged: LoggedRecord, events: before_go_live.Events) -> list[Entry]:
    """Return the decisions on a record, or on the latest interactions of a contact or account; the latest first.

    `events`: by survey, what it asks about. Of what ended before a survey went live there is no decision, and it is told all the same.
    """
    column = {
        Kind.ACCOUNT: decision.c.account_id,
        Kind.CONTACT: decision.c.contact_id,
        Kind.INTERACTION: decision.c.interaction_id,
    }[logged.kind]
    newest = (decision.c.decided_at.desc(), decision.c.id)
    rows = tx.execute(select(decision).where(column == logged.record.id).order_by(*newest).limit(LATEST))
    decisions = [row_readers.decision_of(row) for row in rows]
    decisions += before_go_live.as_decisions(tx, logged.record, events, LATEST - len(decisions))
    interactions = values_by_id(
        tx, interaction, row_readers.interaction_of, (made.interaction_id for made in decisions)
    )
    contacts = values_by_id(tx, contact, row_readers.contact_of, (made.contact_id for made in decisions))
    moves = _grouped(tx, decision_log, "decision_id", [made.id for made in decisions])
    invited = _grouped(tx, invitation, "decision_id", [made.id for made in decisions])
    invitations = {decision_id: row_readers.invitation_of(same[0]) for decision_id, same in invited.items()}
    asked = [sent.id for sent in invitations.values()]
    attempts = _grouped(tx, attempt, "invitation_id", asked)
    answers = _answers(tx, asked)
    persons = {_person(contacts.get(made.contact_id), invitations.get(made.id)) for made in decisions}
    known = people(tx, persons)
    return [
        Entry(
            decision=made,
            interaction=interactions[made.interaction_id],
            contact=contacts.get(made.contact_id),
            moves=[_move(row) for row in moves.get(made.id, [])],
            invitation=sent,
            failed_attempts=sum(row.state == FAILED for row in attempts.get(sent.id if sent else "", [])),
            answers=answers.get(sent.id if sent else "", []),
            person=known.get(_person(contacts.get(made.contact_id), sent)),
        )
        for made in decisions
        for sent in [invitations.get(made.id)]
        if made.interaction_id in interactions
    ]


def _move(row: AnyRow) -> DecisionLogEntry:
    return DecisionLogEntry(at=row.at, state=Decision(row.state), reason=row.reason, until=row.until, note=row.note)


def _person(*asked: StoredContact | Invitation | None) -> str:
    return next((known.person for known in asked if known is not None and known.person), "")


def _grouped(tx: Connection, table: AnyTable, column: str, wanted: Collection[str]) -> dict[str, list[AnyRow]]:
    groups: dict[str, list[AnyRow]] = {}
    for part in chunks(wanted):
        rows = tx.execute(select(table).where(table.c[column].in_(part)).order_by(table.c.id))
        for row in rows:
            groups.setdefault(getattr(row, column), []).append(row)
    return groups


def _answers(tx: Connection, invitations: Collection[str]) -> Mapping[str, list[LoggedResponse]]:
    responses = _grouped(tx, response, "invitation_id", invitations)
    ids = [row.id for rows in responses.values() for row in rows]
    ratings = {key: rated for part in chunks(ids) for key, rated in record_texts.ratings_of(tx, part).items()}
    return {
        key: [
            LoggedResponse(row.at, row.comment, row.counts, tuple(ratings.get(row.id, ())))
            for row in sorted(rows, key=lambda row: row.revision)
        ]
        for key, rows in responses.items()
    }
