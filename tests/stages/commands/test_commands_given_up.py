"""Commands on PostgreSQL beside a lap that changes the same rows: what an admin asks for is done, whoever has to give way."""

from collections.abc import Callable, Iterator

import pytest
import structlog
from databases import ON_POSTGRESQL, giving_up_once
from lap_world import LapWorld
from sqlalchemy import Table
from typer.testing import CliRunner

from connector.cli import app, installation
from connector.store import Transaction
from connector.store.db.engine import Store
from connector.store.ops import connections
from connector.store.surveys import bounces, people
from connector.store.surveys.answers import opted_out_by
from connector.store.tables import connection_state, person

pytestmark = ON_POSTGRESQL
MARIA = "maria@nw.example"


@pytest.fixture
def world(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[LapWorld]:
    """The installation that the commands find; Maria's address is marked, and John has opted out."""
    with world.store.write() as tx:
        key = people.person_key(tx)
        people.bounced(tx, people.person_of(key, MARIA), world.clock.now(), "550 no such user")
        people.opt_out(tx, people.person_of(key, "john@nw.example"), world.clock.now(), "link")
    for name in ("build", "build_for_store"):
        monkeypatch.setattr(installation, name, lambda _config, **_named: world.installation)
    monkeypatch.setattr(world.adapter, "close", lambda: None)
    monkeypatch.setattr(Store, "close", lambda _self: None)  # one store serves the command and what looks at it
    configured = structlog.get_config()
    yield world
    structlog.configure(**configured)


COMMANDS: dict[str, tuple[Table, Callable[[Transaction], bool]]] = {
    f"opt-outs add {MARIA}": (person, lambda tx: opted_out_by(tx, MARIA) == "admin"),
    "opt-outs lift john@nw.example": (person, lambda tx: opted_out_by(tx, "john@nw.example") is None),
    f"bounces lift {MARIA}": (person, lambda tx: not list(bounces.marked(tx))),
    "pause --crm acme": (connection_state, lambda tx: connections.is_paused(tx, "acme")),
    "resume --crm acme": (connection_state, lambda tx: not connections.is_paused(tx, "acme")),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_server_gave_up_for_a_lap_is_done_again(world: LapWorld, command: str) -> None:
    table, is_done = COMMANDS[command]
    with giving_up_once(world.store, table):
        done = CliRunner().invoke(app.app, command.split())
    assert (done.exit_code, done.stderr) == (0, "")
    with world.store.read() as tx:
        assert is_done(tx)
