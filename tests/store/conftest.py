"""Databases of a test's own: migrations change what other tests of this process share."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import NewStore
from sqlalchemy import text

from connector.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    """Make databases without a schema, on each of the two; they are gone after the test."""
    server = Store(request.getfixturevalue("postgres_address")) if request.param == "postgresql" else None
    stores: list[Store] = []

    def make() -> Store:
        address = f"sqlite:///{tmp_path / f'{len(stores)}.db'}" if server is None else _database_on(server)
        stores.append(Store(address))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
        if server is not None:
            _outside_a_transaction(server, f"DROP DATABASE {store.engine.url.database}")
    if server is not None:
        server.close()


def _database_on(server: Store) -> str:
    name = f"own_{secrets.token_hex(6)}"
    _outside_a_transaction(server, f"CREATE DATABASE {name}")
    return server.engine.url.set(database=name).render_as_string(hide_password=False)


def _outside_a_transaction(server: Store, statement: str) -> None:
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
