"""Calls to each CRM: how many were made in the last day, by all processes, and what the CRM last said of its own count."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, func, inspect, select

from connector.store.db.engine import Store
from connector.store.db.upsert import insert_or_add
from connector.store.ops import connections
from connector.store.ops.connections import ConnectionState, OrgCalls
from connector.store.tables import call_count as table
from connector.store.tables import connection_state

DAY = timedelta(hours=24)
SLOT = timedelta(minutes=15)
"""How finely calls are counted: they leave the last day a slot at a time."""
LOOK_AGAIN = timedelta(hours=1)
"""After the org ran low, a call may ask how it stands: other programs' calls leave the day at any time."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What is known of a connection's calls."""

    recent: int
    """Ours, in the last 24 hours."""
    oldest: datetime | None
    """When the first slot of those begins."""
    allowed: int | None = None
    """To everybody in a day; None while the CRM has not said."""
    used: int | None = None
    """By everybody, when the CRM last said."""
    until: datetime | None = None
    """No call is made before."""
    why: str = ""


class Book(Protocol):
    """What one connection's calls are counted in."""

    def alone(self) -> None:
        """Let no other process count this connection's calls until the transaction ends."""

    def spent(self, now: datetime) -> Spent:
        """Return what is known now."""

    def add(self, slot: datetime, calls: int) -> None:
        """Count calls that are about to be made (or, below zero, that were counted and not made)."""

    def note(self, calls: OrgCalls) -> None:
        """Keep what the CRM said of its own count, or until when no call is made."""


@dataclass(frozen=True, slots=True)
class StoreBook:
    """The book in the store, within one transaction."""

    tx: Connection
    crm: str

    def alone(self) -> None:
        """See `Book`. SQLite's writing transactions are alone anyway."""
        connections.state(self.tx, self.crm)
        query = select(connection_state.c.connection).where(connection_state.c.connection == self.crm)
        self.tx.execute(query.with_for_update())

    def spent(self, now: datetime) -> Spent:
        """See `Book`."""
        # What lies ahead was counted by a clock that was wrong: it would be among the last day's calls for as long.
        lately = (table.c.at > now - DAY, table.c.at <= now + SLOT)
        ours = (table.c.connection == self.crm, *lately, table.c.calls > 0)
        total = select(func.coalesce(func.sum(table.c.calls), 0), func.min(table.c.at)).where(*ours)
        recent, oldest = self.tx.execute(total).one()
        state = connections.peek(self.tx, self.crm)
        return _spent(int(recent), oldest, OrgCalls() if state is None else _org_calls(state), now)

    def add(self, slot: datetime, calls: int) -> None:
        """See `Book`."""
        insert_or_add(self.tx, table, [{"connection": self.crm, "at": slot, "calls": calls}], "calls")
        outdated = (table.c.connection == self.crm, table.c.at < slot - 2 * DAY)
        self.tx.execute(delete(table).where(*outdated))

    def note(self, calls: OrgCalls) -> None:
        """See `Book`."""
        connections.state(self.tx, self.crm)
        connections.remember(self.tx, self.crm, calls)


@dataclass(slots=True)
class MemoryBook:
    """The book of a process that looks at a new configuration, before there is a store."""

    calls: Counter[datetime] = field(default_factory=Counter)
    told: OrgCalls = field(default_factory=OrgCalls)

    def alone(self) -> None:
        """See `Book`. No other process sees it."""

    def spent(self, now: datetime) -> Spent:
        """See `Book`."""
        recent = {slot: calls for slot, calls in self.calls.items() if now - DAY < slot <= now + SLOT and calls}
        return _spent(sum(recent.values()), min(recent, default=None), self.told, now)

    def add(self, slot: datetime, calls: int) -> None:
        """See `Book`."""
        self.calls[slot] += calls

    def note(self, calls: OrgCalls) -> None:
        """See `Book`."""
        self.told |= calls

    def move_to(self, book: Book) -> None:
        """Hand over what was counted here."""
        for slot, calls in self.calls.items():
            book.add(slot, calls)
        if self.told:
            book.note(self.told)


def _org_calls(state: ConnectionState) -> OrgCalls:
    return {
        "calls_allowed": state.calls_allowed,
        "calls_used": state.calls_used,
        "no_calls_until": state.no_calls_until,
        "no_calls_why": state.no_calls_why,
    }


def _spent(recent: int, oldest: datetime | None, calls: OrgCalls, now: datetime) -> Spent:
    until = calls.get("no_calls_until")
    # Nobody asks for more than that; a time further ahead was told by a clock that was wrong.
    closed = until is not None and now < until <= now + LOOK_AGAIN
    return Spent(
        recent=recent,
        oldest=oldest,
        allowed=calls.get("calls_allowed"),
        used=calls.get("calls_used"),
        until=until if closed else None,
        why=(calls.get("no_calls_why") or "") if closed else "",
    )


def is_ready(store: Store) -> bool:
    """Tell whether there is a store to count in: looking at a new configuration makes none."""
    if not store.is_there:
        return False
    with store.read() as tx:
        return inspect(tx).has_table(table.name)


def calls_since(tx: Connection, crm: str, begin: datetime) -> int:
    """Return how many calls we have made since a moment."""
    total = select(func.coalesce(func.sum(table.c.calls), 0)).where(table.c.connection == crm, table.c.at >= begin)
    return int(tx.execute(total).scalar_one())


def slot_of(moment: datetime) -> datetime:
    """Return the beginning of the slot that a moment lies in."""
    return moment - timedelta(seconds=moment.timestamp() % SLOT.total_seconds())
