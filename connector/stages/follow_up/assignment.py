"""Who gets a follow-up: the people that its rule names, in order; then whoever else is near; then the managers and the admin.

Whoever was rated gets it only where there is nobody else, and nobody only if there is nobody at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.model import Ref
from connector.model.stored import StoredAccount, StoredOwner
from connector.sentences.catalogue import Catalogue, catalogue
from connector.settings import Role, Settings
from connector.settings.time_zones import owner_zone
from connector.store import Transaction
from connector.store.results import follow_up_facts

NEAR = (Role.ACCOUNT_OWNER, Role.CONTACT_OWNER, Role.INTERACTION_OWNER)
"""Who is tried when nobody of the rule can take it."""


@dataclass(frozen=True, slots=True)
class About:
    """What a follow-up is about, as far as it tells whose it could be."""

    account: StoredAccount
    contact_id: str | None = None
    interaction_id: str | None = None
    rated: frozenset[Ref] = frozenset()
    """Those who owned what was asked about when it was asked; empty: whoever owns the interaction now."""


@dataclass(frozen=True, slots=True)
class _Cover:
    """Who takes over from whom today, and who is asked last."""

    is_away: Callable[[str], bool]
    """Whether the person of this address is away."""
    stand_in: Callable[[str], str | None]
    """The address of whoever stands in for the person of this address and is there."""
    last_resort: tuple[str, ...]
    """Addresses of managers and of the admin."""

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> "_Cover":
        """Return what the configuration says for today."""
        today = settings.company.working_time.day_of(now)
        admin = (settings.admin.email,) if settings.admin.email else ()
        return cls(
            is_away=lambda address: settings.is_away(address, today),
            stand_in=lambda address: settings.stand_in(address, today),
            last_resort=(*settings.web.managers, *admin),
        )


@dataclass(frozen=True, slots=True)
class Assigned:
    """The owner of a follow-up, and why it is not the first choice, in the company's language.

    Without a ref the CRM gives the task to whoever we act as.
    """

    ref: Ref | None
    name: str | None
    tz: ZoneInfo
    note: str | None


def assign(tx: Transaction, targets: Sequence[str], about: About, *, settings: Settings, now: datetime) -> Assigned:
    """Choose. Whoever has left, is away or was rated is passed over, and named.

    Where nobody is left, it is somebody who is away; where there is none either, whoever was rated.
    """
    rated, cover = _Rated.of(tx, about), _Cover.of(settings, now)
    words = catalogue(settings.company.language)
    passed: list[str] = []
    away: StoredOwner | None = None
    last: StoredOwner | None = None
    for owner, note in _candidates(tx, targets, about, cover, words=words):
        if not owner.works:
            # Whoever has left may have lost their user too (HubSpot): that makes them nobody's partner.
            gone = not owner.active or owner.deleted_at is not None
            passed.append(words.text("assigned.inactive" if gone else "assigned.outsider", who=owner.name))
        elif owner in rated:
            passed.append(words.text("assigned.rated", who=owner.name))
            last = last or owner
        elif owner.email and cover.is_away(owner.email):
            passed.append(words.text("assigned.away", who=owner.name))
            away = away or owner
        else:
            notes = (
                [words.text("assigned.passed_over", people=words.text("format.list").join(passed))] if passed else []
            )
            return _to(owner, " ".join([*notes, *note]) or None, settings)
    if away is not None:
        return _to(away, words.text("assigned.only_away", who=away.name), settings)
    if last is not None:
        return _to(last, words.text("assigned.only_rated", who=last.name), settings)
    why = words.text("format.list").join(passed) or words.text("assigned.no_owner")
    return Assigned(None, None, settings.company.timezone, words.text("assigned.nobody", people=why))


def find_owner(tx: Transaction, target: str, about: About) -> StoredOwner | None:
    """Return whom a role or an address means; None when nobody."""
    crm = about.account.ref.connection
    if target == Role.ACCOUNT_OWNER:
        ref = about.account.owner
    elif target == Role.CONTACT_OWNER:
        contact = follow_up_facts.contact_of(tx, about.contact_id)
        ref = contact.owner if contact is not None else None
    elif target == Role.INTERACTION_OWNER:
        ref = _owner_of_interaction(tx, about)
    else:
        return follow_up_facts.owner_by_email(tx, crm, target)
    # A task can be given to a user of its own CRM alone.
    return follow_up_facts.owner_at(tx, ref) if ref is not None and ref.connection == crm else None


def _candidates(
    tx: Transaction, targets: Sequence[str], about: About, cover: _Cover, *, words: Catalogue
) -> Iterator[tuple[StoredOwner, list[str]]]:
    """Yield whom it could be given to, each once, after everybody who is away their stand-in; with what is to be said of the choice."""
    seen: set[Ref] = set()
    last_resort = words.text("assigned.last_resort")
    in_order = [
        *((target, []) for target in (*targets, *NEAR)),
        *((fallback, [last_resort]) for fallback in cover.last_resort),
    ]
    for target, note in in_order:
        owner = find_owner(tx, target, about)
        if owner is None or owner.ref in seen:
            continue
        seen.add(owner.ref)
        yield owner, note
        deputy = cover.stand_in(owner.email) if owner.email and cover.is_away(owner.email) else None
        stand_in = find_owner(tx, deputy, about) if deputy else None
        if stand_in is not None and stand_in.ref not in seen:
            seen.add(stand_in.ref)
            yield stand_in, [words.text("assigned.stands_in", deputy=stand_in.name, who=owner.name)]


@dataclass(frozen=True, slots=True)
class _Rated:
    """Those whom an answer is about. The same human may be a user of several CRMs."""

    refs: frozenset[Ref]
    emails: frozenset[str]

    @classmethod
    def of(cls, tx: Transaction, about: About) -> "_Rated":
        now = _owner_of_interaction(tx, about)
        refs = about.rated or frozenset({now} if now else ())
        owners = [follow_up_facts.owner_at(tx, ref) for ref in refs]
        return cls(refs, frozenset(owner.email.lower() for owner in owners if owner is not None and owner.email))

    def __contains__(self, owner: StoredOwner) -> bool:
        return owner.ref in self.refs or (owner.email or "").lower() in self.emails


def _owner_of_interaction(tx: Transaction, about: About) -> Ref | None:
    """Return the ref of whoever owns what was asked about."""
    interaction = follow_up_facts.interaction_of(tx, about.interaction_id)
    return interaction.owner if interaction is not None else None


def _to(owner: StoredOwner, note: str | None, settings: Settings) -> Assigned:
    return Assigned(owner.ref, owner.name, owner_zone(owner, settings), note)
