"""Whether two values in a CRM field are the same to the CRM: numbers by their scale, moments by the second, text by its lines."""

from collections.abc import Callable, Mapping
from typing import Any

from connector.errors import MappingError
from connector.ports import FieldSchema
from mappings.converters import Converter, read_text, rounded

Compared = Callable[[FieldSchema, Converter, Any], Any]
"""Returns what of a value is compared."""


def is_same(schema: FieldSchema, converter: Converter, value: Any, other: Any) -> bool:
    """Compare two values of a field as the CRM does. What cannot be read as the field's type is compared as text."""
    compared: Compared = _COMPARED.get(schema.type, _plain_text)
    try:
        return bool(compared(schema, converter, value) == compared(schema, converter, other))
    except MappingError:
        return _plain_text(schema, converter, value) == _plain_text(schema, converter, other)


def _plain_text(_: FieldSchema, __: Converter, value: Any) -> str | None:
    clean = read_text(value.id if hasattr(value, "id") else value)
    return None if clean is None else clean.replace("\r\n", "\n")


def _plain_number(schema: FieldSchema, converter: Converter, value: Any) -> Any:
    figure = converter.read(value)
    return figure if figure is None or schema.scale is None else rounded(figure, schema.scale)


def _plain_moment(_: FieldSchema, converter: Converter, value: Any) -> Any:
    moment = converter.read(value)
    return None if moment is None else moment.replace(microsecond=0)


_COMPARED: Mapping[str, Compared] = {
    "number": _plain_number,
    "datetime": _plain_moment,
    "date": lambda _schema, converter, value: converter.write(value),
    "boolean": lambda _schema, converter, value: converter.write(value),
}
