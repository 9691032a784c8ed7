"""Claims: who is writing which record at this moment. Two writers never write one at once, and neither holds the other's lease.

A claim is taken before a record's fields are compared, is held over the call to the CRM, and is given back when the result is noted.
Like leases, claims run on the machine's own time.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select, update

from connector.store.crm.refs import chunks
from connector.store.db.types import AnyRow
from connector.store.db.upsert import insert_or_ignore
from connector.store.ops.leases import is_dead, myself
from connector.store.tables import write_claim as table

LASTS: Final = timedelta(minutes=10)
"""A claim that is not renewed for so long may be taken by another writer: longer than one call with all its repetitions takes."""
RENEWED_AFTER: Final = timedelta(minutes=1)
"""How old a claim is when it is worth a write to renew it."""

_TAKE_OVER: Final = (
    update(table)
    .where(
        table.c.connection == bindparam("crm"),
        table.c.key == bindparam("of"),
        table.c.claim == bindparam("lapsed"),
    )
    .values(claim=bindparam("taken"), owner=bindparam("taker"), until=bindparam("till"))
)


def take(tx: Connection, crm: str, keys: Collection[str], claim: str) -> tuple[frozenset[str], frozenset[str]]:
    """Claim records by the keys of their writes, those that nobody else is writing.

    Returns the keys that are ours now, and those of them whose former writer died or froze over it: what it did is not known.
    """
    until = datetime.now(UTC) + LASTS
    known = _known(tx, crm, keys)
    lapsed = frozenset(key for key, row in known.items() if row.claim != claim and _has_lapsed(row))
    for key in sorted(lapsed):
        values = {"crm": crm, "of": key, "lapsed": known[key].claim, "taken": claim, "taker": myself(), "till": until}
        tx.execute(_TAKE_OVER, values)
    free = [key for key in sorted(keys) if key not in known]
    made = {"connection": crm, "claim": claim, "owner": myself(), "until": until}
    insert_or_ignore(tx, table, [{"key": key, **made} for key in free])
    taken = frozenset(key for key, row in _known(tx, crm, keys).items() if row.claim == claim)
    return taken, lapsed & taken


def renew(tx: Connection, crm: str, keys: Collection[str], claim: str) -> frozenset[str]:
    """Give a sign of life for claims that are ours; returns the keys of those that are not any more."""
    until = datetime.now(UTC) + LASTS
    lost = lost_of(tx, crm, keys, claim)
    for part in chunks(keys):
        tx.execute(update(table).where(_among(crm, part), table.c.claim == claim).values(until=until))
    return lost


def lost_of(tx: Connection, crm: str, keys: Collection[str], claim: str) -> frozenset[str]:
    """Return the keys that another writer has taken over since, or given back."""
    held = {key for key, row in _known(tx, crm, keys).items() if row.claim == claim}
    return frozenset(keys) - held


def give_back(tx: Connection, crm: str, keys: Collection[str], claim: str) -> None:
    """Give claims back, those that are ours still."""
    for part in chunks(keys):
        tx.execute(table.delete().where(_among(crm, part), table.c.claim == claim))


def _known(tx: Connection, crm: str, keys: Collection[str]) -> Mapping[str, AnyRow]:
    rows = (row for part in chunks(sorted(keys)) for row in tx.execute(select(table).where(_among(crm, part))))
    return {row.key: row for row in rows}


def _among(crm: str, keys: Collection[str]) -> ColumnElement[bool]:
    return and_(table.c.connection == crm, table.c.key.in_(keys))


def _has_lapsed(row: AnyRow) -> bool:
    now = datetime.now(UTC)
    # One that reaches far ahead was taken by a clock that was wrong, or ours is.
    return not now <= row.until <= now + 2 * LASTS or is_dead(row.owner)
