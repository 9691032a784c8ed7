"""A store of an earlier version keeps what it knew when it is brought to this one."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from connector.store import Store, connecting
from connector.store import migrate as migrating
from connector.store.migrate import migrate


def as_of(store: Store, revision: str) -> None:
    """Make the schema of an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_what_was_known_of_a_connection_outlives_the_counting_of_calls(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'afterword.db'}")
    as_of(store, "0001")
    with store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO connection_state (connection, pause_reason, calls_on, calls_today, last_error)"
            " VALUES ('acme', 'by hand', '2026-11-16', 7, 'down')"
        )
    assert migrate(store) == "0001"
    with store.read() as connection:
        assert migrating.differences(connection) == []
        known = connecting.peek(connection, "acme")
    assert known is not None
    assert (known.pause_reason, known.last_error, known.refused_at) == ("by hand", "down", None)
    store.close()
