"""On which databases a test runs: on SQLite, unless it says otherwise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Table, text

from connector.store import Store

BOTH_DATABASES = pytest.mark.parametrize("store_address", ["sqlite", "postgresql"], indirect=True)
"""For what rests on SQL, types or transactions that the two could treat differently, and for one journey of each kind."""
ON_POSTGRESQL = pytest.mark.parametrize("store_address", ["postgresql"], indirect=True)
"""For two transactions that write at once: SQLite lets the second wait for the first, so there is nothing to see."""
NewStore = Callable[[], Store]
"""Makes an empty database without a schema, which nobody else has."""
_GIVES_UP_ONCE = """
CREATE SEQUENCE given_up;
CREATE FUNCTION give_up() RETURNS trigger AS $$ BEGIN
    IF nextval('given_up') = 1 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER give_up BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION give_up();
"""
"""What a deadlock looks like to the one of two transactions that the server ends. A sequence does not go back with it."""


@contextmanager
def giving_up_once(store: Store, table: Table) -> Iterator[None]:
    """Let PostgreSQL give up the next transaction that changes a row of this table, and see that it was tried again."""
    with store.write() as tx:
        tx.execute(text(_GIVES_UP_ONCE.format(table=table.name)))
    try:
        yield
        with store.read() as tx:
            assert tx.execute(text("SELECT last_value FROM given_up")).scalar_one() > 1
    finally:
        with store.write() as tx:
            tx.execute(text("DROP FUNCTION IF EXISTS give_up CASCADE"))
            tx.execute(text("DROP SEQUENCE IF EXISTS given_up"))
