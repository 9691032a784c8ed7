"""A throw-away copy of the store, for looking at what would happen."""

from pathlib import Path

from connector.store.engine import Store
from connector.store.migrate import migrate
from connector.store.tables import lease, metadata

_PAGE = 2000


def copy_store(source: Store, path: Path) -> Store:
    """Return a SQLite copy of a store at `path`, with nobody at work in it. An empty or older source is brought to this version."""
    target = Store(f"sqlite:///{path}")
    if source.is_sqlite:
        _copy_file(source, target)
    migrate(target)
    if not source.is_sqlite:
        _copy_rows(source, target)
    with target.write() as connection:
        connection.execute(lease.delete())
    return target


def _copy_file(source: Store, target: Store) -> None:
    """Use SQLite's own online backup: consistent, whoever is writing."""
    if source.path is None or not source.path.exists():
        return
    with source.engine.connect() as one, target.engine.connect() as other:
        raw, copy = one.connection.driver_connection, other.connection.driver_connection
        assert raw is not None and copy is not None  # noqa: S101 - both are open
        raw.backup(copy)


def _copy_rows(source: Store, target: Store) -> None:
    with source.read() as reading, target.write() as writing:
        for table in metadata.sorted_tables:
            rows = reading.execution_options(yield_per=_PAGE).execute(table.select())
            for page in rows.mappings().partitions(_PAGE):
                writing.execute(table.insert(), [dict(row) for row in page])
