"""Hashes of what a mapping asks and how it understands the answers: records are read anew when theirs changes."""

import hashlib
from collections.abc import Sequence
from typing import Final

from connector.ports import Query
from mappings.spec import Spec

UNDERSTANDING: Final = 1
"""Counted up whenever this code understands the same data differently: then everything is read again."""
KindTypes = tuple[str, tuple[tuple[str, str], ...]]
"""A kind of record, and the fields of it that are read, each with its type."""
ReadBack = tuple[str, str, str]
"""A field of ours that is read again: target, our name, and the CRM's."""


def of_text(text: str) -> str:
    """Return the hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def of_triggers(spec: Spec) -> str:
    """Return a hash of what ends an interaction, and of who is a customer."""
    return of_text(repr((UNDERSTANDING, spec.interactions, spec.account.is_customer)))


def of_mapping(spec: Spec, queries: Sequence[Query], types: list[KindTypes], back: list[ReadBack]) -> str:
    """Return a hash of all that is asked, and of everything by which records are understood."""
    asked = [(query.object, sorted(query.fields), query.where) for query in queries]
    read = [spec.owner, spec.account, spec.contact, spec.interactions, spec.task]
    return of_text(repr((UNDERSTANDING, asked, read, types, back, *spec.who())))


def of_object(spec: Spec, query: Query, types: list[KindTypes], back: list[ReadBack]) -> str:
    """Return a hash of what is asked of one object, and of everything by which its records are understood."""
    parts = [spec.owner, spec.account, spec.contact, *spec.interactions, spec.task]
    objects = [spec.owner.object, spec.account.object, spec.contact.object]
    objects += [*(part.object for part in spec.interactions), spec.task.object]
    read = [part for part, name in zip(parts, objects, strict=True) if name == query.object]
    leads = tuple(objects[:3])  # a lookup is understood by the object that it leads to
    asked = (query.object, sorted(query.fields), query.where)
    return of_text(repr((UNDERSTANDING, asked, read, leads, types, back, *spec.who(query.object))))
