"""Single values: from JSON or Python to the form they are stored and sent in, and the limits a field sets."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.sandbox.salesforce.errors import RowError, unparsable
from adapters.sandbox.salesforce.org.ids import to_18, well_formed
from adapters.sandbox.salesforce.org.schema import NUMBER_TYPES, TEXT_TYPES, Field

_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\".]+(?:\.[^@\s,;<>()\".]+)+\Z")
_INT_MAX = 2**31 - 1
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)\Z")
_WORDS = {"int": "int", "date": "date", "datetime": "datetime", "boolean": "boolean"}


def stamp(moment: datetime) -> str:
    """A datetime as the wire writes it: UTC, whole seconds, `.000+0000`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment_of(text: str) -> datetime:
    """The datetime behind a stamp."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def parse_datetime(text: str) -> datetime | None:
    """An aware datetime from any form the vendor reads; None when it has no zone or is none at all."""
    if "T" not in text or not _OFFSET.search(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def from_python(value: Any) -> Any:
    """What the Python interface may be given for a value (datetime, date, Decimal), in wire form."""
    if type(value) is str:  # by far the most, and worth asking first when a million records are loaded
        return value
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def from_json(field: Field, value: Any) -> Any:
    """A JSON value in stored form: types are strict, text is trimmed, "" is null.

    Raises RequestError (JSON_PARSER_ERROR) for a value of the wrong JSON type.
    """
    if value is None:
        return None
    if field.type in TEXT_TYPES:
        return _text(value)
    if field.type in NUMBER_TYPES:
        return _number(field, value)
    return _READERS[field.type](value)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise unparsable("string", _shape(value), value)
    return value.strip() or None


def _number(field: Field, value: Any) -> Any:
    kind = "int" if field.type == "int" else "double"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unparsable(kind, _shape(value), value)
    if field.type == "int":
        if value != int(value):
            raise unparsable("int", "VALUE_NUMBER_FLOAT", value)
        return int(value)
    return float(round_half_up(value, field.scale))


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise unparsable("boolean", _shape(value), value)
    return value


def _date(value: Any) -> str | None:
    if value == "":
        return None
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise unparsable("date", _shape(value), value)


def _datetime(value: Any) -> str | None:
    if value == "":
        return None
    parsed = parse_datetime(value) if isinstance(value, str) else None
    if parsed is None:
        raise unparsable("datetime", _shape(value), value)
    return stamp(parsed)


_READERS: dict[str, Callable[[Any], Any]] = {"boolean": _boolean, "date": _date, "datetime": _datetime}


def _shape(value: Any) -> str:
    shapes = {
        str: "VALUE_STRING",
        bool: f"VALUE_{str(value).upper()}",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
    }
    return shapes.get(type(value), "START_OBJECT" if isinstance(value, dict) else "START_ARRAY")


def round_half_up(value: float, scale: int) -> Decimal:
    """Rounded to `scale` decimals as the vendor does, halves away from zero."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


def check(field: Field, value: Any) -> Any:
    """The value if the field can hold it, ids widened to 18 characters.

    Raises RowError: STRING_TOO_LONG, NUMBER_OUTSIDE_VALID_RANGE, INVALID_EMAIL_ADDRESS, MALFORMED_ID,
    INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST.
    """
    if value is None:
        return None
    if field.type == "reference":
        return _reference(field, value)
    if field.type in NUMBER_TYPES:
        _in_range(field, value)
    elif field.type in TEXT_TYPES:
        _fits(field, value)
    return value


def _reference(field: Field, value: str) -> str:
    if not well_formed(value):
        raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return to_18(value)


def _in_range(field: Field, value: float) -> None:
    beyond = abs(value) >= 10 ** (field.precision - field.scale) or (field.type == "int" and abs(value) > _INT_MAX)
    if beyond:
        shown = f"{value:.0f}" if value == int(value) else value
        raise RowError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {shown}",
            [field.name],
        )


def _fits(field: Field, value: str) -> None:
    if len(value) > field.length:
        raise RowError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            [field.name],
        )
    if field.type == "email" and not _EMAIL.match(value):
        raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", [field.name])
    if field.restricted and not set(_chosen(field, value)) <= set(field.values):
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {value}",
            [field.name],
        )


def _chosen(field: Field, value: str) -> list[str]:
    return value.split(";") if field.type == "multipicklist" else [value]
