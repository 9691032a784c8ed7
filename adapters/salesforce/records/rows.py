"""From the JSON of one row to a `Record`: keyed exactly as asked for, with as little work as possible."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.salesforce.records import soql
from adapters.salesforce.schemas import Traits
from connector.ports import Record

_LATEST_YEAR: Final = 4000
"""The last that Salesforce itself takes."""
Row = dict[str, Any]
_ODD = (KeyError, TypeError, ValueError, AttributeError)
"""What a row brings about that is not as the others are."""


@dataclass(frozen=True, slots=True)
class SalesforceColumns:
    """What is selected: the fields asked for, and those that every record needs."""

    object: str
    asked: tuple[str, ...]
    traits: Traits

    @property
    def needed(self) -> tuple[str, ...]:
        """Fields that make a `Record` of a row, in Salesforce's own spelling."""
        names = ["Id", self.traits.stamp]
        names += ["IsDeleted"] if self.traits.deletable else []
        names += ["MasterRecordId"] if self.traits.mergeable else []
        return tuple(names)

    @property
    def selected(self) -> tuple[str, ...]:
        """Everything to select, each once: Salesforce refuses a field that is named twice, in whatever case."""
        by_name = {name.lower(): name for name in reversed(self.asked)}
        by_name |= {name.lower(): name for name in self.needed}
        return tuple(by_name.values())


def is_stamp(text: Any) -> bool:
    """Tell whether this is the text of an instant that a record can have been changed at."""
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return False
    return at.tzinfo is not None and 1 < at.year < _LATEST_YEAR


def records(columns: SalesforceColumns, rows: Sequence[Any]) -> list[Record]:
    """Return the rows as records; one that cannot be understood has a fault. `ValueError`: a row that names no record."""
    if not all(isinstance(row, dict) and soql.known_id(row.get("Id")) for row in rows):
        raise ValueError("a row that is no record")
    if not rows:
        return []
    convert, converted = converter(columns, rows[0]), list[Record]()
    for row in rows:
        record_id = row["Id"]
        try:
            converted.append(convert(row))
        except _ODD:
            fault = "its fields or its time of change are nothing that Salesforce gives."
            converted.append(
                Record(columns.object, record_id, converted[-1].modified if converted else "", {}, fault=fault)
            )
    return converted


def converter(columns: SalesforceColumns, sample: Row) -> Callable[[Row], Record]:
    """Return the function that makes a record of a row like `sample`; it changes the row in place and keeps it."""
    paths = [(name, tuple(name.split("."))) for name in columns.asked if "." in name]
    plain = [name for name in columns.asked if "." not in name]
    respelled = _respelled(plain, sample)
    wanted = set(plain)
    parents = {_key(sample, path[0]) for _, path in paths}
    surplus = tuple((set(columns.needed) | parents | set(respelled.values()) | {"attributes"}) - wanted)
    object_name, stamp = columns.object, columns.traits.stamp
    deletable, mergeable = columns.traits.deletable, columns.traits.mergeable

    def convert(row: Row) -> Record:
        record_id, modified = row["Id"], row[stamp]
        if not is_stamp(modified):
            raise ValueError("no time of change")
        deleted = deletable and row.get("IsDeleted") is True
        survivor = row.get("MasterRecordId") if mergeable and deleted else None
        for name, path in paths:
            row[name] = _follow(row, path)
        for name, spelled in respelled.items():
            row[name] = row.get(spelled)
        for name in surplus:
            row.pop(name, None)
        return Record(object_name, record_id, modified, row, deleted, survivor)

    return convert


def _respelled(plain: Sequence[str], sample: Row) -> dict[str, str]:
    """Map names that were asked for in another case than Salesforce answers in."""
    return {name: key for name in plain if name not in sample and (key := _key(sample, name)) in sample}


def _key(row: Row, name: str) -> str:
    """Return the key under which a row holds a field."""
    if name in row:
        return name
    lower = name.lower()
    return next((key for key in row if key.lower() == lower), name)


def _follow(row: Row, path: tuple[str, ...]) -> Any:
    """Return what stands at the end of a path of lookups; None as soon as one is empty."""
    value: Any = row
    for name in path:
        if value is None:
            return None
        value = value[name] if name in value else value.get(_key(value, name))
    return value
