"""Bringing the database to this version's schema."""

import shutil
import sqlite3
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.errors import StoreError
from connector.store.engine import Store
from connector.store.tables import metadata

_LOCK = 0x41465457
"""Key of the PostgreSQL advisory lock: one process migrates at a time."""


def head() -> str:
    """Return the schema version that this code works with."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None  # noqa: S101 - the package ships at least one migration
    return found


def current(store: Store) -> str | None:
    """Return the schema version that the database has; None for an empty one."""
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(store: Store) -> str | None:
    """Bring the store to this version; returns the version that it had (None: it was empty).

    On SQLite a filled database is copied beside itself first. Raises `StoreError` when the schema is newer than the code.
    """
    before = current(store)
    check_not_newer(before)
    if before == head():
        return before
    if before is not None:
        _copy_aside(store, before)
    with store.write() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _upgrade(connection)
    return before


def check_not_newer(revision: str | None) -> None:
    """Refuse a database that a later version has migrated: this code would not understand what it holds."""
    if revision is None:
        return
    script = ScriptDirectory.from_config(_config())
    if revision not in {step.revision for step in script.walk_revisions()}:
        raise StoreError(
            f"the database has schema {revision}, which is newer than this version of Afterword ({head()}).",
            where="store.url",
            remedy="Install the version that made it, or a later one.",
        )


def differences(connection: Connection) -> list[object]:
    """Return where the database differs from the tables as the code knows them; empty when the migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata))


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _copy_aside(store: Store, revision: str) -> None:
    path = store.path
    if path is None or not path.exists():
        return
    copy = path.with_name(f"{path.name}.before-{revision}")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    shutil.copymode(path, copy)
