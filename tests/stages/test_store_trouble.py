"""What an admin is told when the database cannot be used, and what no log shows."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.errors import StoreError
from connector.store import Store, engine


def test_a_database_that_cannot_be_opened_is_named_with_a_remedy(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/not/there/afterword.db")
    with pytest.raises(StoreError, match=r"store\.url: .*unable to open database file") as caught, store.read():
        pass
    assert caught.value.remedy
    store.close()


@pytest.mark.parametrize("store_address", ["sqlite"], indirect=True)  # on PostgreSQL two may write at once
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


def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(store: Store) -> None:
    statement = text("INSERT INTO sign_in (nonce, email) VALUES ('n', :email)")
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(statement, {"email": "maria@customer.example"})
    assert "maria" not in str(caught.value)
    assert type(caught.value.orig).__name__ in {"IntegrityError", "NotNullViolation"}
