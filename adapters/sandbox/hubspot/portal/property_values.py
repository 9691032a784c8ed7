"""Property values: always strings on the wire; what is accepted, and in which form it is kept."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.sandbox.hubspot.errors import Invalid
from adapters.sandbox.hubspot.portal.schema import Property

LONGEST_TEXT = 65_536
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\Z")


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970; what is finer is dropped, as the vendor does."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The moment behind milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def iso(ms: int) -> str:
    """A moment as the wire writes it: `2026-01-05T10:00:00.123Z`, without the fraction when it is zero."""
    text = from_ms(ms).isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return text.removesuffix("+00:00") + "Z"


def parse_moment(text: str) -> int | None:
    """Milliseconds from text, either ISO 8601 or milliseconds already; None when it is neither.

    Fractions finer than milliseconds are not taken.
    """
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if not _ISO.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def number_text(text: str) -> str | None:
    """A number without exponent and without trailing zeros; None when it is none."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    plain = f"{number:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


def from_python(value: Any) -> str:
    """A Python value in the form of the wire; None and "" empty a property."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return iso(to_ms(value))
        case date():
            return value.isoformat()
        case int() | float() | Decimal():
            return number_text(str(value)) or str(value)
        case list() | tuple():
            return ";".join(from_python(part) for part in value)
    return str(value)


def as_number(spec: Property, text: str | None) -> float:
    """A value of a numeric or time property for comparing; NaN when there is none."""
    if text is None:
        return math.nan
    if spec.type in {"date", "datetime"}:
        ms = parse_moment(text)
        return math.nan if ms is None else float(ms)
    plain = number_text(text)
    return math.nan if plain is None else float(plain)


def check(spec: Property, text: str) -> str | Invalid:
    """The value as it is kept, or what is wrong with it; `text` is not empty."""
    checks = {"number": _number, "datetime": _datetime, "date": _date, "bool": _bool, "enumeration": _enumeration}
    return checks.get(spec.type, _text)(spec, text)


def not_an_option(spec: Property, text: str, allowed: Sequence[str]) -> Invalid:
    """The refusal of a value that is none of the options."""
    words = f"{text} was not one of the allowed options: [{', '.join(allowed)}]"
    return Invalid(spec.name, "INVALID_OPTION", words)


def _text(spec: Property, text: str) -> str | Invalid:
    if spec.is_email:
        return _email(spec, text)
    if len(text) > LONGEST_TEXT:
        words = f"{spec.name} has {len(text)} characters, at most {LONGEST_TEXT} are allowed."
        return Invalid(spec.name, "INVALID_LENGTH", words)
    return text


def _email(spec: Property, text: str) -> str | Invalid:
    folded = text.strip().lower()
    if not _EMAIL.match(folded):
        return Invalid(spec.name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return folded


def _number(spec: Property, text: str) -> str | Invalid:
    plain = number_text(text)
    return Invalid(spec.name, "INVALID_INTEGER", f"{text} was not a valid integer.") if plain is None else plain


def _datetime(spec: Property, text: str) -> str | Invalid:
    ms = parse_moment(text)
    return Invalid(spec.name, "INVALID_LONG", f"{text} was not a valid long.") if ms is None else iso(ms)


def _date(spec: Property, text: str) -> str | Invalid:
    ms = parse_moment(text)
    if ms is None:
        return Invalid(spec.name, "INVALID_DATE", f"{text} was not a valid date")
    if ms % _DAY_MS:
        at = from_ms(ms)
        clock = f"{at.hour}:{at.minute}:{at.second}.{at.microsecond // 1000}"
        return Invalid(spec.name, "INVALID_DATE", f"{text} is at {clock} UTC, not midnight!")
    return from_ms(ms).date().isoformat()


def _bool(spec: Property, text: str) -> str | Invalid:
    folded = text.lower()
    return folded if folded in {"true", "false"} else not_an_option(spec, text, ["true", "false"])


def _enumeration(spec: Property, text: str) -> str | Invalid:
    if spec.external:
        return text
    allowed = [option.value for option in spec.options]
    chosen = text.split(";") if spec.field_type == "checkbox" else [text]
    wrong = next((option for option in chosen if option and option not in allowed), None)
    return text if wrong is None else not_an_option(spec, wrong, allowed)
