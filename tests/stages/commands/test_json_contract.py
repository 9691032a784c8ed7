"""The JSON of each command has the keys that docs/contract.md names."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from beginnings import Begin, live
from lap_world import DAY, LapWorld
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from connector.cli import app, installation
from connector.errors import RecordRejected
from connector.store.surveys import people

PAGE = Path(__file__).resolve().parents[3] / "docs" / "contract.md"
TOKEN = re.compile(r'"\w+"|[{}\[\],:]|[^\s{}\[\],:"][^{}\[\],:"]*')
Spec = dict[str, Any] | list[Any] | None


def documented() -> dict[str, Spec]:
    """Return the shape that the page gives for the JSON of each command, by what is called."""
    section = PAGE.read_text(encoding="utf-8").partition("\n### JSON\n")[2].partition("\n## ")[0]
    items = [" ".join(item.split()) for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    shapes: dict[str, Spec] = {}
    for item in items:
        call, *spans = re.findall(r"`([^`]+)`", item)
        whole = [span for span in spans if span.startswith("{")]
        shapes[call.removesuffix(" --json")] = parsed(whole[0])
    return shapes


def parsed(text: str) -> Spec:
    """Read a shape such as ``{"crm": {NAME: {"calls"}}, "sent"}``; a word in the place of a value may be anything."""
    tokens = TOKEN.findall(text)
    spec = _value(tokens)
    assert not tokens, f"the page has something behind a shape: {tokens}"
    return spec


def _value(tokens: list[str]) -> Spec:
    token = tokens.pop(0)
    if token == "[":
        items = [_value(tokens)]
        assert tokens.pop(0) == "]"
        return items
    if token != "{":
        return None
    members: dict[str, Any] = {}
    while token != "}":
        name = tokens.pop(0).strip('"')
        token = tokens.pop(0)
        members[name] = None
        if token == ":":
            members[name] = _value(tokens)
            token = tokens.pop(0)
        assert token in {",", "}"}, f"{token} behind {name}"
    return members


def missing(spec: Spec, value: Any, path: str, seen: set[str]) -> Iterator[str]:
    """Yield the keys that the page names and a value has not; notes in `seen` those that it has."""
    if spec is None or value is None:
        return
    if isinstance(spec, list):
        assert isinstance(value, list), path
        for item in value:
            yield from missing(spec[0], item, path, seen)
        return
    assert isinstance(value, dict), path
    for name, inner in spec.items():
        if name.isupper():  # stands for names of the reader's own
            for item in value.values():
                yield from missing(inner, item, f"{path}.{name}", seen)
        elif name not in value:
            yield f"{path}.{name}"
        else:
            seen.add(f"{path}.{name}")
            yield from missing(inner, value[name], f"{path}.{name}", seen)


def names(spec: Spec, path: str) -> Iterator[str]:
    """Yield every key that the page names."""
    if isinstance(spec, list):
        yield from names(spec[0], path)
    for name, inner in spec.items() if isinstance(spec, dict) else ():
        if not name.isupper():
            yield f"{path}.{name}"
        yield from names(inner, f"{path}.{name}")


def filled(world: LapWorld) -> None:
    """Let there be something of everything: an unhappy answer, a follow-up, a refused record, a bounce, work to do."""
    live(world)
    account = world.account("Northwind")
    contact = world.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    world.answer(world.ask(account, contact), 1, comment="Nobody called back.")
    refusal = RecordRejected("Billing country is required.", remedy="Fill it in.")
    world.crm.faults.refuse(refusal, lambda _id, values: "Afterword_Mood__c" in values)
    world.lap(DAY)
    with world.store.write() as tx:
        people.bounced(tx, people.person_of(people.person_key(tx), "maria@nw.example"), world.clock.now(), "unknown")
    other = world.crm.contact(account, "Pekka Laine", Email="pekka@nw.example")
    world.crm.close(world.crm.case(account, other, Subject="Printer offline"))


CALLS = {
    "plan": [],
    "check": [],
    "status": [],
    "undo": ["acme", "--since", "2020-01-01"],
    "bounces list": [],
    "score": ["{folder}/ratings.csv"],
    "sync": [],
    "retry": ["acme"],
    "reconcile": [],
}

RARE = ("plan.cancelled.", "plan.refused.", "status.bounce_reports.")
"""What this installation has nothing of."""


@pytest.fixture
def folder(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let commands find an installation that is full."""
    world = begin(filled)
    header = "account,contact,metric,value,low,high,direction,at\n"
    (world.folder / "ratings.csv").write_text(f"{header}Acme,,csat,4,1,5,up,2026-11-12\n", encoding="utf-8")
    for name in ("build", "build_for_store"):
        monkeypatch.setattr(installation, name, lambda _config, **_named: world.installation)
    monkeypatch.setattr(world.adapter, "close", lambda: None)  # one adapter serves all calls of a test
    configured = structlog.get_config()
    yield world.folder
    structlog.configure(**configured)


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it."""
    if not isinstance(command, TyperGroup):
        yield " ".join(words), command
        return
    for name, child in command.commands.items():
        yield from leaves(child, (*words, name))


def test_every_command_with_json_is_on_the_page() -> None:
    assert set(documented()) == set(CALLS)


def test_every_command_with_json_is_called_here() -> None:
    with_json = {
        words
        for words, command in leaves(get_command(app.app))
        if any("--json" in param.opts for param in command.params)
    }
    assert with_json == set(CALLS)


def test_the_json_has_every_key_of_the_page(folder: Path) -> None:
    shapes, lacking, seen = documented(), [], set[str]()
    for call, arguments in CALLS.items():
        given = [argument.replace("{folder}", str(folder)) for argument in arguments]
        ended = CliRunner().invoke(app.app, [*call.split(), *given, "--json"])
        lacking += missing(shapes[call], json.loads(ended.stdout), call, seen)
    assert lacking == []
    unseen = {name for call in CALLS for name in names(shapes[call], call)} - seen
    assert sorted(name for name in unseen if not name.startswith(RARE)) == []
