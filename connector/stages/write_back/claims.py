"""The claims of one write-back: what it is writing at this moment, so that nobody else does."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from connector.errors import LeaseLost
from connector.stages.context import Context
from connector.store import Transaction, new_id
from connector.store.outbox import claims, fields

PATIENCE: Final = timedelta(seconds=30)
"""How long whoever writes for some customers waits for a record that another is writing; a lap passes over it."""
_LOOK_AGAIN_SECONDS: Final = 0.1


@dataclass(slots=True)
class WriteClaims:
    """What one write-back of one connection has claimed."""

    context: Context
    crm: str
    claim: str = field(default_factory=new_id)
    held: set[str] = field(default_factory=set)
    """The keys of what is ours to write now."""
    crossed: set[str] = field(default_factory=set)
    """The keys of what has to be looked at again: what it should say has changed meanwhile, or another has written it too."""
    _renewed: float = 0.0

    @contextmanager
    def taken(self, keys: Collection[str]) -> Iterator[frozenset[str]]:
        """Hold claims for as long as the block runs; yields the keys of what nobody else is writing."""
        taken = self._take(frozenset(keys)) if keys else frozenset()
        try:
            yield taken
        finally:
            self.held -= taken
            if taken:
                with self.context.store.write() as tx:
                    claims.give_back(tx, self.crm, taken, self.claim)

    def _take(self, keys: frozenset[str]) -> frozenset[str]:
        patience = PATIENCE.total_seconds() if self.context.customers is not None else 0.0
        end, taken = time.monotonic() + patience, frozenset[str]()
        while True:
            with self.context.store.write() as tx:
                now_taken, lapsed = claims.take(tx, self.crm, keys - taken, self.claim)
                fields.mark_crossed(tx, self.crm, lapsed)
            taken |= now_taken
            self.held |= now_taken
            self._renewed = time.monotonic()
            if taken == keys or self._renewed >= end or self.context.stop.wait(_LOOK_AGAIN_SECONDS):
                return taken

    def require(self, keys: Collection[str]) -> None:
        """Make sure, before a call, that what is claimed is ours still. `LeaseLost`: another writer has taken some of it over."""
        ours = self.held.intersection(keys)
        if not ours or time.monotonic() - self._renewed < claims.RENEWED_AFTER.total_seconds():
            return
        with self.context.store.write() as tx:
            lost = claims.renew(tx, self.crm, self.held, self.claim)
        self._renewed = time.monotonic()
        if lost:
            raise LeaseLost(
                "another process took over what was to be written, so this one stopped writing.",
                where=self.crm,
                remedy="Nothing to do; if it happens often, the machine or its database is too slow.",
            )

    def is_lost(self, tx: Transaction, key: str) -> bool:
        """Tell, after a call, whether another writer has taken a record over meanwhile: then nobody knows which write came last."""
        if key not in self.held or time.monotonic() - self._renewed < claims.RENEWED_AFTER.total_seconds():
            return False
        return bool(claims.lost_of(tx, self.crm, [key], self.claim))
