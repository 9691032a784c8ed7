"""A throw-away copy of the store, for looking at what would happen."""

from pathlib import Path
from urllib.parse import quote

from sqlalchemy import JSON, DateTime, MetaData, column, table

from connector.store.db.engine import Store
from connector.store.db.migrate import check_not_newer, current, migrate
from connector.store.db.types import AnyType, Json, Utc
from connector.store.tables import lease

_PAGE = 2000


def copy_store(source: Store, path: Path) -> Store:
    """Return a SQLite copy of a store at `path`, with nobody at work in it. An empty or older source is brought to this version."""
    target = Store(f"sqlite:///{quote(str(path))}")
    if source.is_sqlite:
        _copy_file(source, target)
    else:
        _copy_as_it_is(source, target)
    migrate(target, copy=False)
    with target.write() as tx:
        tx.execute(lease.delete())
    return target


def _copy_file(source: Store, target: Store) -> None:
    """Use SQLite's own online backup: consistent, whoever is writing."""
    if source.path is None or not source.is_there:
        return
    with source.engine.connect() as source_connection, target.engine.connect() as target_connection:
        raw, copy = source_connection.connection.driver_connection, target_connection.connection.driver_connection
        assert raw is not None and copy is not None  # noqa: S101 - both are open
        raw.backup(copy)


def _copy_as_it_is(source: Store, target: Store) -> None:
    """Copy a PostgreSQL database of this version or an older one, by the tables that it has."""
    version = current(source)
    check_not_newer(version)
    if version is None:
        return
    migrate(target, to=version)
    with source.read() as reading, target.write() as writing:
        tables = MetaData()
        tables.reflect(reading, only=lambda name, _metadata: name != "alembic_version")
        for original in tables.sorted_tables:
            copy = table(original.name, *(column(name, _kept_as(of.type)) for name, of in original.c.items()))
            rows = reading.execution_options(yield_per=_PAGE).execute(original.select())
            for page in rows.mappings().partitions(_PAGE):
                writing.execute(copy.insert(), [dict(row) for row in page])


def _kept_as(kind: AnyType) -> AnyType:
    """Return the type by which a value of PostgreSQL is kept in SQLite as we keep it there."""
    if isinstance(kind, DateTime):
        return Utc()
    return Json if isinstance(kind, JSON) else kind
