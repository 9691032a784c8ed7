"""What `write_back` would write to one record: pure, values in, a change out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.errors import MappingError
from connector.model import FieldValue, FieldValues
from connector.model.outbox import LastWrite, RecordFields
from connector.ports import CrmMapping
from connector.stages.write_back.changes import Change, RefusedField

CONTESTED = 3
"""How often others may put their own value over ours before we leave a field to them."""
PATIENCE = timedelta(days=7)
"""How long a field is left to others; afterwards it is tried once, in case they have stopped."""
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
    contested = tuple(name for name in differing if _is_left_to_others(mapping, record, name, now))
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


def written(mapping: CrmMapping, change: FieldChange, now: datetime) -> dict[str, LastWrite]:
    """Return what is to be remembered of our writes after this one: value, when, and how often in a row others replaced it."""
    kept = dict(change.record.written)
    for name, raw in change.fields.items():
        times = _times_replaced(mapping, change.record, name, now) + 1
        kept[name] = {"value": raw, "times": times, "at": now.isoformat()}
    return kept


def _is_left_to_others(mapping: CrmMapping, record: RecordFields, name: str, now: datetime) -> bool:
    return _times_replaced(mapping, record, name, now) >= CONTESTED and _is_recent(record.written[name], now)


def _times_replaced(mapping: CrmMapping, record: RecordFields, name: str, now: datetime) -> int:
    """Return how often in a row we have written a field and found something else there, whatever we wrote.

    An old replacement begins a new count, unless it is one that was never given up.
    """
    last = record.written.get(name)
    if last is None or not mapping.differs(record.target, name, last["value"], record.actual.get(name)):
        return 0
    times = int(last["times"])
    return times if times >= CONTESTED or _is_recent(last, now) else 0


def _is_recent(last: LastWrite, now: datetime) -> bool:
    return "at" in last and now - datetime.fromisoformat(last["at"]) < PATIENCE


def _typed(name: str, value: FieldValue) -> FieldValue | datetime:
    return datetime.fromisoformat(value) if name in INSTANTS and isinstance(value, str) else value
