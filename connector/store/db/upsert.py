"""Writing many rows at once, and INSERT … ON CONFLICT, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, Connection, Dialect, Table, bindparam, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, object]]
Names = tuple[str, ...]
Lines = Sequence[tuple[object, ...]]
"""Rows as plain values. A JSON document among them is text, encoded already."""
_KEY = "_key"
_MOST_VALUES = 8_000
"""How many values one statement takes (SQLite allows 32,766): statements are kept ready, and large ones take memory."""


def insert_new(tx: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that cannot be there yet. All rows name the same columns; none of them holds a JSON document."""
    if rows:
        names = tuple(rows[0])
        insert_lines(tx, table, names, [tuple([row[name] for name in names]) for row in rows])


def insert_lines(tx: Connection, table: Table, names: Names, lines: Lines) -> None:
    """Insert rows that cannot be there yet: the values of the columns that `names` tells, in this order.

    Pages of thousands pass here, so the statement is compiled once and values go straight to the driver.
    """
    if not lines:
        return
    compiled = _compiled_insert(table, tx.dialect, names)
    lines = compiled.bound(lines)
    if not tx.dialect.positional:
        tx.exec_driver_sql(compiled.text, [dict(zip(compiled.names, line, strict=True)) for line in lines])
        return
    # SQLite's driver gives way to other threads at every row of an `executemany`, and waits for its turn each time.
    most = _MOST_VALUES // len(names)
    for start in range(0, len(lines), most):
        part = lines[start : start + most]
        tx.exec_driver_sql(_of_several(compiled.text, len(part)), tuple(chain.from_iterable(part)))


def update_lines(tx: Connection, table: Table, names: Names, lines: Lines) -> None:
    """Change rows by their `id`, the last value of each line; the values before it are those of the columns that `names` tells."""
    if not lines:
        return
    compiled = _compiled_update(table, tx.dialect, names)
    lines = compiled.bound(lines)
    positional = tx.dialect.positional
    tx.exec_driver_sql(
        compiled.text, [line if positional else dict(zip(compiled.names, line, strict=True)) for line in lines]
    )


def update_any(tx: Connection, table: Table, condition: ColumnElement[bool], **values: object) -> int:
    """Change the rows of a condition; returns how many. Where there is none, nothing is written: see `Store.write_where_needed`."""
    if tx.execute(select(literal(1)).select_from(table).where(condition).limit(1)).first() is None:
        return 0
    return tx.execute(update(table).where(condition).values(**values)).rowcount


def insert_or_ignore(tx: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; those whose key exists already are left as they are."""
    if rows:
        tx.execute(_ignoring(tx.dialect.name, table), list(rows))


def insert_once(tx: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert a row; False where its key exists already, or comes to exist while we wait for another transaction."""
    statement = _insert(tx.dialect.name, table).values(dict(row)).on_conflict_do_nothing().returning(*table.primary_key)
    return tx.execute(statement).first() is not None


def insert_or_update(
    tx: Connection, table: Table, rows: Rows, *, only: Collection[str] = (), added: Collection[str] = ()
) -> None:
    """Insert rows, or replace the given columns of those whose primary key exists. All rows name the same columns.

    `only` names the columns to replace, where the others are for new rows alone. Of columns in `added` the numbers are added up.
    """
    if rows:
        tx.execute(_replacing(tx.dialect.name, table, tuple(only or rows[0]), tuple(added)), list(rows))


def insert_or_add(tx: Connection, table: Table, rows: Rows, column: str) -> None:
    """Insert rows, or add the given column's number to that of the row whose primary key exists."""
    tx.execute(_replacing(tx.dialect.name, table, (), (column,)), list(rows))


@cache
def _ignoring(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _replacing(dialect: str, table: Table, replaced: Names, added: Names) -> Any:
    """Return the statement, made once: building one takes longer than SQLite needs to carry it out."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(dialect, table)
    changes = {name: statement.excluded[name] for name in replaced if name not in keys}
    changes |= {name: table.c[name] + statement.excluded[name] for name in added}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _insert(dialect: str, table: Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


class _Compiled(NamedTuple):
    text: str
    names: Sequence[str]
    """Its parameters, in order."""
    pick: Callable[[tuple[object, ...]], tuple[object, ...]] | None
    """Puts a line's values into that order; None where they stand in it."""
    converters: Sequence[tuple[int, Callable[[Any], Any]]]
    """By place, what makes of a value what the driver takes."""

    def bound(self, lines: Lines) -> Lines:
        if self.pick is not None:
            lines = list(map(self.pick, lines))
        if not self.converters:
            return lines
        columns = list(zip(*lines, strict=True))
        for place, convert in self.converters:
            columns[place] = tuple(map(convert, columns[place]))
        return list(zip(*columns, strict=True))


@cache
def _compiled_insert(table: Table, dialect: Dialect, names: Names) -> _Compiled:
    return _compiled(table.insert().compile(dialect=dialect, column_keys=list(names)), table, dialect, names)


@cache
def _compiled_update(table: Table, dialect: Dialect, names: Names) -> _Compiled:
    statement = update(table).where(table.c.id == bindparam(_KEY)).values({name: bindparam(name) for name in names})
    return _compiled(statement.compile(dialect=dialect), table, dialect, (*names, _KEY))


def _compiled(compiled: Any, table: Table, dialect: Dialect, columns: Names) -> _Compiled:
    names = tuple(compiled.positiontup or columns)
    types = [table.c["id" if name == _KEY else name].type for name in names]
    impls = [
        (place, column_type.dialect_impl(dialect))
        for place, column_type in enumerate(types)
        if not isinstance(column_type, JSON)
    ]
    converters = [(place, convert) for place, impl in impls if (convert := impl.bind_processor(dialect))]
    pick = None if names == columns else itemgetter(*(columns.index(name) for name in names))
    return _Compiled(str(compiled), names, pick, converters)


@lru_cache(maxsize=64)
def _of_several(text: str, count: int) -> str:
    """Return an INSERT of one row as one of so many."""
    head, _, values = text.partition(" VALUES ")
    return f"{head} VALUES {', '.join([values] * count)}"
