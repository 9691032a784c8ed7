"""Text cut to a length, without leaving half a character behind."""

import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_ALSO_EXTENDING: Final = frozenset("\u200c\uff9e\uff9f")
"""Zero-width non-joiner, and the voicing marks of halfwidth Katakana: Unicode's annex 29 names them beside the marks."""
_FLAGS: Final = range(0x1F1E6, 0x1F200)
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_JAMO: Final = range(0x1160, 0x1200)
_TAGS: Final = range(0xE0020, 0xE0080)


def units(text: str) -> int:
    """Return the length in UTF-16 units. CRMs built on Java and JavaScript count these: most emoji are two."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def shorten(text: str, limit: int) -> str:
    """Return text as `cut` does, ending at a word where one ends in the second half of the room."""
    short = cut(text, limit)
    if short == text:
        return text
    kept = short.removesuffix(ELLIPSIS)
    if len(kept) < len(text) and not text[len(kept)].isspace():
        at = kept.rfind(" ")
        kept = kept[:at] if at > len(kept) // 2 else kept
    return kept.rstrip(" ,;:.") + ELLIPSIS if limit > 0 else ""


def cut(text: str, limit: int) -> str:
    """Return text of at most `limit` UTF-16 units; what had to be cut ends with "…", on a whole character as people see it."""
    if len(text) <= limit and units(text) <= limit:
        return text
    if limit <= 0:
        return ""
    end = _end(text, limit - 1)
    while end > 0 and not _boundary(text, end):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _end(text: str, room: int) -> int:
    """Return how many code points fit into `room` UTF-16 units."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if char > "\uffff" else 1
        if used > room:
            return index
    return len(text)


def _boundary(text: str, index: int) -> bool:
    """Whether a character as people see it ends before `index` (the practical part of Unicode's annex 29)."""
    before, after = text[index - 1], text[index]
    if before == _JOINER or _extends(after) or (before == "\r" and after == "\n"):
        return False
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, index) % 2 == 0
    return True


def _extends(char: str) -> bool:
    code = ord(char)
    return (
        char == _JOINER
        or char in _ALSO_EXTENDING
        or unicodedata.category(char) in {"Mn", "Mc", "Me"}
        or code in _SKIN_TONES
        or code in _JAMO
        or code in _TAGS
    )


def _flags_before(text: str, index: int) -> int:
    """Count the regional indicators that end at `index`: two of them make one flag."""
    start = index
    while start > 0 and ord(text[start - 1]) in _FLAGS:
        start -= 1
    return index - start
