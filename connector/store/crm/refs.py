"""From the refs that records name each other by to our own rows, merges followed."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from connector.model import Ref
from connector.model.stored import StoredOwner
from connector.store.db.row_readers import owner_of
from connector.store.db.types import AnyRow, AnyTable
from connector.store.tables import binding, owner, ref_of, ref_text

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

Address = tuple[str, str]
"""A connection's name and the ref as text."""

CHUNK = 500
"""How many values one statement compares with; databases limit it."""


def chunks(values: Iterable[H]) -> Iterator[Sequence[H]]:
    """Yield the values, each once, in portions that fit into one statement."""
    unique = list(dict.fromkeys(values))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]


def resolve(tx: Connection, addresses: Iterable[Address]) -> Mapping[Address, str]:
    """Return our ids of these records; a merged record's is its survivor's. Unknown ones are absent."""
    ids: dict[Address, str] = {}
    for part in chunks(addresses):
        rows = tx.execute(select(binding.c.connection, binding.c.ref, binding.c.id).where(_is_one_of(binding, part)))
        ids.update({(row.connection, row.ref): row.id for row in rows})
    return ids


def rows_by_id(tx: Connection, table: AnyTable, ids: Iterable[str]) -> Mapping[str, AnyRow]:
    """Return the rows with these ids, by id."""
    return {row.id: row for part in chunks(ids) for row in tx.execute(select(table).where(table.c.id.in_(part)))}


def values_by_id(tx: Connection, table: AnyTable, read: Callable[[AnyRow], T], ids: Iterable[str]) -> dict[str, T]:
    """Return the rows with these ids as values, by id."""
    return {id_: read(row) for id_, row in rows_by_id(tx, table, ids).items()}


def ids_of(tx: Connection, refs: Iterable[Ref]) -> Mapping[Ref, str]:
    """Return our ids of these records; a merged record's is its survivor's. Unknown ones are absent."""
    ids = resolve(tx, ((ref.connection, ref_text(ref)) for ref in refs))
    return {ref_of(*address): id_ for address, id_ in ids.items()}


def owners_at(tx: Connection, refs: Iterable[Ref]) -> Mapping[Ref, StoredOwner]:
    """Return the owners that were read from these records, by ref."""
    rows = rows_by_address(tx, owner, ((ref.connection, ref_text(ref)) for ref in refs))
    return {known.ref: known for known in map(owner_of, rows.values())}


def rows_by_address(tx: Connection, table: AnyTable, addresses: Iterable[Address]) -> Mapping[Address, AnyRow]:
    """Return the rows that were read from these records, by address."""
    return {
        (row.connection, row.ref): row
        for part in chunks(addresses)
        for row in tx.execute(select(table).where(_is_one_of(table, part)))
    }


def survivors(tx: Connection, table: AnyTable, ids: Iterable[str]) -> Mapping[str, str]:
    """Return, for each of our ids, the id that now stands for the same record: another one after a merge."""
    rows = rows_by_id(tx, table, ids)
    now = resolve(tx, ((row.connection, row.ref) for row in rows.values()))
    return {id_: now.get((row.connection, row.ref), id_) for id_, row in rows.items()}


def _is_one_of(table: AnyTable, addresses: Sequence[Address]) -> ColumnElement[bool]:
    names = sorted({name for name, _ in addresses})
    return or_(
        *(
            and_(table.c.connection == name, table.c.ref.in_([ref for n, ref in addresses if n == name]))
            for name in names
        )
    )
