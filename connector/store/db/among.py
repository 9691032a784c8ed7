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
