"""Record ids: 15 characters that tell case, or 18 with a checksum for systems that do not."""

import itertools
import re

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CAPITALS = str.maketrans({digit: str(int(digit.isupper())) for digit in _DIGITS})
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?\Z")
_POD = "Kx0"


def to_18(record_id: str) -> str:
    """The 18-character form: one checksum character per five, its bits telling which of them are capitals.

    What has not the shape of an id is returned as it is.
    """
    if _SHAPE.match(record_id) is None:
        return record_id
    core = record_id[:15]
    bits = core.translate(_CAPITALS)[::-1]
    return f"{core}{_ALPHABET[int(bits[10:], 2)]}{_ALPHABET[int(bits[5:10], 2)]}{_ALPHABET[int(bits[:5], 2)]}"


def well_formed(text: str) -> bool:
    """Whether `text` has the shape of an id, with a right checksum if it has one."""
    return _SHAPE.match(text) is not None and (len(text) == 15 or to_18(text) == text)


class IdSequence:
    """New ids, ascending within each key prefix, as 18 characters."""

    def __init__(self) -> None:
        self._counters: dict[str, itertools.count[int]] = {}

    def next(self, prefix: str) -> str:
        """The next id of the object whose key prefix is given."""
        counter = self._counters.setdefault(prefix, itertools.count(1))
        return to_18(f"{prefix}{_POD}{_base62(next(counter)):0>9}")


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits
