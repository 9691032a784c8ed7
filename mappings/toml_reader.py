"""Walking through parsed TOML and noting everything that is wrong on the way, each with its key and a remedy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from connector.errors import Problem

T = TypeVar("T")
_WORDS = {str: "text in quotes", bool: "true or false", int: "a whole number", dict: "a table", list: "a list"}
PATH = re.compile(r"[A-Za-z_][\w.:-]*")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def did_you_mean(word: str, known: list[str]) -> str:
    """Return a sentence with the closest known word, or with all of them."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known here: {', '.join(sorted(known))}." if known else "Delete it."


@dataclass(slots=True)
class TomlTable:
    """One table of the file. The keys that were asked for are the known ones; `done` complains about the others."""

    data: dict[str, Any]
    key: str
    file: str
    problems: list[Problem]
    _known: list[str] = field(default_factory=list)

    def problem(self, key: str, what: str, remedy: str) -> None:
        """Note what is wrong at a key below this table ('' means the table itself)."""
        self.problems.append(Problem(f"{self.file}: {self.at(key)}", what, remedy))

    def at(self, key: str) -> str:
        """Return the full key of something below this table."""
        return ".".join(part for part in (self.key, key) if part)

    def has(self, key: str) -> bool:
        """Tell if the key is there, and count it as known."""
        self._known.append(key)
        return key in self.data

    def value(self, key: str, kind: type[T], *, required: bool = False) -> T | None:
        """Return the value if it is there and of this type, or note why not."""
        if not self.has(key):
            if required:
                self.problem(key, "is missing.", f"Add it: {_WORDS[kind]}.")
            return None
        found = self.data[key]
        if isinstance(found, kind) and not (kind is int and isinstance(found, bool)):
            return found
        self.problem(key, f"is {found!r}.", f"Write {_WORDS[kind]}.")
        return None

    def text(self, key: str, *, required: bool = False) -> str:
        """Return text, '' where it is not there or wrong."""
        found = self.value(key, str, required=required)
        if found is not None and not found.strip():
            self.problem(key, "is empty.", "Fill it in, or delete the line.")
        return (found or "").strip()

    def flag(self, key: str) -> bool:
        """Return a boolean; absent means false."""
        return bool(self.value(key, bool))

    def table(self, key: str, *, required: bool = False) -> "TomlTable | None":
        """Return a table below this one."""
        found = self.value(key, dict, required=required)
        return None if found is None else self.below(key, found)

    def below(self, key: str, data: dict[str, Any]) -> "TomlTable":
        """Return data as a table whose problems are named by this key."""
        return TomlTable(data, self.at(key), self.file, self.problems)

    def each(self, key: str) -> Iterator[tuple[str, Any]]:
        """Yield one value or the values of a list, each with its key."""
        if not self.has(key):
            return
        found = self.data[key]
        if not isinstance(found, list):
            yield key, found
            return
        for index, item in enumerate(found):
            yield f"{key}[{index}]", item

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self.value(key, list) or []
        if any(not isinstance(item, str) or not item.strip() for item in found):
            self.problem(key, "holds something that is not text.", "Write a list of texts in quotes.")
            return ()
        return tuple(found)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.data:
            if key not in self._known:
                self.problem(key, "is not known here.", did_you_mean(key, self._known))
