"""How much to invent: the number of records of each kind, and how they spread over companies."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Sizes:
    """How many records of each kind; each count at least 0, accounts at least 1 if anything else is wanted.

    Where a CRM has other words: accounts are companies, cases tickets, and opportunities deals.
    """

    accounts: int
    contacts: int
    cases: int
    calls: int
    meetings: int
    opportunities: int

    def __post_init__(self) -> None:
        counts = asdict(self)
        if min(counts.values()) < 0 or (self.accounts == 0 and any(counts.values())):
            raise ValueError(f"no such sizes: {counts}")
        if self.contacts == 0 and any((self.cases, self.calls, self.meetings, self.opportunities)):
            raise ValueError("without contacts nothing happens: ask for contacts, or for no interactions")

    @classmethod
    def around(cls, accounts: int) -> "Sizes":
        """The usual proportions: to 100 accounts 500 contacts, 250 cases, 200 calls, 80 meetings, 60 opportunities."""
        return cls(
            accounts,
            contacts=accounts * 5,
            cases=accounts * 5 // 2,
            calls=accounts * 2,
            meetings=accounts * 4 // 5,
            opportunities=accounts * 3 // 5,
        )


def headcounts(chance: random.Random, companies: Sequence[object], count: int) -> list[int]:
    """How many of `count` people work for each company: one each as far as they go round, the rest by chance."""
    heads = [1 if place < count else 0 for place in range(len(companies))]
    weights = [chance.lognormvariate(0, 0.8) for _ in companies]
    for place in chance.choices(range(len(companies)), weights, k=max(0, count - len(companies))) if companies else ():
        heads[place] += 1
    return heads


def chance_for(seed: int, kind: str) -> random.Random:
    """A source of chance for each kind of record: more of one kind does not change the others."""
    return random.Random(f"{seed}:{kind}")  # noqa: S311 - nothing here is secret
