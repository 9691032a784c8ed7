"""What we write: values in the CRM's own form, and whether two of them are the same to the CRM."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import MappingError
from connector.ports import FieldSchema, FieldSpec
from mappings.comparison import is_same
from mappings.converters import (
    Converter,
    boolean,
    dates,
    datetimes,
    number,
    picklist,
    reference,
    text,
)
from mappings.record_values import named
from mappings.spec import WriteMap


def _least(*sizes: int | None) -> int | None:
    return min((size for size in sizes if size is not None), default=None)


def converter_for(field: WriteMap, schema: FieldSchema) -> Converter:
    """Return how values reach this field: by the CRM's type, within the tighter of the CRM's limits and the mapping's."""
    if schema.type == "number":
        return number(_least(field.scale, schema.scale), schema.precision)
    if schema.type == "picklist":
        return picklist(schema.options if schema.restricted else ())
    known = {"boolean": boolean, "date": dates, "datetime": datetimes, "reference": reference, "id": reference}
    return known.get(schema.type) or text(_least(field.length, schema.length))


@dataclass(frozen=True, slots=True)
class Written:
    """One of our fields as it is in the CRM."""

    field: WriteMap
    schema: FieldSchema
    converter: Converter

    def render(self, wanted: Any) -> Any:
        """Return a value in the CRM's form. `MappingError` names the field when it has no such form."""
        if isinstance(wanted, str):
            wanted = self.field.values.get(wanted, wanted)
            if wanted in self.not_yet:
                return None
        try:
            return self.converter.write(wanted)
        except MappingError as error:
            raise named(error, self.field.path) from None

    @property
    def not_yet(self) -> tuple[str, ...]:
        """Options of ours that the CRM's list lacks until `setup-crm` adds them: until then the field is left empty instead."""
        return missing_options(self.field, self.schema) if self.schema.restricted else ()

    def same(self, value: Any, other: Any) -> bool:
        """Compare as the CRM does. What cannot be read as the field's type is compared as text."""
        return is_same(self.schema, self.converter, value, other)


def missing_options(field: WriteMap, schema: FieldSchema) -> tuple[str, ...]:
    """Return which of the words that we write a list of values lacks; none where the CRM lists no values."""
    if schema.type != "picklist" or not schema.options:
        return ()
    words = field.options or tuple(field.values)
    return tuple(option for word in words if (option := field.values.get(word, word)) not in schema.options)


def form_of(written: Mapping[str, Mapping[str, Written]]) -> str:
    """Return what changes when a field is written elsewhere or otherwise, or takes other values than before."""
    fields = [
        (
            target,
            name,
            written_field.field.path,
            sorted(written_field.field.values.items()),
            written_field.field.length,
            written_field.field.scale,
            _takes(written_field),
        )
        for target, by_name in sorted(written.items())
        for name, written_field in sorted(by_name.items())
    ]
    return hashlib.sha256(repr(fields).encode()).hexdigest()[:32]


def _takes(written: Written) -> tuple[object, ...]:
    field = written.schema
    return (field.type, field.length, field.precision, field.scale, field.options, field.restricted, field.updateable)


_EDITED: Final = frozenset({"no_surveys", "outcome", "cause", "do_not_ask", "ask_now"})
"""Our names for what people say in the CRM: they must be able to edit it."""


def spec_of(field: WriteMap, object_name: str) -> FieldSpec | None:
    """Return the field as it should exist, if it is ours to create."""
    if field.label is None or field.type is None:
        return None
    return FieldSpec(
        object_name,
        field.path,
        field.label,
        field.type,
        length=field.length,
        precision=field.precision,
        scale=field.scale,
        options=tuple(field.values.get(option, option) for option in field.options),
        unique=field.unique,
        help=field.help,
        edited=field.name in _EDITED,
    )
