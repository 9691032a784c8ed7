"""Copies of the store: a throw-away one for looking at what would happen, the one in a backup, and back again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import JSON, Column, Connection, DateTime, Integer, MetaData, Table, func, select

from connector.errors import StoreError
from connector.store.db.engine import Store
from connector.store.db.migrate import check_not_newer, current, migrate
from connector.store.db.types import AnyTable, AnyType, Json, Utc
from connector.store.tables import lease, metadata

_PAGE: Final = 2000
_VERSION: Final = "alembic_version"


def copy_store(source: Store, path: Path) -> Store:
    """Return a SQLite copy of a store at `path`, with nobody at work in it. An empty or older source is brought to this version."""
    target = copy_as_it_is(source, path)
    migrate(target, copy=False)
    with target.write() as tx:
        tx.execute(lease.delete())
    return target


def copy_as_it_is(source: Store, path: Path) -> Store:
    """Return a SQLite copy of a store at `path`, of the source's own version: one consistent state, whoever writes meanwhile.

    `StoreError`: the source cannot be read, or a later version of Afterword has made it.
    """
    target = store_at(path)
    try:
        if source.is_sqlite:
            _copy_file(source, target)
            check_not_newer(current(target))
        else:
            _copy_from_server(source, target)
    except BaseException:
        target.close()
        raise
    return target


def store_at(path: Path) -> Store:
    """Return the store in a SQLite file, whatever characters are in its path."""
    return Store(f"sqlite:///{quote(str(path))}")


def fill(target: Store, source: Store) -> None:
    """Copy a SQLite store of this version into an empty PostgreSQL database, all of it or nothing.

    `StoreError`: there are rows in it already.
    """
    check_empty(target)
    migrate(target)
    with source.read() as reading, target.write() as writing:
        for original, copy in _pairs(writing, set(metadata.tables)):
            _copy_rows(reading, copy, writing, original)
            _count_on(writing, original)


def check_empty(store: Store) -> None:
    """`StoreError`: a database holds something of an installation already, or a later version of Afterword has made it."""
    if not store.is_there:
        return
    version = current(store)
    check_not_newer(version)
    if version is None:
        return
    with store.read() as tx:
        tables = MetaData()
        tables.reflect(tx, only=lambda name, _metadata: name in metadata.tables)
        filled = [name for name, of in tables.tables.items() if tx.execute(select(of).limit(1)).first() is not None]
    if filled:
        raise StoreError(
            "the database holds an installation already, so nothing was put into it.",
            where="store.url",
            remedy="Name an empty database, for instance by the variable AFTERWORD_STORE__URL; nothing was changed.",
        )


def _copy_file(source: Store, target: Store) -> None:
    """Use SQLite's own online backup: consistent, whoever is writing."""
    if source.path is None or not source.is_there:
        return
    with source.engine.connect() as source_connection, target.engine.connect() as target_connection:
        raw, copy = source_connection.connection.driver_connection, target_connection.connection.driver_connection
        assert raw is not None and copy is not None  # noqa: S101 - both are open
        raw.backup(copy)


def _copy_from_server(source: Store, target: Store) -> None:
    """Copy a PostgreSQL database of this version or an older one, by the tables that it has, from one snapshot."""
    version = current(source)
    check_not_newer(version)
    if version is None:
        return
    migrate(target, to=version)
    with source.read() as reading, target.write() as writing:
        ours = MetaData()
        ours.reflect(writing)
        for original, copy in _pairs(reading, set(ours.tables) - {_VERSION}):
            _copy_rows(reading, original, writing, copy)


def _pairs(server: Connection, names: set[str]) -> Iterator[tuple[AnyTable, AnyTable]]:
    """Yield those of a server's tables that are ours, each after those that it refers to, with the same table as SQLite has it."""
    tables = MetaData()
    tables.reflect(server, only=lambda name, _metadata: name in names)
    for of in tables.sorted_tables:
        yield of, Table(of.name, MetaData(), *(Column(name, _kept_as(known.type)) for name, known in of.c.items()))


def _copy_rows(reading: Connection, original: AnyTable, writing: Connection, copy: AnyTable) -> None:
    rows = reading.execution_options(yield_per=_PAGE).execute(select(original))
    for page in rows.mappings().partitions(_PAGE):
        writing.execute(copy.insert(), [dict(row) for row in page])


def _count_on(server: Connection, of: AnyTable) -> None:
    """Let PostgreSQL number new rows behind those that were copied with their numbers."""
    for key in of.primary_key.columns:
        if isinstance(key.type, Integer) and key.server_default is not None:
            sequence = func.pg_get_serial_sequence(of.name, key.name)
            highest = select(func.max(key)).scalar_subquery()
            server.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


def _kept_as(kind: AnyType) -> AnyType:
    """Return the type by which a value of PostgreSQL is kept in SQLite as we keep it there."""
    if isinstance(kind, DateTime):
        return Utc()
    return Json if isinstance(kind, JSON) else kind
