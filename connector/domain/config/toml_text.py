"""The text of a file that an admin writes: read as TOML, or said at which line it is none. No error holds a value of it."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.errors import Problem, SettingsError

_HEADER: Final = re.compile(r"\s*\[+\s*([^\[\]]+?)\s*\]+")
_CURLY: Final = "“”„‟«»‘’‚‛"
_KEY: Final = r"([A-Za-z][\w.-]*)\s*=\s*"
_COMMA: Final = re.compile(_KEY + r"[-+]?[\d_]+,\d")
_QUOTES: Final = re.compile(_KEY + rf"(?:\[\s*)?(?:[{_CURLY}]|\"[^\"]*[{_CURLY}]\s*$)")
_REMEDY: Final = "Texts stand in quotes, and each key once, as key = value on a line of its own."
_NO_NUMBER: Final = "it is neither a number nor a date"
_REASONS: Final[Mapping[str, str]] = {
    "UnexpectedEofError": "a text has no end",
    "InvalidControlChar": "a text has no end on its line, or holds a character that cannot be seen",
    "InvalidNumberError": _NO_NUMBER,
    "InvalidNumberOrDateError": _NO_NUMBER,
    "InvalidDateError": _NO_NUMBER,
    "InvalidTimeError": _NO_NUMBER,
    "InvalidDateTimeError": _NO_NUMBER,
    "EmptyKeyError": "a name is missing",
    "EmptyTableNameError": "a name is missing",
}
"""By the types of tomlkit's errors."""
_ODD_CHARACTER: Final = "a character that may not stand there"
_OPEN: Final = "a list or a table has no end"
_TWICE: Final = "a key stands twice"


def read_toml_file(path: Path, name: str, *, absent: str) -> dict[str, Any]:
    """Return what a file says. `SettingsError`: it cannot be read; `absent` is the remedy where there is none."""
    problem, text = None, ""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem = Problem(name, "does not exist.", absent)
    except OSError as error:
        remedy = "Name the file itself, and let this user read it."
        problem = Problem(name, f"cannot be read: {error.strerror}.", remedy)
    except UnicodeDecodeError:
        problem = Problem(name, "is not UTF-8 text.", "Save it again as UTF-8.")
    if problem is not None:  # outside the handlers: what they caught may quote the file
        raise SettingsError([problem])
    return read_toml(text, name)


def read_toml(text: str, name: str) -> dict[str, Any]:
    """Return what a text says. `SettingsError`: it is not TOML, with the line; `name` is the file's."""
    values = _values(text)
    if values is None:
        raise SettingsError([_problem(text.replace("\r\n", "\n").split("\n"), name)])
    return values


def _values(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:  # its words quote the text, which may hold a secret
        return None


def _problem(lines: Sequence[str], name: str) -> Problem:
    place = _place(lines)
    for line in dict.fromkeys((place.line, place.begins)):
        if slip := _slip(lines[line]):
            key, what, remedy = slip
            return Problem(f"{name}: {_full(lines[:line], key)}", f"{what} (line {line + 1}).", remedy)
    column = f", column {place.column}" if place.column else ""
    return Problem(name, f"is not TOML at line {place.line + 1}{column}: {place.reason}.", _REMEDY)


# ── where, and what ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text is not TOML, and why. Lines are counted from 0, columns from 1; 0 is none."""

    begins: int
    """The line at which the statement begins."""
    line: int
    column: int
    reason: str


def _place(lines: Sequence[str]) -> _Place:
    """Return the first statement that is no TOML by itself, or else the first that says again what stands before it."""
    begins, ends = 0, [0]
    for end in range(1, len(lines) + 1):
        if _values("\n".join(lines[begins:end])) is not None:
            begins = end
            ends.append(end)
    if begins < len(lines):
        return _broken(lines, begins)
    first = bisect_left(ends, True, key=lambda end: _values("\n".join(lines[:end])) is None)
    line = ends[first - 1]
    header = _HEADER.match(lines[line])
    return _Place(line, line, 0, f"[{header[1]}] stands twice" if header else _TWICE)


def _broken(lines: Sequence[str], begins: int) -> _Place:
    import tomlkit  # noqa: PLC0415 - every command reads a file, and few find one that is not TOML
    from tomlkit import exceptions as tomlkit_errors  # noqa: PLC0415

    try:
        tomlkit.parse("\n".join(lines[begins:]))
    except tomlkit_errors.KeyAlreadyPresent:
        return _Place(begins, begins, 0, _TWICE)
    except tomlkit_errors.ParseError as error:
        reason = _REASONS.get(type(error).__name__, _ODD_CHARACTER)
        line = begins + error.line - 1
        if error.col and line < len(lines):
            return _Place(begins, line, error.col + 1, reason)
        return _Place(begins, begins, 0, _OPEN if reason == _ODD_CHARACTER else reason)
    except ValueError:
        return _Place(begins, begins, 0, "a number has too many digits")
    except tomlkit_errors.TOMLKitError:
        return _Place(begins, begins, 0, _ODD_CHARACTER)
    return _Place(begins, begins, 0, _ODD_CHARACTER)


# ── slips that everybody makes ───────────────────────────────────────────────────────────────────────────────────────


def _slip(line: str) -> tuple[str, str, str] | None:
    """Return the key, what is wrong and the remedy, where a line has curly quotes or a decimal comma."""
    if quotes := _QUOTES.search(line):
        remedy = f'Write straight quotes: {quotes[1]} = "…". A word processor makes curly ones; use a text editor.'
        return quotes[1], "stands in curly quotes", remedy
    if comma := _COMMA.search(line):
        number = line[comma.end(1) :].partition("=")[2].split()[0].rstrip("}],")
        return comma[1], "holds a decimal comma", f"Write a point: {comma[1]} = {number.replace(',', '.', 1)}."
    return None


def _full(before: Sequence[str], key: str) -> str:
    """Return a key with the table that it stands in."""
    headers = [header[1] for line in before if (header := _HEADER.match(line))]
    return f"{headers[-1]}.{key}" if headers else key
