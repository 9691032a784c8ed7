"""What `write_back` would write to one record: pure, values in, a change out."""

from dataclasses import dataclass
from datetime import datetime

from connector.errors import MappingError
from connector.model import FieldValue, FieldValues
from connector.model.outbox import RecordFields
from connector.ports import CrmMapping
from connector.stages.write_back.changes import Change, RefusedField
from connector.stages.write_back.contested_fields import is_contested

INSTANTS = frozenset({"last_answer", "last_asked"})
"""Our fields whose JSON value is the text of an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange(Change):
    """The planned write of our fields on an account or contact; `before` is all that they show."""

    record: RecordFields
    contested: tuple[str, ...] = ()
    """Fields that are left to others."""


def plan(mapping: CrmMapping, record: RecordFields, now: datetime, *, actual: FieldValues | None = None) -> FieldChange:
    """Return what to write to one record: only mapped fields that differ from what it shows.

    `actual` is that, where it was asked for just now; else it is what was last seen there. A value that has no form that its field
    would take is left out, and reported.
    """
    actual = record.actual if actual is None else actual
    rendered: dict[str, FieldValue] = {}
    unfit: list[RefusedField] = []
    for name, value in record.desired.items():
        try:
            rendered |= mapping.render(record.target, {name: _typed(name, value)})
        except MappingError as error:
            unfit.append(RefusedField(name, mapping.crm_field(record.target, name), None, error))
    differing = {
        name: raw for name, raw in rendered.items() if mapping.differs(record.target, name, raw, actual.get(name))
    }
    contested = tuple(name for name in differing if is_contested(mapping, record, name, now))
    return FieldChange(
        key=record.key,
        target=record.target,
        ref=record.ref,
        fields={name: raw for name, raw in differing.items() if name not in contested},
        before=actual,
        refused=tuple(unfit),
        record=record,
        contested=contested,
    )


def _typed(name: str, value: FieldValue) -> FieldValue | datetime:
    return datetime.fromisoformat(value) if name in INSTANTS and isinstance(value, str) else value
