"""docs/contract.md names what there is, and there is what it names.

Commands and options, exit codes, keys, kinds, facts, columns, pages and fields; the JSON: tests/stages/commands/test_json_contract.py.
"""

import re
import tomllib
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from connector.app.adapter_packages import installed_adapters
from connector.cli import guard
from connector.cli.app import app
from connector.errors import AfterwordError
from connector.exports import tables as export_tables
from connector.settings.keys import KEYS, adapter_keys
from connector.stages.lap import Report
from connector.surveys.survey_mail import Site
from connector.web.app import create_app
from connector.web.parts import WebParts

ROOT = Path(__file__).resolve().parents[2]
CRMS = ("salesforce", "hubspot")
TYPES = {
    "number": "number",
    "text": "text",
    "picklist": "one of",
    "datetime": "date and time",
    "url": "link",
    "boolean": "checkbox",
}
"""How the page words the types of fields."""


def section(heading: str) -> str:
    """Return what stands under a heading of the page, down to the next one."""
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    _, _, below = re.split(rf"^(#+) {re.escape(heading)}$", page, maxsplit=1, flags=re.MULTILINE)
    return re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0]


@cache
def rows(heading: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of the table under a heading of the page, without its head."""
    lines = [line.strip("|").split("|") for line in section(heading).splitlines() if line.startswith("|")]
    assert len(lines) > 2, f"no table under {heading}"
    return tuple(tuple(cell.strip() for cell in line) for line in lines[2:])


def code(cell: str) -> list[str]:
    """Return what stands in backquotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def commands(command: Any, words: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Return the options of every command that is shown, by the words that call it."""
    if not isinstance(command, TyperGroup):
        options = {opt for param in command.params for opt in param.opts if opt.startswith("--")}
        return {" ".join(words): options - {"--help", "--config"}}
    leaves = [commands(child, (*words, name)) for name, child in command.commands.items() if not child.hidden]
    return {name: options for leaf in leaves for name, options in leaf.items()}


def test_the_page_has_the_commands_and_their_options() -> None:
    there = commands(get_command(app))
    told: dict[str, set[str]] = {}
    for call, *_ in rows("Commands"):
        (shown,) = code(call)
        words = shown.removeprefix("afterword ")
        name = max((known for known in there if re.match(rf"{known}(?![\w-])", words)), key=len, default=words)
        told[name] = set(re.findall(r"--[a-z][a-z-]*", words))
    assert told == there


@pytest.mark.parametrize("name", ["docs/contract.md", "README.md"])
def test_the_pages_have_the_exit_codes(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    codes = {int(number) for number in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)}
    given = {value for constant, value in vars(guard).items() if constant.startswith("EXIT_")}
    assert len(given) > 2
    assert codes == given | {Report().exit_code, Report(mail_error=AfterwordError("refused")).exit_code}


def test_the_page_has_the_tables_and_their_keys() -> None:
    there: dict[str, set[str]] = {}
    adapters = installed_adapters()
    for loc in [
        *KEYS,
        *(loc for crm in CRMS for loc in adapter_keys(adapters[crm].config)),
    ]:  # a table whose keys are the admin's own is one key
        name = f"[{'.'.join(loc[:-1] or loc)}]"
        there.setdefault(name, set()).update(loc[-1:] if len(loc) > 1 else ())
    assert {code(table)[0]: set(code(keys)) for table, keys in rows("config.toml")} == there


def test_the_page_has_the_pages() -> None:
    site = Site("https://feedback.acme.example", "Acme", "care@acme.example")
    nothing: Any = None
    parts = WebParts(
        nothing,
        nothing,
        nothing,
        site=site,
        on_answer=print,
        note_outcome=nothing,
        causes={},
        language="en",
        on_sign_in=print,
        crms=(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GET and HEAD share a name, which matters to no browser
        described = create_app(parts).openapi()["paths"]
    there = {path: {method.upper() for method in methods} - {"HEAD"} for path, methods in described.items()}
    assert {code(path)[0]: set(code(methods)) for methods, path, _ in rows("Answering")} == there


def test_the_page_has_the_routes_that_are_not_described() -> None:
    """What a page leaves out of its own description would be left out here too."""
    hidden = [
        path.name
        for path in (ROOT / "connector" / "web").rglob("*.py")
        if "include_in_schema" in path.read_text(encoding="utf-8")
    ]
    assert hidden == []


def test_the_page_has_the_columns_of_exports() -> None:
    items = (code(item) for item in re.split(r"^- ", section("Exports"), flags=re.MULTILINE)[1:])
    told = {table: columns for table, *columns in items}
    nothing: Any = None
    with pytest.MonkeyPatch.context() as patch:
        for reader in ("accounts", "responses", "follow_ups"):
            patch.setattr(export_tables.exports, reader, lambda *_: ())
        sheets = {name.value: export_tables.sheet(nothing, name) for name in export_tables.TableName}
    assert told == {name: [column.key for column in sheet.columns] for name, sheet in sheets.items()}


def mapping_of(crm: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "mappings" / f"{crm}.toml").read_text(encoding="utf-8"))


def events(kind: dict[str, Any]) -> list[str]:
    """Return how records of a kind end, in the mapping's order."""
    ended = kind["ended"]
    return [condition["event"] for condition in (ended if isinstance(ended, list) else [ended])]


@pytest.mark.parametrize("crm", CRMS)
def test_the_page_has_the_kinds_of_interaction(crm: str) -> None:
    told = {code(row[0])[0]: (code(row[1]), *code(row[2 + CRMS.index(crm)])) for row in rows("Kinds and facts")}
    assert told == {name: (events(kind), kind["object"]) for name, kind in mapping_of(crm)["interaction"].items()}


@pytest.mark.parametrize("crm", CRMS)
def test_the_page_has_the_facts(crm: str) -> None:
    mapping = mapping_of(crm)
    kinds = {"account": mapping["account"], "contact": mapping["contact"], **mapping["interaction"]}
    told = {code(kind)[0]: code(facts) for kind, name, facts in rows("Facts") if name.lower() == crm}
    assert told == {name: list(kind["facts"]) for name, kind in kinds.items()}


def fields(crm: str, target: str) -> set[tuple[str, str, str]]:
    """Return label, type and field of what a built-in mapping makes on a kind of record."""
    mapping = mapping_of(crm)
    made = [
        field for field in mapping["write"].get(target, {}).values() if isinstance(field, dict) and "label" in field
    ]
    words = [(field, " ".join([TYPES[field["type"]], " · ".join(field.get("options", ()))]).strip()) for field in made]
    return {(field["label"], kind, field["field"]) for field, kind in words}


SECTIONS = {"account": "On the account or company", "contact": "On the contact", "task": "On the task"}


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize("target", SECTIONS)
def test_the_page_has_the_fields_of_both_crms(crm: str, target: str) -> None:
    told = {(row[0], row[1], *code(row[2 + CRMS.index(crm)])) for row in rows(SECTIONS[target])}
    assert told == fields(crm, target)


@pytest.mark.parametrize("crm", CRMS)
def test_the_mappings_make_fields_on_no_other_kind_of_record(crm: str) -> None:
    mapping = mapping_of(crm)
    assert {target for target in mapping["write"] if fields(crm, target)} == set(SECTIONS)
