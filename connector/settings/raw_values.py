"""What the admin wrote, in the file and in the environment, laid over each other; nothing is judged here but names.

A variable wins over the file. A secret may be named by a file of its own in either (`secret_file`, AFTERWORD_WEB__SECRET_FILE).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.domain.config.spelling import did_you_mean
from connector.errors import Problem
from connector.ports import AdapterPackage
from connector.settings.keys import KEYS, NAMED, PREFIX, SECTIONS, Key, KeyCatalogue, Loc, variable

Values = dict[str, Any]


@dataclass(slots=True)
class RawValues:
    """Raw values, with the places they came from where that is not the key itself in the file."""

    name: str
    """The file's name as the user gave it."""
    base: Path
    keys: KeyCatalogue
    values: Values = field(default_factory=dict)
    origins: dict[Loc, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unread: set[Loc] = field(default_factory=set)
    """Secrets whose files could not be read: reported once, and then counted as given."""

    def where(self, loc: Loc) -> str:
        """Say where a value stands, so that an admin finds it."""
        for place, origin in self.origins.items():
            if loc[: len(place)] == place:
                return origin
        return f"{self.name}: {'.'.join(loc)}"

    def complain(self, loc: Loc, what: str, remedy: str) -> None:
        """Note a problem with what stands at a place, once."""
        problem = Problem(where=self.where(loc), what=what, remedy=remedy)
        if all((other.where, other.what) != (problem.where, what) for other in self.problems):
            self.problems.append(problem)


def written(
    values: Values,
    environ: Mapping[str, str],
    *,
    name: str,
    base: Path,
    adapters: Mapping[str, AdapterPackage[Any]],
) -> RawValues:
    """Lay the environment over the file's values and read the files that hold secrets."""
    result = RawValues(name=name, base=base, keys=KeyCatalogue(adapters, values), values=values)
    for variable_name in sorted(environ, key=_adapters_first):
        if variable_name.startswith(PREFIX):
            _take_variable(result, variable_name, environ[variable_name])
    _create_named(result)
    _read_secret_files(result)
    return result


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────


def _adapters_first(variable_name: str) -> tuple[bool, str]:
    """Which keys a connection has depends on its adapter."""
    return not variable_name.endswith("__ADAPTER"), variable_name


def _take_variable(result: RawValues, name: str, text: str) -> None:
    parts = tuple(name.removeprefix(PREFIX).lower().split("__"))
    if len(parts) == 1 and parts not in KEYS:
        _single_underscore(result, name)
        return
    loc = _named_in_file(result.values, parts)
    key = result.keys.exact(loc) or _file_key(result.keys, loc)
    if key is None:
        result.problems.append(_unknown_variable(result.keys, name, loc))
        return
    if key.kind == "list" and not text.strip():
        return  # a blank variable is how deployments pass on what is not set; "nothing" is written []
    value = _value(text, key.kind)
    if value == [] and "[" not in text:
        remedy = "Write elements between commas, [] for none of them, or leave the variable blank."
        result.problems.append(Problem(f"environment: {name}", "is a list of nothing.", remedy))
        return
    table = _table(result.values, loc[:-1])
    if table is None:
        return  # the file has something else in the table's place, which is reported as a wrong type
    table.pop(_other_way(loc[-1]), None)
    table[loc[-1]] = value
    result.origins[loc] = f"environment: {name}"


def _single_underscore(result: RawValues, name: str) -> None:
    meant = {key.variable.replace("__", "_"): key.variable for key in KEYS.values() if key.secret}
    if name in meant:
        result.problems.append(Problem(f"environment: {name}", "is not a setting.", f"Did you mean {meant[name]}?"))


def _named_in_file(values: Values, parts: Loc) -> Loc:
    if parts[0] not in NAMED:
        return parts
    there = values.get(parts[0])
    names = {str(name).replace("-", "_"): str(name) for name in there} if isinstance(there, dict) else {}
    return (parts[0], names.get(parts[1], parts[1].replace("_", "-")), *parts[2:])


def _file_key(keys: KeyCatalogue, loc: Loc) -> Key | None:
    """The secret that a ``*_file`` key stands for."""
    key = keys.exact((*loc[:-1], loc[-1].removesuffix("_file")))
    return key if key is not None and key.secret else None


def _other_way(key: str) -> str:
    return key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"


def _unknown_variable(keys: KeyCatalogue, name: str, loc: Loc) -> Problem:
    names = keys.names_in(loc[:-1])
    hint = did_you_mean(loc[-1], names) if names else did_you_mean(loc[0], SECTIONS)
    return Problem(f"environment: {name}", "is not a setting.", f"Remove it or correct its name.{hint}")


def _table(values: Values, loc: Loc) -> Values | None:
    for part in loc:
        found = values.setdefault(part, {})
        if not isinstance(found, dict):
            return None
        values = found
    return values


def _value(text: str, kind: str) -> Any:
    """A variable holds text as it is, and numbers, lists and tables as TOML writes them; a list may also stand between commas."""
    if kind == "text":
        return text
    try:
        found = tomllib.loads(f"value = {text}")
    except ValueError:
        found = {}
    if list(found) == ["value"] and (kind != "list" or isinstance(found["value"], list)):
        return found["value"]
    return [part.strip() for part in text.split(",") if part.strip()] if kind == "list" else text


def _create_named(result: RawValues) -> None:
    """A connection, survey or follow-up of the environment alone needs the key without which it is none."""
    for section, anchor in NAMED.items():
        for name, table in _tables_in(result.values, section):
            given = [loc for loc in result.origins if loc[:2] == (section, name)]
            if len(given) == len(table) and given and anchor not in table:
                del result.values[section][name]
                others = ", ".join(result.values[section]) or "none"
                needed = variable((section, name, anchor))
                result.complain(
                    given[0],
                    f"belongs to [{section}.{name}], which {result.name} does not have (it has: {others}).",
                    f"Correct the name, or set {needed} too.",
                )


def _tables_in(values: Values, section: str) -> list[tuple[str, Values]]:
    there = values.get(section)
    if not isinstance(there, dict):
        return []
    return [(name, table) for name, table in there.items() if isinstance(table, dict)]


# ── secrets in files ─────────────────────────────────────────────────────────────────────────────────────────────────


def _read_secret_files(result: RawValues) -> None:
    for key in KEYS.values():
        if key.secret:
            for table in _places(result.values, key.loc[:-1]):
                _read_secret_file(result, (*table, key.loc[-1]))
    for name, _ in _tables_in(result.values, "crm"):
        for key in result.keys.of_connection(name).values():
            if key.secret:
                _read_secret_file(result, ("crm", name, *key.loc[2:]))


def _places(values: Values, table: Loc) -> list[Loc]:
    if table[0] in NAMED:
        return [(table[0], name, *table[2:]) for name, _ in _tables_in(values, table[0])]
    return [table]


def _read_secret_file(result: RawValues, loc: Loc) -> None:
    table: Any = result.values
    for part in loc[:-1]:
        table = table.get(part) if isinstance(table, dict) else None
    file_loc = (*loc[:-1], f"{loc[-1]}_file")
    if not isinstance(table, dict) or file_loc[-1] not in table:
        return
    path = table.pop(file_loc[-1])
    if loc[-1] in table:
        result.complain(file_loc, f"stands beside {loc[-1]}.", "Keep one of the two.")
        return
    result.origins[loc] = result.where(file_loc)
    read = _contents(result.base, path)
    table[loc[-1]] = None if isinstance(read, _Unreadable) else read
    if isinstance(read, _Unreadable):
        result.unread.add(loc)
        what = f"names a file that cannot be read: {read.named}{read.why}."
        remedy = f"Write the path of a text file with the secret in it; relative paths start at {result.base}."
        result.complain(file_loc, what, read.remedy or remedy)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Why the file of a secret gives none."""

    named: str
    why: str
    remedy: str = ""


def _contents(base: Path, path: object) -> "str | _Unreadable":
    if not isinstance(path, str) or not path:
        return _Unreadable("", "it is no path")
    named = f"{path} " if _is_name_of_file(base, path) else ""
    try:
        text = (base / path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return _Unreadable(named, "does not exist" if named else "there is none of this name")
    except IsADirectoryError:
        return _Unreadable(named, "is a folder")
    except PermissionError:
        remedy = f"Let the user who runs Afterword read it: chown or chmod {path}."
        return _Unreadable(named, "may not be read by this user", remedy if named else "")
    except UnicodeDecodeError:
        return _Unreadable(named, "is not UTF-8 text", "Save it as UTF-8 text, with nothing but the secret in it.")
    except (OSError, ValueError) as error:
        return _Unreadable(named, getattr(error, "strerror", None) or "it is no path")
    return text.removesuffix("\n").removesuffix("\r")


_FILE = re.compile(r"[\w./\\:-]{1,100}\.(txt|key|pem|secret|token|pwd|password)")


def _is_name_of_file(base: Path, path: str) -> bool:
    """Tell whether a path may be shown: a secret that was pasted into the wrong key is not there, and does not look like one."""
    try:
        there = (base / path).exists()
    except (OSError, ValueError):
        there = False
    return there or _FILE.fullmatch(path) is not None
