"""Work that mostly finds nothing to change takes the right to write only when it does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from databases import BOTH_DATABASES
from sqlalchemy import Connection, event, insert, select

from connector.errors import LeaseLost
from connector.store import Store
from connector.store.tables import setting

pytestmark = BOTH_DATABASES


@contextmanager
def writing(store: Store) -> Iterator[list[str]]:
    """Count the transactions that are begun to write."""
    begun: list[str] = []

    def note(connection: Connection) -> None:
        if connection.get_execution_options().get("afterword_writes"):
            begun.append("write")

    event.listen(store.engine, "begin", note)
    yield begun
    event.remove(store.engine, "begin", note)


def names(tx: Connection) -> list[str]:
    return [name for (name,) in tx.execute(select(setting.c.name).where(setting.c.name.startswith("test:")))]


def keep(tx: Connection) -> list[str]:
    """Keep a setting that is not there yet; return what was there before."""
    before = names(tx)
    if not before:
        tx.execute(insert(setting).values(name="test:kept", value=1))
    return before


def test_what_changes_something_is_done_whole_in_a_transaction_that_writes(store: Store) -> None:
    with writing(store) as begun:
        assert store.write_where_needed(keep) == []
        assert begun == ["write"]
        assert store.write_where_needed(keep) == ["test:kept"]
        assert begun == ["write"]


def test_who_may_not_write_is_stopped_before_anything_is_changed(store: Store) -> None:
    def lost(_tx: Connection) -> None:
        raise LeaseLost("taken over", where="", remedy="")

    with pytest.raises(LeaseLost):
        store.write_where_needed(keep, first=lost)
    with store.read() as tx:
        assert names(tx) == []
