"""Whatever stands in a CRM, in a comment or in an error: a terminal shows it, does as nobody told it, and no line of ours is forged."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from hypothesis import given
from hypothesis import strategies as st
from lap_world import DAY, LapWorld

from connector.cli import retry
from connector.cli.guard import guarded
from connector.cli.output import check, setup, terminal, undo
from connector.cli.output import plan as output_plan
from connector.cli.output import results as output_results
from connector.cli.output.terminal import Terminal, err, flat, json_text, one_line
from connector.commands import plan, reconcile, status
from connector.commands import retry as commands_retry
from connector.commands import undo as commands_undo
from connector.commands import why as survey_log
from connector.commands.check import checks
from connector.errors import AfterwordError, CrmError, Problem, RecordRejected, SettingsError
from connector.ports import SetupResult, SetupStep

EVIL = "a\x1b[2J\x9b31m\x07\x7f\u202egnp\u2066\u061c\rx\nFORGED: ~ acme [bold]x[/]\u2028FORGED\x85FORGED\x0bFORGED\x0cFORGED"
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[mKAhl]|\r")
ROOT = Path(terminal.__file__).parents[2]


def looks_right(text: str) -> None:
    seen = COLOURS.sub("", text)
    assert BAD.search(seen) is None, seen
    assert not [line for line in seen.split("\n") if line.startswith("FORGED")]


@pytest.fixture(params=[False, True], ids=["piped", "terminal"])
def console(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    if request.param:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    text = "".join(capsys.readouterr())
    looks_right(text)
    return text


def test_s4_no_print_path_lets_the_words_of_others_command_a_terminal(
    world: LapWorld, console: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    account = world.account(f"Northwind {EVIL}")
    contact = world.crm.contact(account, f"Maria {EVIL}", Email="maria@nw.example")
    invitation = world.ask(account, contact)
    world.answer(invitation, 1, comment=f"bad {EVIL}")
    waiting = world.crm.case(account, contact, Subject=f"Broken {EVIL}")
    world.crm.close(waiting)
    installation = world.installation
    output_plan.plan(console, plan.next_lap(installation), installation)
    output_results.hindsight(console, plan.look_back(installation, 30 * DAY))
    world.crm.faults.refuse(
        RecordRejected(f"no {EVIL}", remedy=EVIL), lambda _id, values: "Afterword_Mood__c" in values
    )
    output_results.report(console, world.lap())
    shown = status.status(installation)
    output_results.status(console, shown)
    terminal.print_json(shown)
    for record in (waiting, account, "maria@nw.example"):
        for sentence in survey_log.explain(world.store, record, tz=installation.settings.company.timezone):
            console.print(one_line(sentence), markup=False)
    retried = commands_retry.retry(installation, installation.endpoints[0], [])
    retry.show(console, retried)
    terminal.print_json(retried.as_json())
    world.crm.faults.clear()
    world.lap()
    for printer in (undo.Printed(console), undo.Json(sys.stdout)):
        printer.end(commands_undo.plan(installation, installation.endpoints[0], show=printer.show))
    check.findings(console, checks.check(installation))
    output_results.compared(console, reconcile.run(installation, since=world.clock.now()))
    output_results.scores(
        console,
        {"accounts": [{"account": EVIL, "satisfaction": None, "people": 1, "mood": "happy"}]},
    )
    text = printed(capsys)
    assert "\\u001b[2J" in text
    assert "\\u202e" in text


def test_s4_no_error_or_problem_lets_the_words_of_others_command_a_terminal(
    console: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem(EVIL, EVIL, EVIL)
    output_results.problems(console, [problem])
    output_results.error(console, CrmError(EVIL, where=EVIL, remedy=EVIL))
    output_results.failure(console, EVIL, SettingsError([problem]))
    output_results.line(console, EVIL)
    progress = output_results.progress(console)
    progress(EVIL, EVIL, 3)
    step = SetupStep(EVIL, EVIL, group=EVIL, item=EVIL)
    manual = SetupStep(EVIL, EVIL, manual=True)
    setup.steps(console, EVIL, [step, manual])
    results = [SetupResult(step, done=True), SetupResult(step, done=False, error=CrmError(EVIL))]
    assert len(list(setup.results(console, results))) == 2
    setup.values(console, [step], {EVIL: 3})
    printed(capsys)


@pytest.mark.parametrize("error", [CrmError(EVIL, where=EVIL), AfterwordError(EVIL), ValueError(EVIL)])
def test_s4_no_command_that_fails_lets_an_error_command_a_terminal(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    @guarded
    def command() -> None:
        structlog.get_logger("afterword").warning(EVIL, record=EVIL, several=[EVIL])
        raise error

    configured = structlog.get_config()
    try:
        with pytest.raises(typer.Exit):
            command()
    finally:
        structlog.configure(**configured)
    assert isinstance(err, Terminal)
    assert "\\u001b[2J" in printed(capsys)


@given(text=st.text())
def test_s4_an_error_holds_nothing_that_commands_a_terminal(text: str) -> None:
    assert BAD.search(str(AfterwordError(text, where=text, remedy=text))) is None


@given(found=st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_s4_json_shows_everything_and_says_the_same(found: Any) -> None:
    text = json_text(found)
    assert BAD.search(text) is None
    assert json.loads(text) == json.loads(json.dumps(found))
    assert "\n" not in "".join(_texts(flat(found)))


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _texts(key)
            yield from _texts(value)
    else:
        for one in found:
            yield from _texts(one)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_o7_output_never_fails_on_a_character(tmp_path: Path, options: list[str], encoding: str) -> None:
    path = tmp_path / "ratings.csv"
    name = "Häme \N{SNOWMAN} \N{GRINNING FACE} Łódź"
    header = "account,contact,metric,value,low,high,direction,at\n"
    path.write_text(f"{header}{name},,csat,4,1,5,up,2026-11-12\n", encoding="utf-8")
    command = [sys.executable, "-c", "from connector.cli.app import main; main()", "score", str(path), *options]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=300, check=True)
    told = done.stdout.decode(encoding)
    if options:
        assert json.loads(told)["accounts"][0]["account"] == name
    assert "\\u2603" in told


def test_every_path_to_the_terminal_leads_through_the_same_door() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Console", "print"}:
                found.append(f"{path.name}:{node.lineno}")
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"stdout", "stderr"}
                and path.name not in {"streams.py", "terminal.py"}
            ):
                found.append(f"{path.name}:{node.lineno}")
    allowed = {"undo.py", "service.py"}
    assert [one for one in found if one.partition(":")[0] not in allowed] == []
