"""Persons: one human over all connections, known by a keyed hash of the e-mail address, and what they have told us."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select, update

from connector.model import alternative_addresses, normalized_address
from connector.model.stored import StoredContact
from connector.store.db.row_readers import contact_of
from connector.store.db.upsert import insert_or_ignore
from connector.store.surveys.askable import look_again_at_people
from connector.store.tables import contact, invitation, person, setting

_KEY = "person_key"
_MARKS: Final = select(
    person.c.person, person.c.opted_out_at, person.c.opted_out_by, person.c.bounced_at, person.c.bounce
)
_STORED_KEY: Final = select(setting.c.value).where(setting.c.name == _KEY)


@dataclass(frozen=True, slots=True)
class PersonMarks:
    """What is known of a person, over all connections: whether they want surveys, whether mail reaches them."""

    person: str
    opted_out_at: datetime | None
    opted_out_by: str | None
    """An `OptOutWay`."""
    bounced_at: datetime | None
    bounce: str | None
    """What the mail server said."""


def person_key(tx: Connection) -> bytes:
    """Return the installation's key for hashing addresses, made at first use.

    It stays the same for ever: were it derived from a secret that can be rotated, a rotation would forget every opt-out.
    """
    stored = tx.execute(_STORED_KEY).scalar_one_or_none()
    if stored is None:
        insert_or_ignore(tx, setting, [{"name": _KEY, "value": secrets.token_hex(32)}])
        stored = tx.execute(_STORED_KEY).scalar_one()
    return bytes.fromhex(str(stored))


def person_of(key: bytes, email: str) -> str:
    """Return the person that an address belongs to, however it is spelled."""
    return _hash(key, normalized_address(email))


def _hash(key: bytes, address: str) -> str:
    inner, outer = (state.copy() for state in _states(key))
    inner.update(address.encode())
    outer.update(inner.digest())
    return outer.hexdigest()[:32]


@lru_cache(maxsize=4)
def _states(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """Return the two hashes of an HMAC (RFC 2104) after its key: a first reading needs them for every contact."""
    size = hashlib.sha256().block_size
    block = (key if len(key) <= size else hashlib.sha256(key).digest()).ljust(size, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def join_spellings(tx: Connection, key: bytes, emails: Iterable[str]) -> None:
    """Let what is known of people under another spelling of their address hold for them.

    Earlier versions kept an address as the CRM spelled it: ``bücher.example`` and ``xn--bcher-kva.example`` were two people. Where the
    address itself is no longer in the store (erased, deleted), this is how a person who comes back is known again.
    """
    for email in {normalized_address(email) for email in emails}:
        who = _hash(key, email)
        others = [old for spelling in alternative_addresses(email) if (old := _hash(key, spelling)) != who]
        known = people(tx, others) if others else {}
        for row in known.values():
            _join(tx, row, who)
        if others:
            tx.execute(update(invitation).where(invitation.c.person.in_(others)).values(person=who))


def _join(tx: Connection, old: PersonMarks, who: str) -> None:
    """Take over the marks of a row under another spelling."""
    insert_or_ignore(tx, person, [{"person": who}])
    statement = update(person).where(person.c.person == who)
    if old.opted_out_at is not None:
        opted_out = {"opted_out_at": old.opted_out_at, "opted_out_by": old.opted_out_by}
        tx.execute(statement.where(person.c.opted_out_at.is_(None)).values(**opted_out))
    if old.bounced_at is not None:
        bounced_then = {"bounced_at": old.bounced_at, "bounce": old.bounce}
        tx.execute(statement.where(person.c.bounced_at.is_(None)).values(**bounced_then))
    # It is done once: else a mark that was taken off would come back with the next change of the record.
    tx.execute(person.delete().where(person.c.person == old.person))
    look_again_at_people(tx, [who])


def people(tx: Connection, persons: Collection[str]) -> Mapping[str, PersonMarks]:
    """Return what is known of these persons, by person."""
    rows = tx.execute(_MARKS.where(person.c.person.in_(persons)))
    return {marks.person: marks for marks in (PersonMarks(*row) for row in rows)}


def opt_out(tx: Connection, who: str, at: datetime, by: str) -> bool:
    """Latch a person's opt-out; returns whether this changed anything. It is never taken back by a sync."""
    insert_or_ignore(tx, person, [{"person": who}])
    changed = tx.execute(
        update(person)
        .where(person.c.person == who, person.c.opted_out_at.is_(None))
        .values(opted_out_at=at, opted_out_by=by)
    )
    if changed.rowcount == 1:
        look_again_at_people(tx, [who])
    return changed.rowcount == 1


def bounced(tx: Connection, who: str, at: datetime, reason: str) -> None:
    """Remember that mail to this person's address does not arrive."""
    insert_or_ignore(tx, person, [{"person": who}])
    tx.execute(update(person).where(person.c.person == who).values(bounced_at=at, bounce=reason))
    look_again_at_people(tx, [who])


def contacts_of(tx: Connection, who: str) -> list[StoredContact]:
    """Return this person's contacts over all connections, deleted ones left out."""
    rows = tx.execute(select(contact).where(contact.c.person == who, contact.c.deleted_at.is_(None)))
    return [contact_of(row) for row in rows]
