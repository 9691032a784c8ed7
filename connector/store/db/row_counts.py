"""What a migration does to the number of rows: it loses none, and makes none, beyond what it names.

A migration names what it does in plain data beside `upgrade`:

- ``renamed = {"old": "new"}``: tables that have another name afterwards.
- ``removed = {"table": "condition"}``: rows that it takes out; ``"true"`` for all of them, or for a table that it drops.
- ``added = {"table": "SELECT count(*) …"}``: how many rows it puts into a table that was there before.

Conditions and counts are evaluated before it runs. A table that it makes may hold anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy import table as sql_table

_ALEMBICS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows of one table before a migration, and those that must be there after it."""

    before: int
    after: int


def count(tx: Connection) -> dict[str, int]:
    """Return the number of rows of every table."""
    names = [name for name in inspect(tx).get_table_names() if name != _ALEMBICS]
    return {name: tx.execute(select(func.count()).select_from(sql_table(name))).scalar_one() for name in names}


def expect(tx: Connection, migration: ModuleType) -> dict[str, Expected]:
    """Return what must be there after a migration, by the names of the tables afterwards; called before it runs."""
    renamed: Mapping[str, str] = getattr(migration, "renamed", {})
    removed = {name: _removed(tx, name, where) for name, where in getattr(migration, "removed", {}).items()}
    added = {name: int(tx.execute(text(sql)).scalar_one()) for name, sql in getattr(migration, "added", {}).items()}
    return {
        renamed.get(name, name): Expected(rows, rows - removed.get(name, 0) + added.get(name, 0))
        for name, rows in count(tx).items()
    }


def differences(tx: Connection, expected: Mapping[str, Expected]) -> list[str]:
    """Return a sentence for each table that holds more or fewer rows than expected. A table that was dropped holds none."""
    counts = count(tx)
    return [
        f"{name}: {rows.before} rows before, {counts.get(name, 0)} after"
        + ("" if rows.before == rows.after else f" ({rows.after} expected)")
        for name, rows in expected.items()
        if counts.get(name, 0) != rows.after
    ]


def dangling(tx: Connection) -> list[str]:
    """Return a sentence for each table of SQLite with rows that refer to rows which are not there."""
    rows = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
    pairs = sorted({(str(row[0]), str(row[2])) for row in rows})
    return [f"{child}: rows refer to rows of {parent} that are not there" for child, parent in pairs]


def _removed(tx: Connection, name: str, where: str) -> int:
    return int(tx.execute(select(func.count()).select_from(sql_table(name)).where(text(where))).scalar_one())
