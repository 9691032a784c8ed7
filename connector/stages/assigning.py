"""Who gets a follow-up: the people that its rule names, in order; then whoever else is near; nobody only if there is nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from connector.settings import Role, Settings
from connector.store import Row, Transaction, following
from connector.zones import owner_zone

NEAR = (Role.CONTACT_OWNER, Role.INTERACTION_OWNER)
"""Who is tried when nobody of the rule can take it."""


@dataclass(frozen=True, slots=True)
class About:
    """What a follow-up is about, as far as it tells whose it could be."""

    account: Row[Any]
    contact_id: str | None = None
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """The owner of a follow-up, and why it is not the first choice. Without a ref the CRM gives the task to whoever we act as."""

    ref: str | None
    name: str | None
    tz: ZoneInfo
    note: str | None


def assign(connection: Transaction, targets: Sequence[str], about: About, settings: Settings) -> Assigned:
    """Choose. Inactive people and the person who was rated are passed over, and named; the latter gets it before nobody does."""
    rated = _rated(connection, about)
    passed: list[str] = []
    last_resort: Row[Any] | None = None
    for owner in _candidates(connection, targets, about):
        if not following.works(owner):
            passed.append(f"{owner.name} is no longer active")
        elif owner.ref == rated:
            passed.append(f"{owner.name} is the person who was rated")
            last_resort = last_resort or owner
        else:
            return _to(owner, f"Passed over: {', '.join(passed)}." if passed else None, settings)
    if last_resort is not None:
        note = f"Assigned to {last_resort.name} although the answer is about them: there is nobody else."
        return _to(last_resort, note, settings)
    why = (
        f"Nobody could be assigned: {', '.join(passed)}." if passed else "Nobody could be assigned: no owner is known."
    )
    return Assigned(None, None, settings.company.timezone, why)


def find_owner(connection: Transaction, target: str, about: About) -> Row[Any] | None:
    """Return whom a role or an address means; None when nobody."""
    crm = about.account.connection
    if target == Role.ACCOUNT_OWNER:
        return following.owner_at(connection, crm, about.account.owner_ref)
    if target == Role.CONTACT_OWNER:
        contact = following.contact_of(connection, about.contact_id)
        return following.owner_at(connection, crm, contact.owner_ref if contact is not None else None)
    if target == Role.INTERACTION_OWNER:
        return following.owner_at(connection, crm, _rated(connection, about))
    return following.owner_by_email(connection, crm, target)


def _candidates(connection: Transaction, targets: Sequence[str], about: About) -> Iterator[Row[Any]]:
    seen: set[str] = set()
    for target in (*targets, *NEAR):
        owner = find_owner(connection, target, about)
        if owner is not None and owner.ref not in seen:
            seen.add(owner.ref)
            yield owner


def _rated(connection: Transaction, about: About) -> str | None:
    """Return the ref of whoever owned what was asked about."""
    interaction = following.interaction_of(connection, about.interaction_id)
    return interaction.owner_ref if interaction is not None else None


def _to(owner: Row[Any], note: str | None, settings: Settings) -> Assigned:
    return Assigned(owner.ref, owner.name, owner_zone(owner.timezone, settings), note)
