"""What the CRM in memory does to a value before it keeps it, and what it refuses."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from adapters.memory.schema import ObjectDef
from connector.errors import BadOption, NotPermitted, RecordRejected, SchemaChanged, TooLong
from connector.ports import FieldSchema


def stamp(moment: datetime) -> str:
    """Return a moment as the CRM writes it: to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def stored(field: FieldSchema, value: Any) -> Any:
    """Return the value in the form in which it is kept. Raises `RecordRejected` when the field cannot hold it."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return False if field.type == "boolean" else None
    kept = _CHECKS.get(field.type, _text)(field, value)
    if field.length is not None and isinstance(kept, str) and len(kept) > field.length:
        what = f"{field.label}: data value too large (max length={field.length})"
        raise TooLong(what, code="STRING_TOO_LONG", fields=(field.name,))
    return kept


def check_writable(definition: ObjectDef, names: Iterable[str], *, creating: bool) -> None:
    """Refuse fields that are not there (`SchemaChanged`) or not to be written (`NotPermitted`)."""
    for name in names:
        field = definition.fields.get(name)
        if field is None:
            what = f"No such column '{name}' on sobject of type {definition.name}"
            raise SchemaChanged(what, object_name=definition.name, field=name)
        if not (field.createable if creating else field.updateable):
            raise NotPermitted(f"Unable to create/update fields: {name}.", remedy="Let the user edit the field.")


def check_required(definition: ObjectDef, values: Mapping[str, Any]) -> None:
    """Refuse a record that lacks a required value. Raises `RecordRejected`."""
    missing = tuple(name for name, field in definition.fields.items() if field.required and values.get(name) is None)
    if missing:
        what = f"Required fields are missing: [{', '.join(missing)}]"
        raise RecordRejected(what, code="REQUIRED_FIELD_MISSING", fields=missing)


def _text(field: FieldSchema, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(field, value)
    return value


def _number(field: FieldSchema, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(field, value)
    if field.precision is not None and abs(value) >= 10 ** (field.precision - (field.scale or 0)):
        what = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise RecordRejected(what, code="NUMBER_OUTSIDE_VALID_RANGE", fields=(field.name,))
    return value if field.scale is None else round(value, field.scale or None)


def _boolean(field: FieldSchema, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, value)
    return value


def _datetime(field: FieldSchema, value: Any) -> str:
    moment = value
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise _wrong(field, value) from None
    if moment.tzinfo is None:
        raise _wrong(field, value)
    return stamp(moment)


def _date(field: FieldSchema, value: Any) -> str:
    try:
        return (value if isinstance(value, date) else date.fromisoformat(value)).strftime("%Y-%m-%d")
    except (ValueError, TypeError):
        raise _wrong(field, value) from None


def _option(field: FieldSchema, value: Any) -> str:
    chosen = _text(field, value)
    if field.restricted and chosen not in field.options:
        what = f"{field.label}: bad value for restricted picklist field: {chosen}"
        raise BadOption(what, code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fields=(field.name,))
    return chosen


def _email(field: FieldSchema, value: Any) -> str:
    address = _text(field, value)
    if "@" not in address:
        what = f"{field.label}: invalid email address: {address}"
        raise RecordRejected(what, code="INVALID_EMAIL_ADDRESS", fields=(field.name,))
    return address


def _wrong(field: FieldSchema, value: Any) -> RecordRejected:
    what = f"{field.label}: value not of required type: {value!r}"
    return RecordRejected(what, code="INVALID_TYPE_ON_FIELD_IN_RECORD", fields=(field.name,))


_CHECKS = {
    "number": _number,
    "boolean": _boolean,
    "datetime": _datetime,
    "date": _date,
    "picklist": _option,
    "email": _email,
}
