"""Foreign text among ours: on one line, without marks that hide it or turn the direction of what follows."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the direction of what follows: in a customer's words they could reorder ours."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
"""Classes of Unicode's annex 9."""
_ISOLATE, _END = "\u2068", "\u2069"
"""What stands between these has a direction of its own, and turns nothing else."""


def one_line(text: str) -> str:
    """Return the text on one line, runs of white space as one space, without control characters and direction marks."""
    if not text.isprintable():  # what is printable has none of these, and no white space but the space
        text = "".join(map(_seen, text))
    return " ".join(text.split())


def isolated(text: str) -> str:
    """Return the text on one line as `one_line` does, to stand in a line of ours whichever way it is written.

    A name in Arabic or Hebrew would draw the numbers that follow it into its own direction.
    """
    line = one_line(text)
    turns = not line.isascii() and any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line)
    return f"{_ISOLATE}{line}{_END}" if turns else line


def without_turns(text: str) -> str:
    """Return the text without the marks that turn the direction of what follows; white space stays."""
    return "".join(char for char in text if char not in _UNSEEN)


def _seen(char: str) -> str:
    if char.isspace():
        return " "
    return "" if char in _UNSEEN or unicodedata.category(char) in {"Cc", "Cs"} else char
