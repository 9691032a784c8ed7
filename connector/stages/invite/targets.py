"""Which contacts of an interaction a survey is about, and which decisions are already there for them: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.model import Decision, Reason

NOBODY: Final = ""
"""Stands for the contact where an interaction has nobody to ask."""

CURABLE: Final = frozenset(
    {
        Reason.NO_ACCOUNT,
        Reason.NOT_A_CUSTOMER,
        Reason.CONDITION,
        Reason.NO_CONTACT,
        Reason.NO_ADDRESS,
        Reason.BAD_ADDRESS,
    }
)
"""Refusals that better data lifts, when the interaction is looked at again in time."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it stands. `contact` is the one that the contact is called by now, since a merge."""

    id: str
    contact: str
    state: Decision
    reason: Reason | None
    decided_at: datetime
    until: datetime | None = None

    def open_to(self, ended_at: datetime) -> bool:
        """Whether it may be decided anew: an invited person never, a refused one if data were missing or it has ended again."""
        if self.state is Decision.INVITED or self.reason is Reason.ERASED:
            return False
        return self.state is not Decision.REFUSED or self.reason in CURABLE or ended_at > self.decided_at


@dataclass(frozen=True, slots=True)
class Target:
    """One contact to decide on, and the decision that is there for them, or that they take over."""

    contact: str
    decided: Decided | None = None

    @property
    def taken_over(self) -> bool:
        """Whether the decision was for somebody else until now."""
        return self.decided is not None and self.decided.contact != self.contact


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom to decide on, in order, and the waiting decisions that are about nobody any more."""

    targets: tuple[Target, ...]
    dropped: tuple[Decided, ...]


def targets(participants: Sequence[str], existing: Sequence[Decided], *, only_primary: bool) -> Targets:
    """Pair the participants (the primary one, or whoever is asked in their place, first) with the decisions that exist.

    With `only_primary` an interaction has one decision: a new primary contact takes it over, unless somebody was invited already.
    """
    people = list(dict.fromkeys(participants)) or [NOBODY]
    if only_primary:
        asked = [decision for decision in existing if decision.state is Decision.INVITED]
        people = [asked[0].contact] if asked else people[:1]
    chosen = _pair(people, existing, only_primary=only_primary)
    used = {target.decided.id for target in chosen if target.decided is not None}
    left = (decision for decision in existing if decision.id not in used and decision.state is Decision.WAITING)
    return Targets(tuple(chosen), tuple(left))


def _pair(people: Sequence[str], existing: Sequence[Decided], *, only_primary: bool) -> list[Target]:
    # Of two decisions that a merge has brought together, the one by which the person was invited counts.
    ordered = sorted(existing, key=lambda decision: (decision.state is Decision.INVITED, decision.id))
    theirs = {decision.contact: decision for decision in ordered}
    free = [
        decision
        for decision in ordered
        if decision.contact not in people
        and decision.state is not Decision.INVITED
        and (only_primary or decision.contact == NOBODY)
    ]
    chosen = []
    for contact in people:
        decided = theirs.get(contact) or (free.pop(0) if free else None)
        if decided is not None or contact != NOBODY or not existing:
            chosen.append(Target(contact, decided))
    return chosen
