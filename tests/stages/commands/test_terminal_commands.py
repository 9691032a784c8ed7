"""Every command of the command line, on an installation whose CRM, customers and errors hold what would command a terminal."""

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
import structlog
from beginnings import Begin, live
from lap_world import DAY, LapWorld
from test_terminal import EVIL, looks_right
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from connector.app import service
from connector.cli import app, installation
from connector.demo import run as demo
from connector.errors import CrmError, RecordRejected
from connector.store.surveys import bounces, people

NAME = EVIL.replace("/", "")
CALLS: dict[str, list[list[str]]] = {
    "init": [["{folder}/" + NAME], ["{folder}/" + NAME]],
    "check": [[], ["--json"]],
    "setup-crm": [["--dry-run"], [], ["--undo", "--with-values"], ["--crm", EVIL]],
    "plan": [[], ["--json"], ["--since", "90d"], ["--since", EVIL]],
    "sync": [[], ["--json"]],
    "reconcile": [[], ["--json"]],
    "run": [[]],
    "pause": [["--reason", EVIL], ["--crm", EVIL]],
    "resume": [[], ["--crm", EVIL]],
    "undo": [["acme"], ["acme", "--json"], ["acme", "--since", EVIL], [EVIL]],
    "retry": [["acme"], ["acme", "--json"], ["acme", EVIL]],
    "status": [[], ["--json"]],
    "why": [["maria@nw.example"], ["{account}"], [EVIL]],
    "score": [["{folder}/ratings.csv"], ["{folder}/ratings.csv", "--json"], ["{folder}/" + NAME]],
    "export": [["accounts", "{folder}/" + NAME + ".csv"], ["accounts", "{folder}/a.csv", "--period", EVIL]],
    "migrate": [[], ["--dry-run"]],
    "backup": [["{folder}/" + NAME + ".zip"], ["{folder}/" + NAME + ".zip"]],
    "restore": [
        ["{folder}/" + NAME + ".zip"],
        ["{folder}/" + NAME + ".zip", "-c", "{folder}/" + NAME + "/config.toml"],
    ],
    "demo": [["--directory", "{folder}/" + NAME]],
    "bounces list": [[], ["--json"]],
    "opt-outs add": [["maria@nw.example"], [EVIL]],
    "opt-outs lift": [["maria@nw.example"], [EVIL]],
    "bounces lift": [[EVIL], ["--since", EVIL]],
}


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the words of every command, hidden ones too."""
    if not isinstance(command, TyperGroup):
        yield " ".join(words)
        return
    for name, child in command.commands.items():
        yield from leaves(child, (*words, name))


def test_every_command_is_called_here() -> None:
    assert set(leaves(get_command(app.app))) == set(CALLS)


def full_of_such_words(world: LapWorld) -> None:
    live(world)
    account = world.account(f"Northwind {EVIL}")
    contact = world.crm.contact(account, f"Maria {EVIL}", Email="maria@nw.example")
    world.answer(world.ask(account, contact), 1, comment=f"bad {EVIL}")
    world.crm.close(world.crm.case(account, contact, Subject=f"Broken {EVIL}"))
    refusal = RecordRejected(f"no {EVIL}", remedy=EVIL)
    world.crm.faults.refuse(refusal, lambda _id, values: "Afterword_Mood__c" in values)
    world.lap(DAY)
    with world.store.write() as tx:
        bounces_of = people.person_of(people.person_key(tx), "maria@nw.example")
        people.bounced(tx, bounces_of, world.clock.now(), EVIL)
        assert list(bounces.marked(tx))


@pytest.fixture
def hostile(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Let commands find an installation full of such words; returns what may stand in their arguments."""
    world = begin(full_of_such_words)
    header = "account,contact,metric,value,low,high,direction,at\n"
    ratings = f'"{EVIL}",,csat,4,1,5,up,2026-11-12\n"{EVIL}",,"{EVIL}",x,1,5,up,2026-11-12\n'
    (world.folder / "ratings.csv").write_text(header + ratings, encoding="utf-8")

    def fails(*_args: object, **_named: object) -> NoReturn:
        raise CrmError(EVIL, where=EVIL, remedy=EVIL)

    for name in ("build", "build_for_store"):
        monkeypatch.setattr(installation, name, lambda _config, **_named: world.installation)
    monkeypatch.setattr(world.adapter, "close", lambda: None)  # one adapter serves all calls of a test
    monkeypatch.setattr(service, "serve", fails)
    monkeypatch.setattr(demo, "stay", fails)
    configured = structlog.get_config()
    (account,) = world.crm.all("Account")
    yield {"folder": str(world.folder), "account": account["Id"]}
    structlog.configure(**configured)


@pytest.mark.parametrize("words", CALLS)
def test_s4_no_command_lets_the_words_of_others_command_a_terminal(words: str, hostile: dict[str, str]) -> None:
    for arguments in CALLS[words]:
        given = [
            argument.replace("{folder}", hostile["folder"]).replace("{account}", hostile["account"])
            for argument in arguments
        ]
        done = CliRunner().invoke(app.app, [*words.split(), *given])
        assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code != 70, done.output
        looks_right(done.stdout)
        looks_right(done.stderr)
