"""What `write_back` would write to one record: pure, values in, a change out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connector.errors import CrmError, MappingError
from connector.ports import CrmMapping, Write
from connector.store import Row
from connector.store.tables import ref_of

CONTESTED = 3
"""How often others may put their own value over ours before we leave a field to them."""
PATIENCE = timedelta(days=7)
"""How long a field is left to others; afterwards it is tried once, in case they have stopped."""
INSTANTS = frozenset({"last_answer", "last_asked"})
"""Our fields whose JSON value is the text of an instant."""

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A field that the CRM does not take, or that a value has no form for."""

    name: str
    """By our name."""
    path: str
    raw: Any
    """In the CRM's form; None where it has none."""
    error: CrmError | MappingError

    @property
    def what(self) -> str:
        """What is wrong, with the field's name."""
        return self.error.what if self.path in self.error.what else f"{self.path}: {self.error.what}"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The planned write for one record. Without fields there is nothing to do; `contested` names those left to others."""

    row: Row[Any]
    shown: Raw
    """What the record shows before it, by our names."""
    fields: Raw
    """By our names, in the CRM's form."""
    contested: tuple[str, ...] = ()
    held: Raw = field(default_factory=dict)
    """What was refused before as it is, and is not sent again."""
    refused: tuple[RefusedField, ...] = ()
    """What turned out to be refused just now."""

    def without(self, names: Collection[str], mapping: CrmMapping, error: CrmError) -> "FieldChange":
        """Return the change without fields that were refused."""
        found = [
            RefusedField(name, mapping.crm_field(self.row.target, name), self.fields[name], error) for name in names
        ]
        rest = {name: raw for name, raw in self.fields.items() if name not in names}
        return replace(self, fields=rest, refused=(*self.refused, *found))

    @property
    def key(self) -> str:
        """Our name for this effect."""
        return key_of(self.row)

    def as_write(self, connection: str, mapping: CrmMapping) -> Write:
        """Return the change in the CRM's own names."""
        ref = ref_of(connection, self.row.ref)
        fields = {mapping.crm_field(self.row.target, name): raw for name, raw in self.fields.items()}
        return Write(key=self.key, object=ref.object, fields=fields, id=ref.id)


def key_of(row: Row[Any]) -> str:
    """Return our name for what is written to a record."""
    return f"{row.target}:{row.ref}"


def plan(mapping: CrmMapping, row: Row[Any], now: datetime, *, shown: Raw | None = None) -> FieldChange:
    """Return what to write to one record: only mapped fields that differ from what it shows, as far as that was asked for just now,
    or from what was last seen there. A value that has no form that its field would take is left out, and told."""
    shown = row.shown if shown is None else shown
    rendered: dict[str, Any] = {}
    unfit: list[RefusedField] = []
    for name, raw in row.wanted.items():
        try:
            rendered |= mapping.render(row.target, {name: _value(name, raw)})
        except MappingError as error:
            unfit.append(RefusedField(name, mapping.crm_field(row.target, name), None, error))
    differing = {name: raw for name, raw in rendered.items() if mapping.differs(row.target, name, raw, shown.get(name))}
    contested = tuple(name for name in differing if _left_to_others(mapping, row, name, now))
    due = {name: raw for name, raw in differing.items() if name not in contested}
    return FieldChange(row, shown, due, contested, refused=tuple(unfit))


def written(mapping: CrmMapping, change: FieldChange, now: datetime) -> dict[str, Any]:
    """Return what is to be remembered of our writes after this one: value, when, and how often in a row others replaced it."""
    kept = dict(change.row.written)
    for name, raw in change.fields.items():
        times = _fights(mapping, change.row, name, now) + 1
        kept[name] = {"value": raw, "times": times, "at": now.isoformat()}
    return kept


def _left_to_others(mapping: CrmMapping, row: Row[Any], name: str, now: datetime) -> bool:
    return _fights(mapping, row, name, now) >= CONTESTED and _is_recent(row.written[name], now)


def _fights(mapping: CrmMapping, row: Row[Any], name: str, now: datetime) -> int:
    """Return how often in a row we have written a field and found something else there, whatever we wrote.

    An old replacement begins a new count, unless it is one that was never given up.
    """
    before = row.written.get(name)
    if before is None or not mapping.differs(row.target, name, before["value"], row.shown.get(name)):
        return 0
    times = int(before["times"])
    return times if times >= CONTESTED or _is_recent(before, now) else 0


def _is_recent(before: Raw, now: datetime) -> bool:
    return "at" in before and now - datetime.fromisoformat(before["at"]) < PATIENCE


def _value(name: str, raw: Any) -> Any:
    return datetime.fromisoformat(raw) if name in INSTANTS and isinstance(raw, str) else raw
