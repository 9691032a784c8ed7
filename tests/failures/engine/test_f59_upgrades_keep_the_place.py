"""After an upgrade reading goes on where the version before had stopped."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from environment import DAY, HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from sqlalchemy import select, update

from connector.runtime.clock import SteppedClock
from connector.store import Store, tables
from connector.store.db import migrate

OF_THE_FIRST = '{{"format": 1, "since": "{since}", "at": null, "signpost": null}}'
"""A position as the first version stored it."""


def test_a_place_that_the_first_version_stored_is_gone_on_from(either: Environment) -> None:
    for number in range(5):
        either.account(f"Company {number}")
    either.later(HOUR)
    either.advance(DAY)
    place = OF_THE_FIRST.format(since=either.clock.now().isoformat())
    with either.installation.store.write() as tx:
        tx.execute(update(tables.cursor).values(position=place))
    either.restart()
    either.advance(HOUR)
    either.account("Southwind")
    counts = either.later(HOUR).pulled["acme"].counts["account"]
    assert (counts.read, counts.changed) == (1, 1)


def test_new_schemas_leave_places_as_they_are(tmp_path: Path, clock: SteppedClock) -> None:
    store = Store(f"sqlite:///{tmp_path / 'afterword.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parents[1] / "migrations"))
    with store.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        row = {
            "connection": "acme",
            "object": "Account",
            "pass": "changes",
            "fingerprint": "f",
            "moved_at": clock.now(),
        }
        place = OF_THE_FIRST.format(since=clock.now().isoformat())
        tx.execute(tables.cursor.insert().values(**row, position=place))
    assert migrate.migrate(store) == "0001"
    with store.read() as tx:
        kept: Any = tx.execute(select(tables.cursor)).mappings().one()
    store.close()
    assert dict(kept) == {**row, "position": place}


def test_what_a_later_version_has_kept_of_lists_is_read_anew(hub: HubSpotEnvironment) -> None:
    kept = tables.cursor.c["pass"] != "changes"
    with hub.installation.store.write() as tx:
        assert tx.execute(update(tables.cursor).where(kept).values(position='{"later": [1]}')).rowcount > 0
    hub.restart()
    assert hub.later(HOUR / 12).exit_code == 0
