"""Whether a column holds one of many values: one parameter however many there are, so the statement is compiled once."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, Connection, String, any_, bindparam, func, select

from connector.store.db.documents import encoded
from connector.store.db.types import AnyColumn


def among(tx: Connection, tested: AnyColumn, values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of text holds one of the values."""
    if tx.dialect.name == "sqlite":
        listed = func.json_each(bindparam(None, encoded([*values]), String)).table_valued("value")
        return tested.in_(select(listed.c.value))
    return tested == any_(bindparam(None, [*values], ARRAY(String)))


def is_listed(dialect: str, tested: AnyColumn, name: str = "listed") -> ColumnElement[bool]:
    """Return the same condition for a statement that is made once for each dialect, and carried out with other values each time.

    Making a statement takes ten times as long as SQLite needs for it. The values are the parameter of this name, see `listed`.
    """
    if dialect == "sqlite":
        values = func.json_each(bindparam(name, type_=String)).table_valued("value")
        return tested.in_(select(values.c.value))
    return tested == any_(bindparam(name, type_=ARRAY(String)))


def listed(tx: Connection, values: Iterable[str], name: str = "listed") -> dict[str, object]:
    """Return the values as the parameter of a statement with `is_listed`."""
    return {name: encoded([*values]) if tx.dialect.name == "sqlite" else [*values]}
