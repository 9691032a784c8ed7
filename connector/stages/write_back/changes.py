"""The change of one record: what is sent, and what of it was refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from connector.errors import CrmError, MappingError, RecordRejected, SchemaChanged
from connector.model import FieldValue, FieldValues, Ref
from connector.model.outbox import WriteLogEntry
from connector.ports import CrmMapping, Write, WriteResult


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A field that the CRM does not take, or that a value has no form for."""

    name: str
    """By our name."""
    path: str
    raw: FieldValue
    """In the CRM's form; None where it has none."""
    error: CrmError | MappingError

    @property
    def what(self) -> str:
        """What is wrong, with the field's name."""
        return self.error.what if self.path in self.error.what else f"{self.path}: {self.error.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be written to one record; without fields there is nothing to do."""

    key: str
    """Our name for this effect."""
    target: str
    """account, contact or task."""
    ref: Ref | None
    """None: the record is to be made."""
    fields: FieldValues
    """By our names, in the CRM's form."""
    before: FieldValues = field(default_factory=dict)
    """What these fields hold before it; there may be others among them."""
    held: FieldValues = field(default_factory=dict)
    """What was refused before as it is, and is not sent again."""
    refused: tuple[RefusedField, ...] = ()
    """What turned out to be refused just now."""

    @property
    def needed(self) -> Collection[str]:
        """The fields without which the others are not to be written."""
        return ()

    @property
    def asked(self) -> Mapping[str, object]:
        """All that was to be written: what a refusal of the record as a whole is about."""
        return {**self.fields, **self.held, **self.refused_values}

    @property
    def refused_values(self) -> FieldValues:
        """The values that the CRM has refused just now."""
        return {refused.name: refused.raw for refused in self.refused if isinstance(refused.error, CrmError)}

    def as_write(self, mapping: CrmMapping) -> Write:
        """Return the change in the CRM's own names."""
        object_name, id_ = (
            (mapping.object_of(self.target), None) if self.ref is None else (self.ref.object, self.ref.id)
        )
        return Write(key=self.key, object=object_name, fields=self.by_path(self.fields, mapping), id=id_)

    def log_entry(self, result: WriteResult, mapping: CrmMapping) -> WriteLogEntry:  # noqa: ARG002 - of tasks the CRM's names are logged
        """Return the line of the log about what became of it."""
        before = {name: self.before.get(name) for name in self.fields}
        error = str(result.error) if result.error else None
        return WriteLogEntry(self.key, self.ref, result.outcome, before, self.fields, error)

    def by_path(self, fields: FieldValues, mapping: CrmMapping) -> dict[str, FieldValue]:
        """Return values by the CRM's names of their fields."""
        return {mapping.crm_field(self.target, name): raw for name, raw in fields.items()}

    def without_held(self, held: FieldValues) -> Self:
        """Return the change without what was refused before as it is."""
        rest = {name: raw for name, raw in self.fields.items() if name not in held}
        return replace(self, fields=rest, held=held)

    def without_refused(self, result: WriteResult, mapping: CrmMapping) -> Self | None:
        """Return the change without the fields that the CRM names as the reason of a refusal.

        None: it names none of them, or all, or one without which the others are not to be written.
        """
        error = result.error
        if result.outcome != "refused" or not isinstance(error, RecordRejected | SchemaChanged):
            return None
        named = {name.lower() for name in (error.fields if isinstance(error, RecordRejected) else (error.field,))}
        paths = {name: mapping.crm_field(self.target, name) for name in self.fields}
        names = {name: path for name, path in paths.items() if path.lower() in named}
        if not 0 < len(names) < len(paths) or not names.keys().isdisjoint(self.needed):
            return None
        refused = [RefusedField(name, path, self.fields[name], error) for name, path in names.items()]
        rest = {name: raw for name, raw in self.fields.items() if name not in names}
        return replace(self, fields=rest, refused=(*self.refused, *refused))
