"""Whose answer is in a follow-up about somebody else: each of them is owed one of their own, and what they are owed comes first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connector.ports import Write
from connector.stages.installation import Installation
from connector.store import Transaction
from connector.store.results import follow_ups


@dataclass(frozen=True, slots=True)
class Owed:
    """How many people are owed a follow-up before a lap, and which ones the lap would open for them."""

    people: int = 0
    own: frozenset[str] = frozenset()
    """By the keys of their tasks; before the lap, those that were opened for such people until then."""

    def first(self, writes: Sequence[tuple[str, Write]]) -> list[tuple[str, Write]]:
        """Return writes (connection, write) in their order, but the tasks of those who are owed one before all others."""
        return sorted(writes, key=lambda pair: pair[1].key not in self.own)


def owed(tx: Transaction) -> Owed:
    """Return how many people are owed a follow-up now."""
    return Owed(follow_ups.people_owed_one(tx), frozenset(follow_ups.opened_for_the_owed(tx)))


def opened(copy: Installation, before: Owed) -> Owed:
    """Return what a lap on a copy has opened for those who were owed one before it."""
    with copy.store.read() as tx:
        return replace(before, own=frozenset(follow_ups.opened_for_the_owed(tx)) - before.own)
