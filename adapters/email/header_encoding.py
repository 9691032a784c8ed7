"""Header fields as bytes, written by us from the first letter to the last.

The standard library reads a text before it writes it: it decodes encoded words (RFC 2047) in names and subjects, and Python before
3.11.10 and 3.12.5 then writes the line ends in them out as they are (CVE-2024-6923); it folds long names so that quotation marks come
apart. Names, subjects and addresses are chosen by whoever fills in a form, so none of them goes through it. What is written here is
read once more before it is sent, by `check_head`.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

LINE: Final = 76
"""Characters of a line: RFC 2047 allows no more where there are encoded words."""
_ENCODED_WORD: Final = 75
_LONGEST_WORD: Final = 60
"""A longer word of plain text is encoded, so that it can be divided."""
_DIRECTION: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the direction of what follows: in a name they could reorder the words around it."""
_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_QUOTABLE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~. -]+")
"""What stands between quotation marks without a backslash; anything else is encoded, where no reader can take it for structure."""
_AS_IT_IS: Final = re.compile(r"[A-Za-z0-9!*+/-]")
"""What RFC 2047 lets stand in the Q encoding wherever the encoded word is (§5 (3))."""
_FIELD: Final = re.compile(r"([!-9;-~]+): (\S.*|)", re.DOTALL)
_WORD: Final = re.compile(r"=\?utf-8\?([bq])\?([!->@-~]+)\?=")
_QUOTED: Final = re.compile(r'"[^"\\]*"')


class BadHeader(Exception):
    """What was written is not the header that was meant."""


def one_line(text: str) -> str:
    """Return the text on one line, without control characters, direction marks and halves of characters."""
    return " ".join("".join(map(_harmless, text)).split())


def _harmless(char: str) -> str:
    if char.isspace():
        return " "
    return "" if char in _DIRECTION or unicodedata.category(char) in {"Cc", "Cs"} else char


def text_field(name: str, text: str) -> str:
    """Return a header field that holds text, such as Subject. It always begins on the line of its name."""
    shown = one_line(text)
    if not _is_plain(shown):
        return f"{name}: {_folded(encoded_words(shown, first=LINE - len(name) - 2))}"
    lines = [f"{name}:"]
    for word in shown.split(" "):
        if len(lines[-1]) + 1 + len(word) > LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)


def mailbox_field(name: str, shown_name: str, address: str) -> str:
    """Return a header field that holds one mailbox. The address is one that `address.envelope_address` gave."""
    phrase = _phrase(one_line(shown_name), first=LINE - len(name) - 2)
    if not phrase:
        return f"{name}: <{address}>"
    field = f"{name}: {phrase}"
    room = LINE - len(field.rpartition("\r\n")[2])
    return f"{field}{' ' if len(address) + 3 <= room else _FOLD}<{address}>"


def encoded_words(text: str, *, first: int) -> list[str]:
    """Return the text as encoded words (RFC 2047), whole characters in each; the first has at most `first` characters."""
    encode = min(_q, _b, key=lambda encoding: len(encoding(text)))
    words, taken, room = [], "", first
    for char in text:
        if len(encode(taken + char)) > room:
            words.append(encode(taken))
            taken, room = "", _ENCODED_WORD
        taken += char
    return [*words, encode(taken)]


_FOLD: Final = "\r\n "


def _folded(words: Sequence[str]) -> str:
    return _FOLD.join(words)


def _phrase(name: str, *, first: int) -> str:
    if not name:
        return ""
    if _is_plain(name) and all(_ATOM.fullmatch(word) for word in name.split(" ")) and len(name) <= first:
        return name
    if _is_plain(name) and _QUOTABLE.fullmatch(name) and len(name) + 2 <= first:
        return f'"{name}"'
    return _folded(encoded_words(name, first=first))


def _is_plain(text: str) -> bool:
    """Tell whether text may stand as it is: nobody could read an encoded word in it, and it can be folded at its spaces."""
    return (
        text.isascii() and "=?" not in text and "?=" not in text and all(len(w) <= _LONGEST_WORD for w in text.split())
    )


def _b(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def _q(text: str) -> str:
    return f"=?utf-8?q?{''.join(map(_q_character, text))}?="


def _q_character(char: str) -> str:
    if _AS_IT_IS.fullmatch(char):
        return char
    return "_" if char == " " else "".join(f"={byte:02X}" for byte in char.encode())


# ── the second look ──────────────────────────────────────────────────────────────────────────────────────────────────


def check_head(head: bytes, *, names: Sequence[str], recipient: str, utf8: bool) -> None:
    """Read a header as a mail program would, knowing nothing of how it was made.

    Raises `BadHeader` unless it has exactly these fields in this order, no control characters, plain or encoded, nothing outside ASCII
    (but where `utf8`), and one address in To: the recipient's.
    """
    if not utf8 and not head.isascii():
        raise BadHeader("it has letters outside ASCII")
    fields = list(_fields(head))
    if [name for name, _ in fields] != list(names):
        raise BadHeader(f"it has the fields {', '.join(name for name, _ in fields)}")
    for name, value in fields:
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value + _decoded(value)):
            raise BadHeader(f"{name} has control characters")
    if addresses(dict(fields)["To"]) != [recipient]:
        raise BadHeader("To does not hold the recipient's address alone")


def addresses(value: str) -> list[str]:
    """Return the addresses in an unfolded field. Raises `BadHeader` where there is more to it than names and addresses."""
    outside = _QUOTED.sub("", _WORD.sub("", value))
    in_brackets = re.findall(r"<([^<>\s]*)>", outside)
    rest = re.sub(r"<[^<>\s]*>", "", outside)
    if not all(_ATOM.fullmatch(word) for word in rest.split()):
        raise BadHeader("names in it have special characters")
    return in_brackets


def _fields(head: bytes) -> Iterator[tuple[str, str]]:
    """Yield names and unfolded values."""
    if not head.endswith(b"\r\n") or b"\r\n\r\n" in head:
        raise BadHeader("it ends too early")
    try:
        text = head[:-2].decode()
    except UnicodeDecodeError as error:
        raise BadHeader("it is not UTF-8") from error
    for field in re.split(r"\r\n(?![ \t])", text):
        match = _FIELD.fullmatch(re.sub(r"\r\n(?=[ \t])", "", field))
        if match is None:
            raise BadHeader("a line of it is no field")
        yield match[1], match[2]


def _decoded(value: str) -> str:
    return "".join(_word(match[1], match[2]) for match in _WORD.finditer(value))


def _word(encoding: str, text: str) -> str:
    try:
        if encoding == "b":
            return base64.b64decode(text, validate=True).decode()
        return binascii.a2b_qp(text, header=True).decode()
    except ValueError as error:
        raise BadHeader("an encoded word cannot be read") from error
