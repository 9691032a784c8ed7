"""What tests of all kinds share: a clock that stands still until it is moved, and an empty store."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.clock import SteppedClock
from connector.store import Store
from connector.store.migrate import migrate


@pytest.fixture
def clock() -> SteppedClock:
    """A Monday morning in Helsinki."""
    return SteppedClock(datetime(2026, 11, 16, 8, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with this version's schema, made once: a copy of it is much faster than migrating again."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    with store.engine.connect() as connection:  # what is still in the write-ahead log would not be copied
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture
def store(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store of this version."""
    path = tmp_path / "afterword.db"
    shutil.copyfile(migrated_file, path)
    opened = Store(f"sqlite:///{path}")
    yield opened
    opened.close()
