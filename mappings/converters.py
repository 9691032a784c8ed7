"""Pure pairs of functions between a CRM's value and ours. `read` and `write` both keep None: it means "empty", or "clear it".

Every function raises `MappingError` (its `field` is filled in by whoever knows the field) instead of guessing: text that is no number
is never 0, a moment without a zone is never taken for UTC.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from connector.domain.text_cutting import cut
from connector.errors import MappingError
from connector.model import Ref, ascii_domain, normalized_address, storable_text
from mappings.languages import language_tag

Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Converter:
    """How values of one type come in and go out."""

    read: Read
    write: Callable[[Any], Any]


_LONGEST_SHOWN: Final = 80
_LONGEST_ID: Final = 255


def _bad(value: object, expected: str) -> MappingError:
    try:
        shown = cut(repr(value), _LONGEST_SHOWN)
    except (ValueError, RecursionError):  # a number of too many digits, lists in lists without end
        shown = f"a {type(value).__name__} that cannot be shown"
    return MappingError(f"{shown} is not {expected}.", field="", value=value)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_text(value: Any) -> str | None:
    """Return trimmed text of whole characters; None for what is empty, since CRMs do not tell "" from empty."""
    if value is None:
        return None
    if type(value) is not str:
        value = _as_text(value)
    # What nearly every text is needs no further look; it is looked at for every field of every record.
    if value.isascii() and "\0" not in value:
        return value.strip() or None
    return storable_text(value).strip() or None


def _as_text(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):
        raise _bad(value, "a text") from None


def read_id(value: Any) -> str | None:
    """Return the id that a lookup holds. Text that is too long for one is refused: no index of a database would take it."""
    text = read_text(value)
    if text is not None and len(text) > _LONGEST_ID:
        raise _bad(value, "an id")
    return text


def read_shown(value: Any) -> Any:
    """Return what a field of ours shows, as it is; what no field of a CRM can hold is compared by its text."""
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return _as_text(value)


def read_shown_box(value: Any) -> Any:
    """Return what a checkbox of ours shows; None for one that is not ticked, which is as if nothing stood there."""
    is_unticked = value is False or (isinstance(value, str) and value.strip().lower() == "false")
    return None if is_unticked else read_shown(value)


def text(limit: int | None = None) -> Converter:
    """Text of at most `limit` UTF-16 units (what CRMs count in), cut between characters with "…"."""

    def write(value: Any) -> str | None:
        clean = read_text(value)
        return clean if clean is None or limit is None else cut(clean, limit)

    return Converter(read_text, write)


def picklist(options: Sequence[str] = ()) -> Converter:
    """One option, by its API value. With `options`, nothing else is written."""

    def write(value: Any) -> str | None:
        clean = read_text(value)
        if clean is not None and options and clean not in options:
            raise _bad(clean, f"one of {', '.join(map(repr, options))}")
        return clean

    return Converter(read_text, write)


# An address as people type it; quoted local parts and comments exist only in the standard.
_EMAIL: Final = re.compile(r"[^\s@,;:<>()\[\]\"\\]{1,64}@[^\s@,;:<>()\[\]\"\\/]+\.[^\s@.,;:<>()\[\]\"\\/]{2,}")


def read_email(value: Any) -> str | None:
    """Return the address (`normalized_address`); None when it is empty or no address, or no mail can go to its domain.

    With a piece that is no character left out it might be somebody else's.
    """
    address = read_text(value)
    if address is None:
        return None
    written = _as_text(value)
    if storable_text(written) != written or len(address) > 254 or ".." in address or not _EMAIL.fullmatch(address):
        return None
    try:
        ascii_domain(address.rpartition("@")[2])
    except ValueError:
        return None
    return normalized_address(address) if address.isprintable() else None


def read_language(value: Any) -> str | None:
    """Return a BCP 47 tag for a tag, a locale (``en_US``) or a language's name; None when it is none of these."""
    name = read_text(value)
    return language_tag(name) if name else None


# ── numbers and booleans ─────────────────────────────────────────────────────────────────────────────────────────────

_MOST_DIGITS: Final = 300
_LARGEST: Final = 10**_MOST_DIGITS
"""More than any number that a CRM keeps, and as much as can be counted with."""
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def read_number(value: Any) -> int | float | None:
    """Return a finite number, from a number or its plain notation. '' is empty, never 0; "1,800.00" is refused."""
    if value is None:
        return None
    if type(value) is int:
        if abs(value) < _LARGEST:
            return value
        raise _bad(value, "a number")
    if isinstance(value, str):
        return _parse_number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not isfinite(value):
        raise _bad(value, "a number")
    return value if isinstance(value, float) else float(value)


def _parse_number(value: str) -> int | float | None:
    digits = value.strip()
    if not digits:
        return None
    if not _NUMBER.fullmatch(digits) or not digits.isascii():
        raise _bad(value, "a number")
    if len(digits) > _MOST_DIGITS:
        raise _bad(value, "a number")
    if digits.lstrip("+-").isdigit():
        return int(digits)
    number = float(digits)
    if not isfinite(number):
        raise _bad(value, "a number")
    return number


def rounded(value: float | str | Decimal, scale: int) -> Decimal:
    """Round half away from zero, as people and CRMs do."""
    try:
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise _bad(value, f"a number with {scale} decimals") from None


def number(scale: int | None = None, precision: int | None = None) -> Converter:
    """Numbers, written with at most `scale` decimals and `precision` digits in all. Whole numbers are written as int."""

    def write(value: Any) -> int | float | None:
        plain = read_number(value)
        if plain is None:
            return None
        exact = Decimal(str(plain)) if scale is None else rounded(plain, scale)
        if precision is not None and abs(exact) >= Decimal(10) ** (precision - (scale or 0)):
            raise _bad(value, f"a number of at most {precision} digits")
        return int(exact) if exact == exact.to_integral_value() else float(exact)

    return Converter(read_number, write)


_WORDS: Final = {"true": True, "false": False, "": None}


def read_boolean(value: Any) -> bool | None:
    """Return a boolean from a boolean or the words true and false."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise _bad(value, "true or false")


def _write_boolean(value: Any) -> bool:
    return bool(read_boolean(value))  # a checkbox cannot be empty: clearing one is unticking it


boolean: Final = Converter(read_boolean, _write_boolean)


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


_FIRST_YEAR: Final = 1600
_LAST_YEAR: Final = 4000
"""What CRMs take; beyond them, no delay can be added to a moment, and no zone be applied to it."""


def read_datetime(value: Any) -> datetime | None:
    """Return the moment in UTC with all its digits. Text without a zone is refused. Digits alone are milliseconds since 1970."""
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else _parse_datetime(value)
    except (ValueError, OverflowError, AttributeError, TypeError, OSError):
        raise _bad(value, "a date and time") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise _bad(value, "a date and time that can be counted with")
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise _bad(value, "a date and time with its zone")
    return moment.astimezone(UTC)


def _parse_datetime(value: str) -> datetime:
    if value.isdigit() and len(value) > 8:  # eight digits are a day, in ISO's basic form
        return datetime.fromtimestamp(int(value) // 1000, UTC).replace(microsecond=int(value) % 1000 * 1000)
    if len(value) < 16:
        raise ValueError(value)
    return datetime.fromisoformat(value)


def _write_datetime(value: Any) -> str | None:
    moment = read_datetime(value)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


datetimes: Final = Converter(read_datetime, _write_datetime)
"""Moments. Written to the second, the finest that every CRM keeps."""


def read_date(value: Any) -> date | None:
    """Return a calendar day, which has no zone. A moment is refused: its day depends on where one stands."""
    if value is None or value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
    except (ValueError, TypeError):
        pass  # said below, in words that name the value
    raise _bad(value, "a date (YYYY-MM-DD)")


def _write_date(value: Any) -> str | None:
    """An aware datetime is written as its day in its own zone: hand it over in the zone of whoever will read it."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _bad(value, "a date and time with its zone")
        value = value.date()
    day = read_date(value)
    return None if day is None else day.isoformat()


dates: Final = Converter(read_date, _write_date)


def read_moment_of_day(value: Any) -> datetime | None:
    """Return 00:00 UTC of a day, for a moment of which the CRM keeps the day alone."""
    day = read_date(value)
    return None if day is None else read_datetime(datetime.combine(day, time(), UTC))


# ── lookups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_reference(value: Any) -> str | None:
    return value.id if isinstance(value, Ref) else read_text(value)


reference: Final = Converter(read_text, _write_reference)


# ── by name ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _iso(read: Callable[[Any], date | None]) -> Read:
    def fact(value: Any) -> str | None:
        date_value = read(value)
        return None if date_value is None else date_value.isoformat()

    return fact


FACTS: Final[dict[str, Read]] = {
    "text": read_text,
    "number": read_number,
    "boolean": read_boolean,
    "date": _iso(read_date),
    "datetime": _iso(read_datetime),
}
"""How a fact is read, by an admin's `as` or by the CRM's declared type; times become ISO text."""


def fact_type(kind: str) -> str:
    """Return as what a fact of a field's type is read."""
    return kind if kind in FACTS else "text"


def fact(kind: str) -> Read:
    """Return how a fact of this type is read; types without a rule of their own are text."""
    return FACTS.get(kind, read_text)
