"""A store of an earlier version keeps what it knew when it is brought to this one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from databases import BOTH_DATABASES
from lap_world import DAY, LapWorld
from sqlalchemy import update

from connector.commands import reconcile
from connector.store import Store, tables
from connector.store.db import migrate as migrating
from connector.store.db.migrate import migrate
from connector.store.ops import connections


def as_of(store: Store, revision: str) -> None:
    """Make the schema of an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parents[1] / "migrations"))
    with store.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)


def test_what_was_known_of_a_connection_outlives_the_counting_of_calls(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'afterword.db'}")
    as_of(store, "0001")
    with store.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO connection_state (connection, pause_reason, calls_on, calls_today, last_error)"
            " VALUES ('acme', 'by hand', '2026-11-16', 7, 'down')"
        )
    assert migrate(store) == "0001"
    with store.read() as tx:
        assert migrating.differences(tx) == []
        known = connections.peek(tx, "acme")
    assert known is not None
    assert (known.pause_reason, known.last_error, known.refused_at) == ("by hand", "down", None)
    store.close()


@BOTH_DATABASES
def test_records_that_look_new_to_a_new_version_are_asked_told_and_written_nothing_twice(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1, comment="Nobody called back.")
    world.crm.close(world.crm.case(account, world.crm.contact(account, "Opted Out", HasOptedOutOfEmail=True)))
    world.ask(account, world.crm.contact(account, "Silent One"))
    world.lap(DAY)
    kept = (tables.invitation, tables.person, tables.follow_up, tables.decision_log, tables.alert, tables.write_log)
    before = {table.name: world.rows(table) for table in kept}
    mails, writes = len(world.mailbox.messages), world.writes()
    with world.store.write() as tx:
        tx.execute(update(tables.binding).values(content_hash="as an earlier version understood it"))
        tx.execute(tables.setting.delete().where(tables.setting.c.name.startswith("form:")))
    assert reconcile.run(world.installation, since=world.clock.now()).lap.exit_code == 0
    counts = [world.lap().exit_code for _ in range(3)]
    assert counts == [0, 0, 0]
    assert {table.name: world.rows(table) for table in kept} == before
    assert (len(world.mailbox.messages), world.writes()) == (mails, writes)
