"""Opening the database, and the two kinds of transaction."""

import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from connector.errors import StoreError, TransactionLost
from connector.runtime.private_files import make_empty
from connector.store.db.documents import decoded, encoded
from connector.store.db.write_turns import Turns

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another before it gives up."""
_JSON: Mapping[str, object] = {"json_serializer": encoded, "json_deserializer": decoded}
SERVERS_PATIENCE: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How long a PostgreSQL server that has vanished is waited for, by libpq's names, in seconds (the last in milliseconds): without these
the pages would hang for as long as the operating system tries, some minutes to hours. What stands in store.url goes first.
https://www.postgresql.org/docs/current/libpq-connect.html"""
_CACHE_KIB = 8_000
"""How much of SQLite's file one connection keeps in memory: the upper levels of the indexes, however many records there are."""
_BLOCKS_BEFORE_A_CHECKPOINT = 8_000
"""How far (in blocks of 4 KiB) SQLite's log grows before it is worked into the file: more changes to one block become one write."""
_SQLITES_PLACE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Result codes that speak of the file or its disk: https://www.sqlite.org/rescode.html"""
_POSTGRESQLS_PLACE = frozenset({"08", "53", "57"})
"""Classes of SQLSTATE: connection, resources, an operator's intervention: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


_CONFLICTS = frozenset({"40001", "40P01"})
"""SQLSTATEs of PostgreSQL: a transaction was given up for another's sake."""
_ATTEMPTS: Final = 5
_AGAIN_SECONDS: Final = 0.1
_Result = TypeVar("_Result")
_WRITING: Final = ("INSERT", "UPDATE", "DELETE")
_TELLING: Final = 4
"""Characters of a password that say something of it."""


def new_id() -> str:
    """Return an id for one of our rows: 96 random bits, URL-safe, without order or meaning."""
    return secrets.token_hex(12)


def new_ids(count: int) -> list[str]:
    """Return so many ids in ascending order.

    They begin with the second of their making. Rows that are made one after the other stand side by side in the indexes then: with
    random ids a page of new rows touches as many places of every index, and each of them is written to the disk as a block.
    """
    second = f"{int(time.time()):08x}"
    digits = secrets.token_hex(8 * count)
    return sorted(second + digits[start : start + 16] for start in range(0, len(digits), 16))


Transaction = Connection
"""What a query needs; the stages pass it on and never look inside."""


class _AboutToWrite(Exception):
    """What was to find nothing to change has found something."""


class Store:
    """The database of one installation."""

    def __init__(self, url: str, *, base: Path | None = None, only_reads: bool = False) -> None:
        """`only_reads`: SQLite's file is opened without a need to write it, or anything beside it."""
        self.url = _resolved(url, base)
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine = _engine(self.url, is_sqlite=self.is_sqlite, only_reads=only_reads)
        event.listen(self.engine, "before_cursor_execute", _keep_from_writing)
        self.turns = Turns()
        """Of the writers of this process, on SQLite."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes something; on SQLite it holds the one write lock from its beginning.

        `StoreError`: the database is not there, stays locked, or ceases to work. No network call belongs inside one.
        """
        with ExitStack() as stack:
            if self.is_sqlite:
                stack.enter_context(self.turns.turn(BUSY_SECONDS))
            yield stack.enter_context(self._transaction(afterword_writes=True))

    def write_where_needed(
        self, work: Callable[[Connection], _Result], *, first: Callable[[Connection], None] | None = None
    ) -> _Result:
        """Do work that mostly finds nothing to change, and return what it returns.

        It is done in a transaction that only reads. When it is about to change something, all of it is done anew in one like that of
        `write`, after `first`: so it may leave nothing behind but what it writes.
        """
        with suppress(_AboutToWrite), self._transaction(afterword_only_looks=True) as tx:
            return work(tx)
        with self.write() as tx:
            if first is not None:
                first(tx)
            return work(tx)

    def change(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do some work in a transaction like that of `write`, and return what it returns; after a `TransactionLost` do it again.

        For those behind whom somebody waits, at a page or at a command: a stage is done again by the next lap.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(TransactionLost),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random(0, _AGAIN_SECONDS),
            reraise=True,
        ):
            with attempt, self.write() as tx:
                result = work(tx)
        return result

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """A transaction that changes the schema, on a connection of its own.

        On SQLite foreign keys are not enforced in it: a table that others refer to is changed by making it anew, and dropping the
        old one would be refused, or take the others' rows with it. Whoever uses it checks them before the end.
        """
        with self._transaction(alone=self.is_sqlite, afterword_writes=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, from one consistent snapshot. `StoreError`: the database is not there."""
        # SQLite gives every transaction a snapshot; PostgreSQL only when it is asked to.
        with self._transaction(isolation_level=None if self.is_sqlite else "REPEATABLE READ") as connection:
            yield connection

    @contextmanager
    def _transaction(
        self,
        *,
        alone: bool = False,
        afterword_writes: bool = False,
        afterword_only_looks: bool = False,
        isolation_level: str | None = None,
    ) -> Iterator[Connection]:
        options: dict[str, object] = {"afterword_writes": True} if afterword_writes else {}
        options |= {"afterword_only_looks": True} if afterword_only_looks else {}
        options |= {"isolation_level": isolation_level} if isolation_level is not None else {}
        try:
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(self.engine.connect())
                    if options:
                        connection = connection.execution_options(**options)
                    if alone:
                        _without_foreign_keys(connection)
                    stack.enter_context(connection.begin())
                except DBAPIError as error:
                    raise _unusable(self, error) from error
                yield connection
        except OperationalError as error:
            if str(getattr(error.orig, "sqlstate", None)) in _CONFLICTS:
                raise _given_up(self, error) from error
            if not is_of_the_place(error):
                raise
            raise _ceased(self, error) from error
        except PoolTimeoutError as error:
            raise _crowded() from error

    def check(self) -> None:
        """Make sure that the database answers. `StoreError`: it does not."""
        with self.read() as tx:
            tx.execute(select(1))

    @property
    def path(self) -> Path | None:
        """The file, on SQLite."""
        database = make_url(self.url).database
        return Path(database) if self.is_sqlite and database else None

    @property
    def is_there(self) -> bool:
        """Whether the file is there, on SQLite. `StoreError`: its folder may not be looked into."""
        path = self.path
        try:
            return path is None or path.exists()
        except OSError as error:
            what = f"the database could not be looked for: {error.strerror}."
            raise StoreError(what, where="store.url", remedy=_no_folder(error.filename)) from error

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _keep_from_writing(
    tx: Connection, _cursor: object, statement: str, _values: object, _context: object, _many: object
) -> None:
    if tx.get_execution_options().get("afterword_only_looks", False) and statement.startswith(_WRITING):
        raise _AboutToWrite


def _resolved(url: str, base: Path | None) -> str:
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database or base is None:
        return url
    return parsed.set(database=str((base / parsed.database).resolve())).render_as_string(hide_password=False)


def _unusable(store: Store, error: DBAPIError) -> StoreError:
    return StoreError(
        f"the database could not be opened: {_words(store, error)}.",
        where="store.url",
        remedy=_remedy_of_the_place(store, error)
        or "Check that it is there, that this user may write it, and that no other program keeps it locked.",
    )


def _remedy_of_the_place(store: Store, error: DBAPIError) -> str:
    """Return what helps where SQLite's file cannot be used because of its disk or its folder; "" where that is not why."""
    path, code = store.path, getattr(error.orig, "sqlite_errorcode", None)
    if path is None or code is None:
        return ""
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return f"The disk is full: make room where {path.parent} lies. Nothing is lost, and the next run goes on."
        case sqlite3.SQLITE_READONLY:
            return f"{path} may not be written: let this user write it, or mount its file system for writing."
        case sqlite3.SQLITE_CANTOPEN if not os.access(path.parent, os.X_OK):
            return _no_folder(path)
        case sqlite3.SQLITE_CANTOPEN if not os.access(path.parent, os.W_OK | os.X_OK):
            return f"Let the user who runs Afterword write in {path.parent}: SQLite makes files beside the database."
    return ""


def _no_folder(path: str | Path) -> str:
    return (
        f"The folder {Path(path).parent} is not there, or this user may not look into it: make it, or give the right."
    )


def _words(store: Store, error: DBAPIError) -> str:
    """Return what the driver says, unless it holds a piece of the password: a server's address that is misread ends up there."""
    words = " ".join(str(error.orig).split()).rstrip(".?")
    address = make_url(store.url)
    passwords = [
        str(address.password or ""),
        *(text for text in [address.query.get("password")] if isinstance(text, str)),
    ]
    pieces = {
        piece
        for password in passwords
        for piece in [password, *re.split(r"[@:/?#]", password)]
        if len(piece) >= _TELLING
    }
    if any(piece in words for piece in pieces):
        return f"{type(error.orig).__name__}; what the driver says holds a piece of the password and is not shown"
    return words


def is_of_the_place(error: OperationalError) -> bool:
    """Tell whether the disk or the server is the reason, and not what was asked of it, which would be a fault of ours."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITES_PLACE
    return error.connection_invalidated or str(getattr(error.orig, "sqlstate", None) or "")[:2] in _POSTGRESQLS_PLACE


def _given_up(store: Store, error: OperationalError) -> TransactionLost:
    return TransactionLost(
        f"the database gave up a change for the sake of another one that came at the same moment: {_words(store, error)}.",
        where="store.url",
        remedy="Nothing needs to be done: the next run does what was not stored.",
    )


def _crowded() -> StoreError:
    return StoreError(
        "all connections to the database have been in use for half a minute.",
        where="store.url",
        remedy="See whether the database is slow, or hangs. What was not stored yet is done by the next run.",
    )


def _ceased(store: Store, error: OperationalError) -> StoreError:
    return StoreError(
        f"the database ceased to work: {_words(store, error)}.",
        where="store.url",
        remedy=_remedy_of_the_place(store, error)
        or "See that its disk has room and that its server is there. What was not stored yet is done by the next run.",
    )


def _engine(url: str, *, is_sqlite: bool, only_reads: bool = False) -> Engine:
    if not is_sqlite:
        patience = {name: value for name, value in SERVERS_PATIENCE.items() if name not in make_url(url).query}
        engine = create_engine(url, connect_args=patience, pool_pre_ping=True, hide_parameters=True, **_JSON)
        event.listen(engine, "handle_error", _without_values)
        return engine
    connect_args = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    if only_reads:
        engine = create_engine(url, creator=lambda: _open_for_reading(url), hide_parameters=True, **_JSON)
    else:
        engine = create_engine(url, connect_args=connect_args, hide_parameters=True, **_JSON)
        event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _holds_anything(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _open_for_reading(url: str) -> sqlite3.Connection:
    """Open SQLite's file and write nothing, not even the file beside it by which it tells readers from writers."""
    path = Path(make_url(url).database or "").resolve()
    log = path.with_name(f"{path.name}-wal")
    # What was stored last may lie in the log alone, and SQLite would leave it out of a file that it takes for one that never changes.
    options = "mode=ro" if _holds_anything(log) else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.as_uri()}?{options}", uri=True, check_same_thread=False, timeout=BUSY_SECONDS)
    connection.isolation_level = None
    return connection


def _make_private(_dialect: object, _record: object, args: list[str], _options: object) -> None:
    """Make the file before SQLite does, which would let others read it. Its companions get their rights from it."""
    if args[0].startswith((":memory:", "file:")):
        return
    with suppress(
        OSError
    ):  # a folder that is not there or may not be written, a full disk: SQLite itself is about to say it
        path = Path(args[0])
        if not path.exists():
            make_empty(path)


def _without_values(context: ExceptionContext) -> None:
    """Keep the first line of a server's error: what follows shows the row that was to be stored."""
    error = context.sqlalchemy_exception
    if error is not None and error.args:
        error.args = (str(error.args[0]).splitlines()[0],)


def _prepare_sqlite(dbapi_connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling begins late and DEFERRED; ours begins explicitly, see `_begin_sqlite`.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a commit is on the disk before anything is sent on the strength of it.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={_BLOCKS_BEFORE_A_CHECKPOINT}")
    cursor.close()


def _without_foreign_keys(tx: Connection) -> None:
    """Enforce no foreign keys on a connection that nobody else gets afterwards; inside a transaction SQLite would ignore this."""
    tx.detach()
    driver = tx.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - asked for on SQLite alone
    driver.execute("PRAGMA foreign_keys=OFF")


def _begin_sqlite(tx: Connection) -> None:
    if tx.get_execution_options().get("afterword_writes", False):
        tx.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # By the driver itself: this touches no file yet, so nothing can fail that would have to be put into words, and pages read often.
    driver = tx.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - listened to on SQLite alone
    driver.execute("BEGIN")
