"""GROUP BY and aggregate functions."""

from collections.abc import Callable
from typing import Any

from adapters.sandbox.salesforce.org.schema import NUMBER_TYPES, OrgObjectType
from adapters.sandbox.salesforce.org.store import Row
from adapters.sandbox.salesforce.paths import Getter, Paths
from adapters.sandbox.salesforce.soql import Item, SoqlQuery, malformed

_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "sum": lambda values: sum(values) if values else None,
    "avg": lambda values: sum(values) / len(values) if values else None,
}
_PARTS: dict[str, Callable[[str], Any]] = {
    "calendar_year": lambda text: int(text[:4]),
    "calendar_month": lambda text: int(text[5:7]),
    "day_only": lambda text: text[:10],
}


def grouped(query: SoqlQuery, object_type: OrgObjectType, paths: Paths, rows: list[Row]) -> list[dict[str, Any]]:
    """The groups of the records, each as an AggregateResult; unnamed functions are called expr0, expr1 …"""
    keys = [paths.resolve(object_type, path).get for path in query.group]
    named = {str(path).lower() for path in query.group}
    if any(item.path and not item.function and str(item.path).lower() not in named for item in query.items):
        raise malformed("Field must be grouped or aggregated")
    groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): rows}
    if keys:
        for row in rows:
            groups.setdefault(tuple(get(row) for get in keys), []).append(row)
    readers = [(name, _reader(item, object_type, paths)) for name, item in _named(query)]
    return [
        {"attributes": {"type": "AggregateResult"}} | {name: read(members) for name, read in readers}
        for members in groups.values()
    ]


def _named(query: SoqlQuery) -> list[tuple[str, Item]]:
    result, unnamed = [], 0
    for item in query.items:
        name = item.alias or (item.path.parts[-1] if item.path and not item.function else None)
        if name is None:
            name, unnamed = f"expr{unnamed}", unnamed + 1
        result.append((name, item))
    return result


def _reader(item: Item, object_type: OrgObjectType, paths: Paths) -> Callable[[list[Row]], Any]:
    if item.path is None:
        return len
    reached = paths.resolve(object_type, item.path)
    if item.function is None:
        return lambda members: reached.get(members[0])
    if item.function in _PARTS:
        part = _PARTS[item.function]
        return lambda members: (text := reached.get(members[0])) and part(text)
    if item.function in {"sum", "avg"} and reached.spec.type not in NUMBER_TYPES:
        raise malformed(f"field {item.path} does not support aggregate operator {item.function.upper()}")
    function = _FUNCTIONS[item.function]
    return lambda members: function(_values(reached.get, members))


def _values(get: Getter, members: list[Row]) -> list[Any]:
    return [value for value in map(get, members) if value is not None]
