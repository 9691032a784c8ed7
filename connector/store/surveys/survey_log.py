"""What the survey log tells: decisions, what became of their mail, and the answers."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, or_, select

from connector.model import Kind, normalized_address
from connector.store.crm.refs import chunks, rows_by_id
from connector.store.surveys.people import people
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
    rating,
    refused,
    response,
)

LATEST = 50
"""How many decisions are told of one contact or account, the latest ones."""

_TABLES = {Kind.ACCOUNT.value: account, Kind.CONTACT.value: contact, Kind.INTERACTION.value: interaction}


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """A record that the asked-for id may mean."""

    kind: str
    row: Any


def find(tx: Connection, record: str, normalisers: Collection[Callable[[str], str]] = ()) -> list[LoggedRecord]:
    """Return the accounts, contacts and interactions that are meant: by a CRM's id (several may use the same) or one of ours, by the
    address of a record's page, by an e-mail address, or by what people call them.

    `normalisers` write an id as the records of a CRM have it, see `AdapterPackage`.
    """
    record = record.strip()
    for looked_for in (record, *_ids_in_address(record)):
        written = dict.fromkeys([looked_for, *(normalise(looked_for) for normalise in normalisers)])
        if found := _by_id(tx, list(written)):
            return found
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
    return [LoggedRecord(Kind.CONTACT.value, row) for row in rows]


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
        Kind.ACCOUNT.value: select(account).where(func.lower(account.c.name) == name.lower()),
        Kind.CONTACT.value: select(contact).where(func.lower(contact.c.name) == name.lower()),
        Kind.INTERACTION.value: select(interaction).where(called),
    }
    return [
        LoggedRecord(kind, row)
        for kind, query in meant.items()
        for row in tx.execute(query.order_by("ref").limit(LATEST))
    ]


def _by_id(tx: Connection, record_ids: list[str]) -> list[LoggedRecord]:
    """`record_ids`: one id, as it may be written."""
    if not record_ids[0]:
        return []
    ends_with = [binding.c.ref.like(f"%/{_escaped(record_id)}", escape="\\") for record_id in record_ids]
    bound = tx.execute(
        select(binding).where(or_(binding.c.id == record_ids[0], *ends_with), binding.c.kind.in_(_TABLES))
    ).all()
    ids = {
        (row.kind, row.id): None
        for row in bound
        if row.id == record_ids[0] or row.ref.partition("/")[2] in record_ids  # for SQL, capitals make no difference
    }
    return [
        LoggedRecord(kind, row)
        for kind, table in _TABLES.items()
        for row in rows_by_id(tx, table, [id_ for of, id_ in ids if of == kind]).values()
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision with everything that followed from it."""

    decision: Any
    interaction: Any
    contact: Any | None
    moves: list[Any]
    """Oldest first."""
    invitation: Any | None
    attempts: list[Any]
    answers: list[tuple[Any, list[Any]]]
    """Responses with their ratings, oldest first."""
    person: Any | None = None
    """What is known of the person asked, over all connections: whether they want surveys, whether mail reaches them."""

    @property
    def who(self) -> str:
        """The name of who was asked or not."""
        if self.contact is not None:
            return str(self.contact.name)
        return str(self.invitation.name) if self.invitation is not None else ""


def person(tx: Connection, record: LoggedRecord) -> Any | None:
    """Return what is known of the person behind a contact; None for other kinds."""
    key = getattr(record.row, "person", None)
    return people(tx, [key]).get(key) if key else None


def set_aside(tx: Connection, record: LoggedRecord) -> list[Any]:
    """Return what was refused of a record, read or written, and of the tasks about it: what, remedy, direction, at."""
    row = record.row
    about = {Kind.ACCOUNT.value: follow_up.c.account_id, Kind.CONTACT.value: follow_up.c.contact_id}.get(record.kind)
    of_record = [refused.c.key.in_([f"{record.kind}:{row.ref}", f"read:{row.ref}"])]
    if about is not None:
        of_record.append(refused.c.key.in_(select(follow_up.c.id).where(about == row.id)))
    found_rows = select(refused).where(refused.c.connection == row.connection, or_(*of_record))
    return list(tx.execute(found_rows.order_by(refused.c.at, refused.c.key)))


def entries(tx: Connection, record: LoggedRecord) -> list[Entry]:
    """Return the decisions on a record, or on the latest interactions of a contact or account; the latest first."""
    column = {
        Kind.ACCOUNT.value: decision.c.account_id,
        Kind.CONTACT.value: decision.c.contact_id,
        Kind.INTERACTION.value: decision.c.interaction_id,
    }[record.kind]
    newest = (decision.c.decided_at.desc(), decision.c.id)
    decisions = tx.execute(select(decision).where(column == record.row.id).order_by(*newest).limit(LATEST)).all()
    interactions = rows_by_id(tx, interaction, (row.interaction_id for row in decisions))
    contacts = rows_by_id(tx, contact, (row.contact_id for row in decisions))
    moves = _grouped(tx, decision_log, "decision_id", [row.id for row in decisions])
    invitations = {
        key: rows[0] for key, rows in _grouped(tx, invitation, "decision_id", [row.id for row in decisions]).items()
    }
    asked = [row.id for row in invitations.values()]
    attempts = _grouped(tx, attempt, "invitation_id", asked)
    answers = _answers(tx, asked)
    known = people(tx, {row.person for row in [*contacts.values(), *invitations.values()] if row.person})
    return [
        Entry(
            decision=row,
            interaction=interactions[row.interaction_id],
            contact=contacts.get(row.contact_id),
            moves=moves.get(row.id, []),
            invitation=invitations.get(row.id),
            attempts=attempts.get(_id(invitations.get(row.id)), []),
            answers=answers.get(_id(invitations.get(row.id)), []),
            person=known.get(_person(contacts.get(row.contact_id), invitations.get(row.id))),
        )
        for row in decisions
        if row.interaction_id in interactions
    ]


def _id(row: Any) -> str:
    return str(row.id) if row is not None else ""


def _person(*rows: Any) -> str:
    return next((row.person for row in rows if row is not None and row.person), "")


def _grouped(tx: Connection, table: Any, column: str, values: Collection[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in chunks(values):
        rows = tx.execute(select(table).where(table.c[column].in_(part)).order_by(table.c.id))
        for row in rows:
            found.setdefault(getattr(row, column), []).append(row)
    return found


def _answers(tx: Connection, invitations: Collection[str]) -> Mapping[str, list[tuple[Any, list[Any]]]]:
    responses = _grouped(tx, response, "invitation_id", invitations)
    ratings = _grouped(tx, rating, "response_id", [row.id for rows in responses.values() for row in rows])
    return {
        key: [(one, ratings.get(one.id, [])) for one in sorted(rows, key=lambda row: row.revision)]
        for key, rows in responses.items()
    }
