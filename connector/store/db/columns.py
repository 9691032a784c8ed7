"""Values of the model as rows of their tables."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from connector.domain.account_links import link_key
from connector.model import Account, Contact, Interaction, Kind, Owner, Pulled, SeenTask
from connector.store import tables
from connector.store.db.documents import decoded, encoded
from connector.store.db.types import AnyTable
from connector.store.tables import ref_text

TABLES: Mapping[Kind, AnyTable] = {
    Kind.OWNER: tables.owner,
    Kind.ACCOUNT: tables.account,
    Kind.CONTACT: tables.contact,
    Kind.INTERACTION: tables.interaction,
}


def kind_of(value: Pulled) -> Kind:
    """Return which table a value belongs into."""
    return _KINDS[type(value)]


def columns_of(value: Pulled) -> tuple[object, ...]:
    """Return what a record means to us, as its table keeps it (see `NAMES`); without what our own fields show."""
    match value:
        case Contact():
            return _contact_columns(value)
        case Interaction():
            return _interaction_columns(value)
        case Account():
            return _account_columns(value)
        case Owner():
            return _owner_columns(value)
        case SeenTask():
            return (value,)


class Content(NamedTuple):
    """A value as it is stored, and by which it is known that it has changed."""

    value: Pulled
    digest: str
    columns: tuple[object, ...]


def content_of(value: Pulled) -> Content:
    """Return a value as it is stored."""
    columns = columns_of(value)
    return Content(value, _digest(_hashed(value, columns)), columns)


def is_as_kept(content: Content, digest: str) -> bool:
    """Tell whether a stored hash is that of this content, be it in the form of version 0.1.0."""
    return content.digest == digest or _digest(_as_first_kept(content.value, content.columns)) == digest


def _digest(columns: object) -> str:
    return hashlib.blake2b(repr(columns).encode(), digest_size=12).hexdigest()


def _hashed(value: Pulled, columns: tuple[object, ...]) -> tuple[object, ...]:
    """Return the columns by which it is known that a record has changed; a later one that holds nothing makes no difference."""
    return columns[:-1] if isinstance(value, Interaction) and value.updated_by is None else columns


def _as_first_kept(value: Pulled, columns: tuple[object, ...]) -> dict[str, object]:
    """Return the columns in the form that version 0.1.0 made its hashes of: by these it is known what has not changed since."""
    if isinstance(value, SeenTask):
        return {"task": value}
    named = zip(NAMES[kind_of(value)], columns, strict=True)
    return {
        name: decoded(str(column)) if name in _DOCUMENTS else column
        for name, column in named
        if column is not None or name not in _LATER
    }


_LATER = frozenset({"manager_ref", "updated_by"})
"""Columns that version 0.1.0 did not have: without a value they make no difference."""
_DOCUMENTS = frozenset({"facts", "contact_refs"})

NAMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.OWNER: ("name", "email", "active", "timezone", "manager_ref", "standard"),
    Kind.ACCOUNT: ("name", "owner_ref", "parent_ref", "is_customer", "link", "facts"),
    Kind.CONTACT: ("account_ref", "name", "email", "role", "language", "owner_ref", "no_surveys", "facts"),
    Kind.INTERACTION: (
        "kind",
        "label",
        "account_ref",
        "contact_refs",
        "owner_ref",
        "ended",
        "ended_at",
        "updated_at",
        "facts",
        "updated_by",
    ),
}
"""What `columns_of` returns the values of, by kind. Documents come as text."""

_KINDS: Mapping[type[Pulled], Kind] = {
    Owner: Kind.OWNER,
    Account: Kind.ACCOUNT,
    Contact: Kind.CONTACT,
    Interaction: Kind.INTERACTION,
    SeenTask: Kind.FOLLOW_UP,
}


def _owner_columns(value: Owner) -> tuple[object, ...]:
    return (value.name, value.email, value.active, value.timezone, ref_text(value.manager), value.standard)


def _account_columns(value: Account) -> tuple[object, ...]:
    return (
        value.name,
        ref_text(value.owner),
        ref_text(value.parent),
        value.is_customer,
        link_key(value.link),
        encoded(value.facts),
    )


def _contact_columns(value: Contact) -> tuple[object, ...]:
    return (
        ref_text(value.account),
        value.name,
        value.email,
        value.role,
        value.language,
        ref_text(value.owner),
        value.no_surveys,
        encoded(value.facts),
    )


def _interaction_columns(value: Interaction) -> tuple[object, ...]:
    return (
        value.kind,
        value.label,
        ref_text(value.account),
        encoded([ref_text(ref) for ref in value.contacts]),
        ref_text(value.owner),
        value.ended,
        value.ended_at,
        value.updated_at,
        encoded(value.facts),
        value.updated_by,
    )
