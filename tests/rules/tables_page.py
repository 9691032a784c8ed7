"""Draws the tables in docs/tables.md from the schema: `.venv/bin/python -m tests.rules.tables_page` renews the page."""

import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Column, Table

from connector.store import tables
from connector.store.tables import metadata

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
COMMAND = ".venv/bin/python -m tests.rules.tables_page"
BEGIN, END = "<!-- drawn from the schema -->\n", "<!-- to here -->\n"
WIDTH = 100
TYPES = {"String": "text", "Text": "text", "Utc": "time", "Json": "json", "Float": "number"}
"""How the page words types; any other by its own name."""
NAMES_OF_ANYTHING = {"id", "key", "name", "connection", "version"}
"""Primary keys that do not say of what."""


class Relation(NamedTuple):
    """A column that holds what another table is known by."""

    table: str
    column: str
    target: str
    enforced: bool


def relations() -> Iterator[Relation]:
    """Yield the foreign keys, and the columns that are named for a table or for its key."""
    known = {key.name: table.name for table in metadata.tables.values() for key in _key_of_its_own(table)}
    for table in metadata.sorted_tables:
        for column in table.columns:
            enforced = [key.column.table.name for key in column.foreign_keys]
            stem, _, suffix = column.name.rpartition("_")
            named = stem if stem in metadata.tables and suffix in {"id", "ref", "refs"} else known.get(column.name)
            if enforced:
                yield Relation(table.name, column.name, enforced[0], enforced=True)
            elif named and named != table.name:
                yield Relation(table.name, column.name, named, enforced=False)


def _key_of_its_own(table: Table) -> list[Column[object]]:
    keys = list(table.primary_key.columns)
    return keys if len(keys) == 1 and keys[0].name not in NAMES_OF_ANYTHING else []


def groups() -> Mapping[str, tuple[str, list[Table]]]:
    """Return the tables of each module of the schema, under its name and with what it says of itself."""
    result: dict[str, tuple[str, list[Table]]] = {}
    for module in pkgutil.iter_modules(tables.__path__):
        loaded = importlib.import_module(f"{tables.__name__}.{module.name}")
        defined = [table for table in vars(loaded).values() if isinstance(table, Table)]
        if defined:
            result[module.name] = ((inspect.getdoc(loaded) or "").splitlines()[0], sorted(defined, key=_name))
    return result


def _name(table: Table) -> str:
    return table.name


def drawn() -> str:
    """Return what stands between the two marks of the page."""
    lines = ["## How they belong together", "", *_diagram(_lines_between(set(metadata.tables)))]
    for name, (summary, members) in groups().items():
        lines += ["", f"## {name.replace('_', ' ').capitalize()}", *textwrap.wrap(summary, WIDTH), ""]
        if explained := [f"- `{table.name}`: {table.comment}" for table in members if table.comment]:
            lines += [*(line for item in explained for line in textwrap.wrap(item, WIDTH, subsequent_indent="  ")), ""]
        within = _lines_between({table.name for table in members}, within=True)
        lines += _diagram([*(line for table in members for line in _entity(table)), *within])
    return "\n".join(lines) + "\n"


def _diagram(lines: list[str]) -> list[str]:
    return ["```mermaid", "erDiagram", *(f"    {line}" for line in lines), "```"]


def _lines_between(names: set[str], *, within: bool = False) -> list[str]:
    chosen = (each for each in relations() if each.target in names and (not within or each.table in names))
    return [
        f"{each.target} ||{'--' if each.enforced else '..'}o{{ {each.table} : {each.column}"
        for each in sorted(chosen, key=lambda each: (each.target, each.table, each.column))
    ]


def _entity(table: Table) -> Iterator[str]:
    yield f"{table.name} {{"
    for column in table.columns:
        kind = type(column.type).__name__
        words = [f"    {TYPES.get(kind, kind.lower())} {column.name}"]
        if marks := [mark for mark, is_so in (("PK", column.primary_key), ("FK", bool(column.foreign_keys))) if is_so]:
            words.append(", ".join(marks))
        notes = [*(["may be NULL"] if column.nullable else []), *([column.comment] if column.comment else [])]
        if notes:
            words.append('"' + "; ".join(notes).replace('"', "'") + '"')
        yield " ".join(words)
    yield "}"


def renewed(page: str) -> str:
    """Return the page with the tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, behind = rest.partition(END)
    return f"{before}{BEGIN}\n{drawn()}\n{END}{behind}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
