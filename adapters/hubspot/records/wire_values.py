"""Values and stamps, in HubSpot's form (text only) and in ours."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape, unescape
from typing import Any

from connector.errors import Bug


class RecordId(str):
    """A record's id, which sorts as the number that it is: ids of one object differ in their length."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return _number(self) < _number(other)

    def __le__(self, other: str) -> bool:
        return _number(self) <= _number(other)

    def __gt__(self, other: str) -> bool:
        return _number(self) > _number(other)

    def __ge__(self, other: str) -> bool:
        return _number(self) >= _number(other)


def _number(text: str) -> tuple[int, str]:
    digits = str.__str__(text).lstrip("0")
    return len(digits), digits


_FIRST_YEAR, _LATEST_YEAR = 1970, 4000
_FULL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def moment(text: str) -> datetime:
    """Return the instant of a stamp: ISO text, or milliseconds since 1970."""
    if text.isdigit():
        return datetime.fromtimestamp(int(text) // 1000, UTC).replace(microsecond=int(text) % 1000 * 1000)
    return datetime.fromisoformat(text).astimezone(UTC)


def is_stamp(text: Any) -> bool:
    """Tell whether this is the text of an instant that a record can have been changed at."""
    if not isinstance(text, str):
        return False
    try:
        return _FIRST_YEAR <= moment(text).year < _LATEST_YEAR
    except (ValueError, OverflowError, OSError):
        return False


def stamp(text: str) -> str:
    """Return a stamp with all its milliseconds, so that the order of texts is the order of time."""
    if _FULL.fullmatch(text):
        return text  # as nearly all are, and every record is asked for its stamp several times
    at = moment(text)
    return f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def millis(at: datetime) -> str:
    """Return an instant as filters take it, rounded down."""
    seconds = int(at.astimezone(UTC).replace(microsecond=0).timestamp())
    return str(seconds * 1000 + at.microsecond // 1000)


def to_wire(value: Any) -> str:
    """Return a value as HubSpot takes it; '' clears. `Bug`: a time without a zone, or something that no property can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Bug("a time without a zone cannot be written")
        return stamp(value.isoformat())
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return _plain_number(value)
    raise Bug(f"{type(value).__name__} has no form in HubSpot")


def to_html(text: str) -> str:
    """Return plain text for a property that is shown as HTML."""
    return escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li|h\d)>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def from_html(markup: Any) -> Any:
    """Return what an HTML property says as plain text, line by line: what `to_html` made comes back as it was."""
    if not isinstance(markup, str):
        return markup
    return unescape(_TAG.sub("", _LINE.sub("\n", markup)))


def _plain_number(value: float | Decimal) -> str:
    """Return a number without exponent and without zeros that say nothing."""
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise Bug(f"{value} is no number")
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_wire(value: Any) -> Any:
    """Return what was read; HubSpot gives '' for some empty values and null for others."""
    return None if value == "" else value
