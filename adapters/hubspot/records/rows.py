"""From rows to records: properties, and what stands elsewhere (associations, stages, fields of an associated record)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.hubspot.errors import missing_property
from adapters.hubspot.records import conditions
from adapters.hubspot.records.conditions import Group, Where
from adapters.hubspot.records.links import Links
from adapters.hubspot.records.pipelines import Pipelines
from adapters.hubspot.records.wire_values import RecordId, from_html, from_wire, is_stamp, stamp
from adapters.hubspot.schemas import ASSOCIATED, STAGES
from connector.ports import FieldSchema, Query, Record

Row = dict[str, Any]
Values = dict[str, Any]
Lookup = Callable[[str, Sequence[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]
"""Properties of live records: (object, ids, properties) → by id."""

MERGED: Final = ("hs_merged_object_ids", "hs_calculated_merged_vids")
"""What was merged into a record: ``id;id``, and of contacts that were merged long ago ``id:time;id:time``."""
_ID = re.compile("[0-9]{1,20}")
_ASSOCIATED = re.compile(r"associations\.([\w-]+)(?:\.(\w+))?")


def stamp_of(object_name: str) -> str:
    """Return the property that moves with every change. The other one exists on contacts too, and is mostly empty there."""
    return "lastmodifieddate" if object_name in ("contacts", "contact", "0-1") else "hs_lastmodifieddate"


@dataclass(frozen=True, slots=True)
class HubSpotColumns:
    """What is asked for, sorted by where it is found."""

    object: str
    asked: tuple[str, ...]
    where: Where
    types: Mapping[str, str]
    """The types of all fields that are properties and can be filtered by."""
    plain: tuple[str, ...]
    links: Mapping[str, tuple[str, str]]
    """Field → (object that it leads to, what to take of the first one there: a property, an object; '' for the ids)."""
    stages: Mapping[str, str]
    """Field → ``closed`` or ``won``."""
    groups: list[Group] | None
    """The conditions as a search takes them; None: they are checked here."""
    rich: frozenset[str] = frozenset()
    """Properties that HubSpot keeps as HTML: they are read as text, as they are written."""

    @property
    def stamp(self) -> str:
        """The property of the last change."""
        return stamp_of(self.object)

    @property
    def selected(self) -> tuple[str, ...]:
        """Every property to ask for."""
        stage = STAGES.get(self.object, ()) if self.stages else ()
        return tuple(dict.fromkeys([*self.plain, *stage, self.stamp, "hs_object_id", *MERGED]))

    @property
    def outside(self) -> bool:
        """Whether anything stands elsewhere than on the record."""
        return bool(self.links or self.stages)


def columns_of(query: Query, fields: Mapping[str, FieldSchema], where: str) -> HubSpotColumns:
    """Sort the fields of a query. `SchemaChanged` names the first that is not there."""
    needed = list(dict.fromkeys([*query.fields, *(term.field for terms in query.where for term in terms)]))
    links = {name: (match[1], match[2] or "") for name in needed if (match := _ASSOCIATED.fullmatch(name))}
    stage = STAGES.get(query.object, ("", ""))[0]
    stages = {
        name: name.removeprefix(f"{stage}.") for name in needed if name in fields and name.startswith(f"{stage}.")
    }
    plain = tuple(name for name in needed if name not in links and name not in stages)
    for name in plain:
        if name not in fields:
            raise missing_property(name, where=where, object_name=query.object)
    types = {name: field.type for name, field in fields.items() if field.filterable}
    groups = conditions.groups(query.where, types)
    return HubSpotColumns(query.object, query.fields, query.where, types, plain, links, stages, groups)


class Completer:
    """Makes records of rows."""

    def __init__(self, links: Links, pipelines: Pipelines, lookup: Lookup) -> None:
        self._links = links
        self._pipelines = pipelines
        self._lookup = lookup

    def records(self, columns: HubSpotColumns, rows: Sequence[Row]) -> list[Record]:
        """Return the records of the rows that meet the conditions, in the rows' order; behind them those that have a fault."""
        sound, odd = by_soundness(columns, rows)
        return self._sound(columns, sound) + [faulty(columns, row) for row in odd]

    def _sound(self, columns: HubSpotColumns, rows: Sequence[Row]) -> list[Record]:
        values = [_plain(columns, row) for row in rows]
        if columns.outside:
            self._complete(columns, rows, values)
        return [
            record_of(columns, row, row_values)
            for row, row_values in zip(rows, values, strict=True)
            if columns.groups is not None or conditions.holds(columns.where, row_values, columns.types)
        ]

    def _complete(self, columns: HubSpotColumns, rows: Sequence[Row], values: Sequence[Values]) -> None:
        for name, what in columns.stages.items():
            for row, row_values in zip(rows, values, strict=True):
                row_values[name] = self._stage(columns.object, row, what)
        ends = {end for end, _ in columns.links.values()}
        ids = [str(row["id"]) for row in rows]
        linked = {end: self._links.read(columns.object, ids, end) if ids else {} for end in ends}
        for name, (end, inner) in columns.links.items():
            field_values = self._followed(linked[end], end, inner) if inner else linked[end]
            for record_id, row_values in zip(ids, values, strict=True):
                if record_id in field_values:
                    row_values[name] = field_values[record_id]

    def _stage(self, object_name: str, row: Row, what: str) -> bool | None:
        stage, pipeline = (from_wire(row["properties"].get(name)) for name in STAGES[object_name])
        stage_data = self._pipelines.stage(object_name, pipeline, stage)
        return None if stage_data is None else bool(getattr(stage_data, what))

    def _followed(self, linked: Mapping[str, tuple[str, ...]], end: str, inner: str) -> dict[str, Any]:
        """Return what the first record that each id leads to holds or leads to itself; None where it leads nowhere."""
        firsts = {record_id: ends[0] for record_id, ends in linked.items() if ends}
        nowhere: dict[str, Any] = {record_id: None for record_id in linked if record_id not in firsts}
        if not firsts:
            return nowhere
        ids = list(dict.fromkeys(firsts.values()))
        if inner in ASSOCIATED:
            further = self._links.read(end, ids, inner)
            return nowhere | {record_id: further[first] for record_id, first in firsts.items() if first in further}
        there = self._lookup(end, ids, [inner])
        return nowhere | {record_id: there.get(first, {}).get(inner) for record_id, first in firsts.items()}


def _plain(columns: HubSpotColumns, row: Row) -> Values:
    """Return the properties that were given; one that is missing was not permitted."""
    properties = row["properties"]
    values = {name: from_wire(properties[name]) for name in columns.plain if name in properties}
    return values | {name: from_html(values[name]) for name in columns.rich & values.keys()}


def is_named(row: Row) -> bool:
    """Tell whether a row has an id and properties."""
    return _ID.fullmatch(str(row.get("id"))) is not None and isinstance(row.get("properties"), dict)


def by_soundness(columns: HubSpotColumns, rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that are as HubSpot gives them, and the others. `ValueError`: one of them names no record at all."""
    sound: list[Row] = []
    odd: list[Row] = []
    for row in rows:
        (sound if _is_sound(columns, row) else odd).append(row)
    return sound, odd


def _is_sound(columns: HubSpotColumns, row: Row) -> bool:
    if not _ID.fullmatch(str(row.get("id"))):
        raise ValueError("a row that is no record")
    properties = row.get("properties")
    if not isinstance(properties, dict) or not is_stamp(properties.get(columns.stamp) or row.get("updatedAt")):
        return False
    return all(isinstance(properties.get(name) or "", str) for name in (*MERGED, *STAGES.get(columns.object, ())))


def living(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without those that are archived."""
    return [row for row in rows if row.get("archived") is not True]


def faulty(columns: HubSpotColumns, row: Row, modified: str = "") -> Record:
    """Return the record of a row that cannot be understood."""
    fault = "its properties or its time of change are nothing that HubSpot gives."
    return Record(columns.object, RecordId(row["id"]), modified, {}, fault=fault)


def stamped(columns: HubSpotColumns, row: Row) -> str:
    """Return when a row was changed last."""
    return stamp(str(row["properties"].get(columns.stamp) or row["updatedAt"]))


def record_of(columns: HubSpotColumns, row: Row, values: Values) -> Record:
    """Return a live record, its fields keyed exactly as they were asked for."""
    fields = {name: values[name] for name in columns.asked if name in values}
    return Record(columns.object, RecordId(row["id"]), stamped(columns, row), fields)


def losers(row: Row) -> Iterable[str]:
    """Return the ids of the records that were merged into this one, over several merges too."""
    texts = [row["properties"].get(name) or "" for name in MERGED]
    ids = [part.partition(":")[0].strip() for text in texts for part in text.split(";")]
    return [loser for loser in dict.fromkeys(ids) if loser and loser != str(row["id"])]


def record_values(columns: HubSpotColumns, row: Row, *, every: bool = False) -> Values:
    """Return the properties of a row that were asked for, or also those that conditions need."""
    values = _plain(columns, row)
    return values if every else {name: values[name] for name in columns.asked if name in values}


def tombstone(
    columns: HubSpotColumns,
    record_id: str,
    at: str,
    *,
    merged_into: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Record:
    """Return what is left of a record that is gone."""
    return Record(columns.object, RecordId(record_id), at, fields or {}, deleted=True, merged_into=merged_into)
