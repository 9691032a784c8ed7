"""Foreign text among ours: on one line, without marks that reorder or hide it, and cut without leaving half a character behind."""

import re
import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_ALSO_EXTENDING: Final = frozenset("\u200c\uff9e\uff9f")
"""Zero-width non-joiner, and the voicing marks of halfwidth Katakana: Unicode's annex 29 names them beside the marks."""
_UNSEEN: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the direction of what follows: in a customer's words they could reorder ours."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
"""Classes of Unicode's annex 9."""
_ISOLATE, _END = "\u2068", "\u2069"
"""What stands between these has a direction of its own, and turns nothing else."""
_FLAGS: Final = range(0x1F1E6, 0x1F200)
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_JAMO: Final = range(0x1160, 0x1200)
_TAGS: Final = range(0xE0020, 0xE0080)


def units(text: str) -> int:
    """Return the length in UTF-16 units. CRMs built on Java and JavaScript count these: most emoji are two."""
    return len(text) + sum(char > "\uffff" for char in text)


def one_line(text: str) -> str:
    """Return the text on one line, runs of white space as one space, without control characters and direction marks."""
    return " ".join("".join(map(_seen, text)).split())


_LONGEST_NAME: Final = 80
"""Characters of a person's name that is greeted: a field of a form has room for a page of advertising."""
_MOST_DIGITS: Final = 5
"""More of them are a telephone number."""
_LINK: Final = re.compile(
    r"://|@|\bwww\.|[^\W_]{2,}\.[^\W\d_]{2,}|\.\S+/|\b[a-z]{3,}:\S|(\d+\.){3}\d"
    r"|\b[^\W_]\.(cc|cn|com?|gg|io|ly|me|net|org|ru|to)\b",
    re.IGNORECASE,
)
_NO_PART: Final = (
    r"not provided|no (last |first )?name|(last|first) ?name|n/a|undefined|unknown|tb[acd]|x{2,}"
    r"|unbekannt|keine angabe|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|onbekend|okänd|ukjent|ukendt|tuntematon|ei tiedossa"
)
_NOT_PROVIDED: Final = re.compile(
    rf"\[\s*not provided\s*\]|^\W*(?:{_NO_PART})\W*(?=\s)|(?<=\s)\W*(?:{_NO_PART})\W*$|^\W+(?=\s)|(?<=\s)\W+$",
    re.IGNORECASE,
)
"""What Salesforce, and who fills it, writes where a last name must stand. "Null" and "Na" are names beside another."""
_NOT_KNOWN: Final = re.compile(
    rf"[\W\d_]*|\W*(\b({_NO_PART}|n\W?a|k\W?a|none|null|inconnue?)\b\W*)+",
    re.IGNORECASE,
)


def to_greet_by(name: str) -> str:
    """Return a person's name on one line; empty where there is none: where it is not known, is longer than names are, or holds a
    telephone number or something that a mail program could make a link of.

    Whoever fills in a form chooses the name, and would have us send their words on to whom they like.
    """
    full_name = one_line(name)
    if len(full_name) > 2 * _LONGEST_NAME:
        return ""
    line = one_line(_NOT_PROVIDED.sub(" ", full_name))
    plain = unicodedata.normalize("NFKC", line).replace("。", ".")
    digits = sum(char.isdigit() for char in plain)
    is_none = len(line) > _LONGEST_NAME or digits > _MOST_DIGITS or _LINK.search(plain) or _NOT_KNOWN.fullmatch(plain)
    return "" if is_none else line


_BREAKS: Final = (
    (re.compile(r"([:：﹕])(?=[/／\\\\]{2})"), r"\1 "),
    (re.compile(r"(?<=\S)([@＠﹫])(?=\S)"), r" \1 "),
    (re.compile(r"(?<=\S)([.․﹒．。｡])[\u00ad\u200b-\u200d\u2060]*(?=[^\W\d_]{2})"), r"\1 "),
)
"""Where a space keeps mail programs from making a link: behind a scheme, around the @, behind a dot of a domain."""


def without_links(text: str) -> str:
    """Return text in which no mail program finds an address to make a link of: spaces break addresses up, all else stays."""
    for place, broken in _BREAKS:
        text = place.sub(broken, text)
    return text


def isolated(text: str) -> str:
    """Return the text on one line as `one_line` does, to stand in a line of ours whichever way it is written.

    A name in Arabic or Hebrew would draw the numbers that follow it into its own direction.
    """
    line = one_line(text)
    turns = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line)
    return f"{_ISOLATE}{line}{_END}" if turns else line


def without_turns(text: str) -> str:
    """Return the text without the marks that turn the direction of what follows; white space stays."""
    return "".join(char for char in text if char not in _UNSEEN)


def _seen(char: str) -> str:
    if char.isspace():
        return " "
    return "" if char in _UNSEEN or unicodedata.category(char) in {"Cc", "Cs"} else char


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
