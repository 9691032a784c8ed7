"""Column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, FromClause, Row, Select, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from connector.errors import Bug

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.sql.base import ReadOnlyColumnCollection
    from sqlalchemy.sql.elements import KeyedColumnElement

AnyRow = Row[*tuple[object, ...]]
"""A row as a statement returns it. It goes no further than the store: what comes out of it is a value."""
AnySelect = Select[Any]
AnyColumn = ColumnElement[Any]
AnyType = TypeEngine[Any]
if TYPE_CHECKING:
    AnyTable = Table[ReadOnlyColumnCollection[str, Column[Any]]]
    AnyFrom = FromClause[ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]]
else:
    AnyTable, AnyFrom = Table, FromClause
"""What SQLAlchemy leaves open of statements, columns, types and tables."""

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; None is stored as NULL."""


class Utc(TypeDecorator[datetime]):
    """An instant. Only aware datetimes go in, and aware UTC ones come out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Turn an instant into what the driver takes (SQLite keeps naive UTC as text, so that text order is time order)."""
        return _text_of if dialect.name == "sqlite" else _utc_of

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn an instant into UTC, where a statement shows its values."""
        return _utc_of(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the instant as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _utc_of(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise Bug(f"a time without a zone reached the store: {value!r}")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _text_of(value: datetime | None) -> str | None:
    """Return the text that SQLite keeps: always with six decimals, and without the zone, which is always UTC."""
    moment = _utc_of(value)
    return None if moment is None else moment.isoformat(" ", "microseconds").removesuffix("+00:00")
