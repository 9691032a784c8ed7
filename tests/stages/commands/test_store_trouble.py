"""What an admin is told when the database cannot be used, and what no log shows."""

import socket
from pathlib import Path

import pytest
from databases import BOTH_DATABASES, ON_POSTGRESQL
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from connector.errors import StoreError
from connector.store import Store
from connector.store.db import engine


def test_a_database_that_cannot_be_opened_is_named_with_a_remedy(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/not/there/afterword.db")
    with pytest.raises(StoreError, match=r"store\.url: .*unable to open database file") as caught, store.read():
        pass
    assert f"folder {tmp_path}/not/there" in caught.value.remedy
    store.close()


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{tmp_path}")  # a folder: SQLite cannot open it
    # Who runs the tests may write everywhere.
    monkeypatch.setattr(engine.os, "access", lambda _path, mode: not mode & engine.os.W_OK)
    with pytest.raises(StoreError) as caught, store.read():
        pass
    assert f"write in {tmp_path.parent}" in caught.value.remedy
    store.close()


def test_a_file_that_may_only_be_read_is_named(store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("PRAGMA query_only = 1")  # as a file system that is mounted for reading
    with pytest.raises(StoreError) as caught, store.write() as tx:
        tx.execute(text("DELETE FROM sign_in"))
    assert f"{store.path} may not be written" in caught.value.remedy


def test_a_database_that_stays_locked_is_named_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.01)
    other = Store(store.url)
    with (
        store.write(),
        pytest.raises(StoreError, match="locked"),
        other.write(),
    ):
        pass
    with other.write():  # it is free again
        pass
    other.close()


def test_a_server_that_does_not_answer_is_waited_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SERVERS_PATIENCE", {"connect_timeout": 2})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = Store(f"postgresql+psycopg://afterword@127.0.0.1:{silent.getsockname()[1]}/afterword")
        with pytest.raises(StoreError, match="timeout"), store.read():
            pass
        store.close()


@BOTH_DATABASES
def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(store: Store) -> None:
    statement = text("INSERT INTO sign_in (nonce, email) VALUES ('n', :email)")
    with pytest.raises(IntegrityError) as caught, store.write() as tx:
        tx.execute(statement, {"email": "maria@customer.example"})
    assert "maria" not in str(caught.value)
    assert type(caught.value.orig).__name__ in {"IntegrityError", "NotNullViolation"}


def test_a_disk_that_is_full_is_told_as_such_and_nothing_of_it_is_stored(store: Store) -> None:
    insert = text("INSERT INTO sign_in (nonce, email, made_at) VALUES (:nonce, :email, '2026-11-16 08:00:00')")
    with store.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1")  # it grows no more
    with pytest.raises(StoreError, match="full") as caught, store.write() as tx:
        for number in range(10_000):
            tx.execute(insert, {"nonce": f"n{number}", "email": "x" * 1_000})
    assert "The disk is full: make room" in caught.value.remedy
    with store.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM sign_in")).scalar_one() == 0


@ON_POSTGRESQL
def test_a_server_that_goes_away_in_the_middle_is_told_as_such(store: Store) -> None:
    with pytest.raises(StoreError, match="ceased"), store.write() as tx:
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with store.write() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        tx.execute(text("SELECT 1"))
    with store.read() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1


@BOTH_DATABASES
def test_what_is_wrong_with_our_own_question_is_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(DBAPIError), store.read() as tx:
        tx.execute(text("SELECT nothing FROM nowhere"))
