"""Bringing the database to this version's schema: every row is kept, or nothing is changed.

Alembic is imported where there is something to bring: it takes as long as a whole lap in which nothing happens.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from connector.errors import StoreError
from connector.runtime.private_files import make_empty
from connector.store.db import first_fill, row_counts
from connector.store.db.engine import Store, is_of_the_place
from connector.store.tables import metadata

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

SCRIPTS = Path(__file__).parents[1] / "migrations"
"""The folder of this version's migrations."""
_LOCK = 0x41465457
"""Key of the PostgreSQL advisory lock: one process migrates at a time."""
_WHERE = "store.url"


def head() -> str:
    """Return the schema version that this code works with."""
    return max(_known())


def revisions(*, after: str) -> list[str]:
    """Return the schema versions that came after one, the oldest first."""
    chain = _chain(SCRIPTS)
    return [step.revision for step in _steps(chain, after, _head(chain))]


def current(store: Store) -> str | None:
    """Return the schema version that the database has; None for an empty one."""
    with store.read() as tx:
        return _revision(tx)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What `migrate` would do."""

    before: str | None
    """The schema that the database has; None: it is empty."""
    after: str
    steps: tuple[tuple[str, str], ...]
    """The versions on the way and what each brings, in words; none where all is done, or there is nothing to bring along."""
    copy: Path | None
    """Where SQLite's file is copied to before; None: it is not."""


def outlook(store: Store, *, scripts: Path = SCRIPTS) -> Outlook:
    """Return what `migrate` would do. `StoreError`: the schema is newer than the code."""
    chain, before = _chain(scripts), current(store)
    _check_known(before, chain)
    head = _head(chain)
    steps = () if before is None else tuple((step.revision, step.doc) for step in _steps(chain, before, head))
    return Outlook(before, head, steps, _aside(store.path, str(before)) if steps and store.path is not None else None)


def migrate(store: Store, *, to: str | None = None, scripts: Path = SCRIPTS, copy: bool = True) -> str | None:
    """Bring the store to this version, or to schema `to`; returns the version that it had (None: it was empty).

    On SQLite a filled database is copied beside itself first, unless it is a copy itself. Raises `StoreError`, and leaves everything
    as it was, when the schema is newer than the code, when a step does not keep the rows that it must keep, or when the database
    refuses it.
    """
    before = current(store)
    if to is None and scripts == SCRIPTS and before == head():
        first_fill.make_again(store)  # of a first reading that was cut off
        return before
    chain = _chain(scripts)
    _check_known(before, chain)
    target = to or _head(chain)
    if before == target:
        return before
    if before is not None and copy:
        _copy_aside(store, before)
    with store.migration() as tx:
        if not store.is_sqlite:
            tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        # Another process may have been faster while we waited for the lock.
        for step in _steps(chain, _revision(tx), target):
            _take(tx, step, scripts)
        if store.is_sqlite:
            _check(row_counts.dangling(tx), target)
    if target == _head(chain):
        first_fill.make_again(store)
    return before


def check_not_newer(revision: str | None) -> None:
    """Refuse a database that a later version has migrated: this code would not understand what it holds."""
    if revision is not None and revision not in _known():
        raise _newer(revision, head())


def differences(tx: Connection) -> list[object]:
    """Return where the database differs from the tables as the code knows them; empty when the migrations are complete."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_type": False}), metadata))


def _revision(tx: Connection) -> str | None:
    """Return the schema version that stands in Alembic's table; None where there is no such table, or nothing in it."""
    if not tx.dialect.has_table(tx, "alembic_version"):
        return None
    revision: str | None = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


@cache
def _known() -> frozenset[str]:
    """Return this version's schema versions: the numbers by which the files of the migrations begin."""
    return frozenset(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def _chain(scripts: Path) -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return _shipped() if scripts == SCRIPTS else ScriptDirectory(str(scripts))


@cache
def _shipped() -> "ScriptDirectory":
    """Return this version's migrations. They do not change while it runs, and to compile them takes longer than to look."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(SCRIPTS))


def _head(chain: "ScriptDirectory") -> str:
    head = chain.get_current_head()
    assert head is not None  # noqa: S101 - the package ships at least one migration
    return head


def _check_known(revision: str | None, chain: "ScriptDirectory") -> None:
    if revision is not None and revision not in {step.revision for step in chain.walk_revisions()}:
        raise _newer(revision, _head(chain))


def _newer(revision: str, head: str) -> StoreError:
    return StoreError(
        f"the database has schema {revision}, which is newer than this version of Afterword ({head}).",
        where=_WHERE,
        remedy="Install the version that made it, or a later one.",
    )


def _steps(chain: "ScriptDirectory", before: str | None, target: str) -> "Sequence[Script]":
    """Return the migrations between two versions, the oldest first; none where the database is at the target or beyond it."""
    known = [step.revision for step in reversed(list(chain.walk_revisions("base", target)))]
    start = 0 if before is None else known.index(before) + 1 if before in known else len(known)
    return [chain.get_revision(revision) for revision in known[start:]]


def _take(tx: Connection, step: "Script", scripts: Path) -> None:
    """Run one migration, and see that it has kept the rows that it must keep."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = tx
    try:
        expected = row_counts.expect(tx, step.module)
        command.upgrade(config, step.revision)
    except DBAPIError as error:
        if isinstance(error, OperationalError) and is_of_the_place(error):
            raise  # the disk or the server: the transaction knows how to say it
        first = str(error.orig).strip().partition("\n")[0]
        raise _not_migrated(step.revision, f"the database refused it: {first}") from error
    _check(row_counts.differences(tx, expected), step.revision)


def _check(problems: Sequence[str], revision: str) -> None:
    if problems:
        raise _not_migrated(revision, "; ".join(problems))


def _not_migrated(revision: str, why: str) -> StoreError:
    return StoreError(
        f"the database could not be brought to schema {revision}: {why.rstrip('.')}.",
        where=_WHERE,
        remedy="Nothing was changed. Go on with the version that you had, and report this with what it says.",
    )


def _aside(path: Path, revision: str) -> Path:
    return path.with_name(f"{path.name}.before-{revision}")


def _copy_aside(store: Store, revision: str) -> None:
    path = store.path
    if path is None or not path.exists():
        return
    copy = _aside(path, revision)
    try:
        make_empty(copy)
        copy.chmod(0o600)  # one of an earlier version may be there
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"a copy of the database could not be made before changing it ({copy.name}): {error}.",
            where=_WHERE,
            remedy="Nothing was changed. See that its folder can be written and has room for a second one.",
        ) from error
