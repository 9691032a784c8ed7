"""People's names as mails greet them, and text in which no mail program finds a link: whoever fills in a form chooses both."""

import re
import unicodedata
from typing import Final

from connector.domain.text_direction import one_line

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
