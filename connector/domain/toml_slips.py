"""Slips in a TOML file that the parser only tells the place of: a decimal comma, curly quotes."""

import re
from dataclasses import dataclass
from typing import Final

_CURLY: Final = "“”„‟«»‘’‚‛"
_PLACE: Final = re.compile(r"\(at line (\d+)")
_HEADER: Final = re.compile(r"\s*\[+\s*([^\[\]]+?)\s*\]+")
_KEY: Final = r"([A-Za-z][\w.-]*)\s*=\s*"
_COMMA: Final = re.compile(_KEY + r"[-+]?[\d_]+,\d")
_QUOTES: Final = re.compile(_KEY + rf"(?:\[\s*)?(?:[{_CURLY}]|\"[^\"]*[{_CURLY}]\s*$)")
NUMBER: Final = re.compile(r"\s*[-+]?\d+,\d+\s*")
"""Text that is a number to whoever writes a comma."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong at which key, with what to do. It holds nothing of a value but a number."""

    key: str
    what: str
    remedy: str


def slip(text: str, message: str) -> Slip | None:
    """Return what is likely wrong on the line that the parser's message names; None when it looks like neither."""
    place = _PLACE.search(message)
    lines = text.splitlines()
    number = int(place[1]) if place else len(lines)
    # A text that is never ended is told of on the line behind it.
    for at in (number, number - 1):
        if 0 < at <= len(lines) and (found := _on(lines[at - 1])) is not None:
            key, what, remedy = found
            return Slip(_full(lines[: at - 1], key), f"{what} (line {at}).", remedy)
    return None


def _on(line: str) -> tuple[str, str, str] | None:
    if found := _QUOTES.search(line):
        remedy = f'Write straight quotes: {found[1]} = "…". A word processor makes curly ones; use a text editor.'
        return found[1], "stands in curly quotes", remedy
    if found := _COMMA.search(line):
        given = line[found.end(1) :].partition("=")[2].split()[0].rstrip("}]")
        return found[1], "holds a decimal comma", f"Write a point: {found[1]} = {given.replace(',', '.', 1)}."
    return None


def _full(before: list[str], key: str) -> str:
    """Return a key with the table that it stands in."""
    headers = [found[1] for line in before if (found := _HEADER.match(line))]
    return f"{headers[-1]}.{key}" if headers else key
