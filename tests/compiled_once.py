"""Statements are compiled once for each test process, not once for each of its thousands of databases: a tenth of the suite's time.

An engine keeps what it has compiled under its own dialect. Here dialects of one kind and one server are the same, and have one
memory: https://docs.sqlalchemy.org/en/20/core/connections.html#sql-compilation-caching
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_COMPILED: dict[Any, Any] = {}


class _OfOneKind:
    """A dialect that equals every other one that would compile a statement to the same."""

    def _kind(self) -> tuple[Any, ...]:
        dialect: Any = self
        return (
            type(self),
            dialect.server_version_info,
            dialect._json_serializer,
            dialect._json_deserializer,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OfOneKind) and self._kind() == other._kind()

    def __hash__(self) -> int:
        return hash(type(self))


class Sqlite(_OfOneKind, SQLiteDialect_pysqlite):
    """SQLite by the standard library's driver."""

    supports_statement_cache = True


class PostgreSql(_OfOneKind, PGDialect_psycopg):
    """PostgreSQL by psycopg."""

    supports_statement_cache = True


def share() -> None:
    """From now on let every engine of this process use what any other has compiled."""
    registry.register("sqlite", __name__, Sqlite.__name__)
    registry.register("sqlite.pysqlite", __name__, Sqlite.__name__)
    registry.register("postgresql.psycopg", __name__, PostgreSql.__name__)
    event.listen(Engine, "engine_connect", _with_the_memory)


def _with_the_memory(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_COMPILED)
