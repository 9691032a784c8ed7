"""INSERT … ON CONFLICT, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, Any]]


def insert_new(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that cannot be there yet. All rows name the same columns.

    Pages of thousands pass here, so the statement is compiled once and values go straight to the driver.
    """
    if not rows:
        return
    text, names, converters = _compiled(table, connection.dialect, tuple(rows[0]))
    values = [[row[name] for name in names] for row in rows]
    for place, convert in converters:
        for line in values:
            line[place] = convert(line[place])
    positional = connection.dialect.positional
    connection.exec_driver_sql(
        text, [tuple(line) if positional else dict(zip(names, line, strict=True)) for line in values]
    )


def insert_or_ignore(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; those whose key exists already are left as they are."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def insert_or_update(connection: Connection, table: Table, rows: Rows, *, only: Collection[str] = ()) -> None:
    """Insert rows, or replace the given columns of those whose primary key exists. All rows name the same columns.

    `only` names the columns to replace, where the others are for new rows alone.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table)
    changes = {name: statement.excluded[name] for name in only or rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))


def insert_or_add(connection: Connection, table: Table, rows: Rows, column: str) -> None:
    """Insert rows, or add the given column's number to that of the row whose primary key exists."""
    keys = [key.name for key in table.primary_key]
    statement = _insert(connection, table)
    total = {column: table.c[column] + statement.excluded[column]}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=total), list(rows))


def _insert(connection: Connection, table: Table) -> Any:
    module = sqlite if connection.dialect.name == "sqlite" else postgresql
    return module.insert(table)


@cache
def _compiled(
    table: Table, dialect: Dialect, columns: tuple[str, ...]
) -> tuple[str, Sequence[str], Sequence[tuple[int, Callable[[Any], Any]]]]:
    """Return the text of an INSERT, its parameters in order, and what the driver cannot take as it is."""
    compiled = table.insert().compile(dialect=dialect, column_keys=list(columns))
    names: Sequence[str] = compiled.positiontup or columns
    impls = [table.c[name].type.dialect_impl(dialect) for name in names]
    converters = [(place, convert) for place, impl in enumerate(impls) if (convert := impl.bind_processor(dialect))]
    return str(compiled), names, converters
