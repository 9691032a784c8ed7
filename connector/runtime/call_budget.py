"""The budget of calls: one connection's share of its org's day, over all processes, threads and restarts.

Calls are counted in the store before they are made, some at a time, so that a process that dies has counted too many rather than too
few. The day is the last 24 hours: so the share holds whichever midnight the CRM begins its own day at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from connector.errors import QuotaSpent
from connector.ports import Clock
from connector.store import Store
from connector.store.ops import call_counts
from connector.store.ops.call_counts import DAY, LOOK_AGAIN, Book, MemoryBook, Spent, StoreBook

BLOCK: Final = 25
"""How many calls are counted at a time: a write to the store for each would slow down reading."""
RESERVE: Final = 0.05
"""The part of the org's day that we leave to its other programs, when they have used the rest."""
_SPARE: Final = "If it comes every day, sync less often ([schedule] sync), or raise daily_call_share if other programs can spare calls."


@dataclass(slots=True)
class _Block:
    """Calls that are counted and not made yet."""

    slot: datetime
    left: int


class CallBudget:
    """How many calls one connection may still make; see `connector.ports.Budget`."""

    def __init__(self, crm: str, *, share: float, store: Store, clock: Clock) -> None:
        self._crm = crm
        self._share = share
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._memory: MemoryBook | None = MemoryBook()
        self._block: _Block | None = None
        self._usage: tuple[int, int] | None = None
        self._allowed: int | None = None
        """How many calls the CRM allows in a day, as the store knows it."""
        self._counted = False
        """Whether anything was counted or noted: else there is nothing to return, and no need of a store that can be written."""

    def take(self, *, where: str) -> None:
        """See the port. While the CRM has not said how much it allows, the share is not known and nothing is held back."""
        with self._lock:
            now = self._clock.now()
            block = self._block
            if block is None or block.left == 0 or block.slot != call_counts.slot_of(now):
                block = self._reserve(now, where)
            block.left -= 1

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        """See the port."""
        with self._lock:
            self._usage = (used, allowed)
            left = max(0, allowed - used)
            if left < min(RESERVE, 1 - self._share) * allowed:
                self._close(f"the org has {left} of its {allowed} calls a day left, which are for its other programs.")
            elif ours is not None and ours >= limit(self._share, allowed):
                self._close(f"our share of the day's calls is used: the org counts {ours} of {allowed} as ours.")
            elif self._allowed != allowed:
                self._return_unused()

    def refused(self, why: str) -> None:
        """See the port."""
        with self._lock:
            self._close(why)

    def used(self) -> float:
        """Return how much of our share of the day's calls is used, from 0 on; 0 while the CRM has not said what it allows."""
        with self._lock, self._store.read() as tx:
            known = StoreBook(tx, self._crm).spent(self._clock.now())
            ahead = 0 if self._block is None else self._block.left
        share = limit(self._share, known.allowed or 0)
        return (known.recent - ahead) / share if share else 0.0

    def return_unused(self) -> None:
        """Take back what was counted and not used, and keep what the CRM has said."""
        with self._lock:
            if self._counted:
                self._return_unused()

    def _reserve(self, now: datetime, where: str) -> _Block:
        """Count another block, as large as is left. `QuotaSpent`: nothing is."""
        with self._book() as book:
            book.alone()
            self._give_back(book)
            known = book.spent(now)
            self._allowed = known.allowed
            if known.until is not None:
                raise _ended(known.why, known.until, where)
            left = BLOCK if known.allowed is None else limit(self._share, known.allowed) - known.recent
            if left < 1:
                raise _share_used(known, self._share, now, where)
            self._block = _Block(call_counts.slot_of(now), min(BLOCK, left))
            book.add(self._block.slot, self._block.left)
        return self._block

    def _close(self, why: str) -> None:
        with self._book() as book:
            book.alone()
            self._give_back(book)
            book.note({"no_calls_until": self._clock.now() + LOOK_AGAIN, "no_calls_why": why})

    def _return_unused(self) -> None:
        with self._book() as book:
            book.alone()
            self._give_back(book)

    def _give_back(self, book: Book) -> None:
        block, self._block = self._block, None
        if block is not None and block.left:
            book.add(block.slot, -block.left)
        if self._usage is not None:
            book.note({"calls_used": self._usage[0], "calls_allowed": self._usage[1]})
            self._allowed = self._usage[1]

    @contextmanager
    def _book(self) -> Iterator[Book]:
        """Open what calls are counted in, in one transaction. Before there is a store, this process counts for itself."""
        self._counted = True
        if self._memory is not None and not call_counts.is_ready(self._store):
            yield self._memory
            return
        with self._store.write() as tx:
            book = StoreBook(tx, self._crm)
            if self._memory is not None:
                self._memory.move_to(book)
                self._memory = None
            yield book


def limit(share: float, allowed: int) -> int:
    """Return how many calls a share of the org's day is."""
    return int(share * allowed)


def _ended(why: str, until: datetime, where: str) -> QuotaSpent:
    remedy = f"It is tried again from {until:%Y-%m-%d %H:%M} UTC on, and goes on where it was."
    return QuotaSpent(why, where=where, remedy=remedy, until=until, quota="org")


def _share_used(known: Spent, share: float, now: datetime, where: str) -> QuotaSpent:
    until = (known.oldest or now) + DAY
    return QuotaSpent(
        f"our share of the day's calls is used ({known.recent} of {known.allowed} at a share of {share:g}).",
        where=where,
        remedy=f"The rest follows from {until:%Y-%m-%d %H:%M} UTC on. {_SPARE}",
        until=until,
        quota="share",
    )
