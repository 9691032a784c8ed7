"""`plan` looks at what would happen on a copy: of a database of an earlier version too, which it leaves as it is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import NewStore
from sqlalchemy import insert, select

from connector.errors import StoreError
from connector.store import tables
from connector.store.db.copy import copy_store
from connector.store.db.migrate import current, head, migrate

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def test_an_older_store_is_brought_to_this_version_in_its_copy_alone(new_store: NewStore, tmp_path: Path) -> None:
    source = new_store()
    migrate(source, to="0001")
    with source.write() as tx:
        tx.execute(insert(tables.lap).values(started_at=AT, exit_code=0, report={"sent": 3, "not": None}))
        tx.exec_driver_sql("INSERT INTO connection_state (connection, calls_on, calls_today) VALUES ('acme', 'x', 7)")
    copy = copy_store(source, tmp_path / "copy.db")
    with copy.read() as tx:
        lap = tx.execute(select(tables.lap)).one()
        state = tx.execute(select(tables.connection_state)).one()
    assert (lap.started_at, lap.report, state.connection) == (AT, {"sent": 3, "not": None}, "acme")
    assert (current(copy), current(source)) == (head(), "0001")
    copy.close()


def test_a_newer_store_is_not_copied(new_store: NewStore, tmp_path: Path) -> None:
    source = new_store()
    migrate(source)
    with source.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer"):
        copy_store(source, tmp_path / "copy.db")


def test_an_empty_store_is_copied_as_one_of_this_version(new_store: NewStore, tmp_path: Path) -> None:
    copy = copy_store(new_store(), tmp_path / "copy.db")
    assert current(copy) == head()
    copy.close()
