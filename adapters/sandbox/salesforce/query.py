"""Running a query: which records, in which order, and how each is written in the answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from adapters.sandbox.salesforce.errors import RequestError
from adapters.sandbox.salesforce.filters import RANGED, Filters, Narrowing, Predicate
from adapters.sandbox.salesforce.org.groups import grouped
from adapters.sandbox.salesforce.org.permissions import UserAccess, visible_fields
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.org.store import OrgTable, Row
from adapters.sandbox.salesforce.paths import Getter, Paths
from adapters.sandbox.salesforce.soql import Item, Ordering, Path, SoqlQuery, malformed, parse

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

MAX_OFFSET = 2_000
MAX_FIELDS_ALL = 200
ONE_ROW_ONLY = frozenset({"Metadata", "FullName"})
_ARCHIVED = frozenset({"Task", "Event"})

Render = Callable[[Row], dict[str, Any]]
# One step to a parent: its name in the answer, the field that points to it, and what it is called.
Way = tuple[str, str, str]


@dataclass(frozen=True)
class SelectedColumn:
    """One selected field: its path in the answer, its field, and how to read it."""

    path: tuple[str, ...]
    spec: Field
    get: Getter


@dataclass(frozen=True)
class Result:
    """What a query found: `rows` in order, and `render` for one of them; groups come ready rendered."""

    object: OrgObjectType
    rows: list[Any]
    columns: tuple[SelectedColumn, ...]
    render: Render
    total: int


class QueryRun:
    """Runs queries for one user at one moment, under the org's lock."""

    def __init__(
        self,
        org: "PretendOrg",
        access: UserAccess,
        *,
        deleted: bool = False,
        tooling: bool = False,
        version: str = "62.0",
    ) -> None:
        self._org = org
        self._tooling = tooling
        self._access = access
        self._deleted = deleted
        self._version = version
        zone = (org.store.get("User", org.integration_id) or {}).get("TimeZoneSidKey", "UTC")
        self._zone = ZoneInfo(str(zone))
        self._today = org.clock.now().astimezone(self._zone).date()

    def run(self, text: str) -> Result:
        """The answer to a query; raises RequestError with the vendor's code."""
        return self.answer(parse(text))

    def answer(self, query: SoqlQuery) -> Result:
        """The answer to a query that was read already."""
        object_type = self._object(query.object)
        if query.offset > MAX_OFFSET:
            raise RequestError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        paths = Paths(self._org.store, self._org.schema, self._access, query)
        if query.counts_only:
            return Result(object_type, [], (), dict, len(self._matching(query, object_type, paths)))
        if query.aggregates:
            groups = grouped(query, object_type, paths, self._matching(query, object_type, paths))[query.offset :][
                : query.limit
            ]
            return Result(object_type, groups, (), dict, len(groups))
        columns = self._columns(query, object_type, paths)
        render = self._render(object_type, columns, self._children(query, object_type))
        rows = self._matching(query, object_type, paths)
        if len(rows) > 1 and any(column.path[-1] in ONE_ROW_ONLY for column in columns if self._tooling):
            words = (
                "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more than "
                f"one row for retrieval. Result size: {len(rows)}"
            )
            raise malformed(words)
        return Result(object_type, rows, columns, render, len(rows))

    def _object(self, name: str) -> OrgObjectType:
        object_type = self._org.schema.find(name)
        if (
            object_type is None
            or object_type.tooling is not self._tooling
            or not self._access.may(object_type.name, "PermissionsRead")
        ):
            raise RequestError(
                "INVALID_TYPE",
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
                "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
            )
        return object_type

    def _matching(self, query: SoqlQuery, object_type: OrgObjectType, paths: Paths) -> list[Row]:
        filters = Filters(paths, self._today, self._zone, self._ids)
        test = filters.compile(object_type, query.where) if query.where else None
        table = self._org.store.table(object_type.name)
        narrowed = filters.narrow(object_type, query.where, _indexed(object_type))
        ordered = (
            []
            if query.aggregates
            else [(paths.resolve(object_type, ordering.path).get, ordering) for ordering in query.order]
        )
        rows, sorted_already = _candidates(table, narrowed, query.order)
        kept = self._visible(object_type, rows, test)
        if query.aggregates or (not ordered and query.limit is None and not query.offset):
            return list(kept)
        end = None if query.limit is None else query.offset + query.limit
        if sorted_already or not ordered:
            return _slice(kept, query.offset, end)
        return _sort(list(kept), ordered)[query.offset : end]

    def _visible(self, object_type: OrgObjectType, rows: Iterable[Row], test: Predicate | None) -> Iterable[Row]:
        if not self._deleted:
            rows = (row for row in rows if not row["IsDeleted"])
            if object_type.name in _ARCHIVED:
                rows = (row for row in rows if not row.get("IsArchived"))
        return (row for row in rows if test(row)) if test else rows

    def _ids(self, query: SoqlQuery) -> list[Any]:
        """The ids (or lookups) that a query inside IN finds."""
        if len(query.items) != 1 or query.items[0].path is None:
            raise malformed("The inner select must select exactly one ID or reference field")
        result = self.answer(query)
        return [result.columns[0].get(row) for row in result.rows]

    def _columns(self, query: SoqlQuery, object_type: OrgObjectType, paths: Paths) -> tuple[SelectedColumn, ...]:
        columns: list[SelectedColumn] = []
        for item in query.items:
            if item.children is not None:
                continue
            for path in self._expanded(query, object_type, item):
                if item.alias:
                    raise malformed("only aggregate expressions use field aliasing")
                reached = paths.resolve(object_type, path)
                columns.append(
                    SelectedColumn(self._spelled(object_type, path, reached.spec), reached.spec, reached.get)
                )
        names = [column.path for column in columns]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise RequestError("INVALID_FIELD", f"duplicate field selected: {'.'.join(twice)}")
        return tuple(columns)

    def _expanded(self, query: SoqlQuery, object_type: OrgObjectType, item: Item) -> list[Path]:
        if item.group is None:
            return [item.path] if item.path else []
        if item.group != "standard" and (query.limit is None or query.limit > MAX_FIELDS_ALL):
            raise malformed(f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_ALL}")
        wanted = {"all": (True, False), "custom": (True,), "standard": (False,)}[item.group]
        return [Path((spec.name,)) for spec in visible_fields(object_type, self._access) if spec.custom in wanted]

    def _spelled(self, object_type: OrgObjectType, path: Path, spec: Field) -> tuple[str, ...]:
        """The names as the answer spells them: those of the schema, whatever the query wrote."""
        names = []
        current: OrgObjectType | None = object_type
        for part in path.parts[:-1]:
            lookup = current.by_relationship(part) if current else None
            if lookup is None:
                continue
            names.append(lookup.relationship or part)
            current = None if lookup.polymorphic else self._org.schema.objects[lookup.refers_to[0]]
        return (*names, spec.name)

    def _children(self, query: SoqlQuery, object_type: OrgObjectType) -> list[tuple[str, Field, SoqlQuery]]:
        """The child queries in SELECT, each with the lookup by which it hangs on the record."""
        children = []
        for item in query.items:
            if item.children is None:
                continue
            name = item.children.object
            for child, lookup in self._org.schema.lookups_to(object_type.name):
                if child.plural.replace(" ", "").lower() == name.lower() and lookup.name != "MasterRecordId":
                    children.append((child.name, lookup, item.children))
                    break
            else:
                words = f"Didn't understand relationship '{name}' in FROM part of query call."
                raise RequestError("INVALID_TYPE", words)
        return children

    def _render(
        self,
        object_type: OrgObjectType,
        columns: tuple[SelectedColumn, ...],
        children: list[tuple[str, Field, SoqlQuery]],
    ) -> Render:
        base = f"/services/data/v{self._version}/sobjects/{object_type.name}/"
        kind = object_type.name
        flat = [(column.path[0], column.get) for column in columns if len(column.path) == 1]
        nested = [(self._ways(object_type, column.path[:-1]), column) for column in columns if len(column.path) > 1]

        def render(row: Row) -> dict[str, Any]:
            shown: dict[str, Any] = {"attributes": {"type": kind, "url": base + row["Id"]}}
            for name, get in flat:
                shown[name] = get(row)
            for ways, column in nested:
                self._nest(shown, ways, column, row)
            for child, lookup, query in children:
                shown[query.object] = self._below(child, lookup, query, row)
            return shown

        return render

    def _ways(self, object_type: OrgObjectType, names: tuple[str, ...]) -> list[Way]:
        """The lookups along a path; one that may point to several objects ends it and calls what it reaches a Name."""
        ways = []
        for name in names:
            lookup = object_type.by_relationship(name)
            if lookup is None:
                break
            ways.append((name, lookup.name, "Name" if lookup.polymorphic else lookup.refers_to[0]))
            object_type = self._org.schema.objects[lookup.refers_to[0]]
        return ways

    def _nest(self, shown: dict[str, Any], ways: list[Way], column: SelectedColumn, row: Row) -> None:
        """Puts a parent's value where it belongs; a parent that is not there is null."""
        place: dict[str, Any] = shown
        current: Row | None = row
        for name, lookup, kind in ways:
            parent_id = current.get(lookup) if current else None
            target = self._org.schema.by_id(parent_id) if parent_id else None
            current = self._org.store.get(target.name, parent_id) if target else None
            if current is None or target is None:
                place[name] = None
                return
            if place.get(name) is None:
                url = f"/services/data/v{self._version}/sobjects/{target.name}/{parent_id}"
                place[name] = {"attributes": {"type": kind, "url": url}}
            place = place[name]
        place[column.path[-1]] = column.get(row)

    def _below(self, child: str, lookup: Field, query: SoqlQuery, row: Row) -> dict[str, Any] | None:
        object_type = self._org.schema.objects[child]
        paths = Paths(self._org.store, self._org.schema, self._access, query)
        test = (
            Filters(paths, self._today, self._zone, self._ids).compile(object_type, query.where)
            if query.where
            else None
        )
        rows = list(self._visible(object_type, self._org.store.table(child).holding(lookup.name, row["Id"]), test))
        rows = _sort(rows, [(paths.resolve(object_type, ordering.path).get, ordering) for ordering in query.order])
        if not rows:
            return None
        render = self._render(object_type, self._columns(query, object_type, paths), [])
        records = [render(row) for row in rows[query.offset :][: query.limit]]
        return {"totalSize": len(records), "done": True, "records": records}


def _indexed(object_type: OrgObjectType) -> frozenset[str]:
    return frozenset(
        spec.name for spec in object_type.fields.values() if spec.id_lookup or spec.unique or spec.refers_to
    )


def _candidates(table: OrgTable, narrowed: list[Narrowing], order: tuple[Ordering, ...]) -> tuple[Iterable[Row], bool]:
    """The records that may match, from the best index, and whether they come in the wanted order."""
    sets = [narrowing for narrowing in narrowed if narrowing.values is not None]
    if sets:
        best = min(sets, key=lambda narrowing: (narrowing.field != "Id", len(narrowing.values or ())))
        return _by_values(table, best), False
    wanted = _leading(order)
    ranges = {narrowing.field: narrowing for narrowing in narrowed}
    name = (
        wanted
        if wanted in ranges or (wanted and not ranges)
        else next((name for name in RANGED if name in ranges), None)
    )
    if name is None:
        # Without ORDER BY the vendor promises no order; newest first shows who relied on one.
        return reversed(table.rows.values()), False
    bounds = ranges.get(name, Narrowing(name))
    keys = table.sorted_by(name).between(bounds.low, bounds.high)
    rows = table.rows
    return (rows[key[1]] for key in keys), name == wanted


def _by_values(table: OrgTable, narrowing: Narrowing) -> list[Row]:
    values = [value for value in narrowing.values or () if value is not None]
    if narrowing.field == "Id":
        return [table.rows[value] for value in sorted(values) if value in table.rows]
    return [row for value in sorted(values) for row in table.holding(narrowing.field, value)]


def _leading(order: tuple[Ordering, ...]) -> str | None:
    """The field whose index gives the wanted order by itself: ascending, with nothing or the id after it."""
    names = [str(ordering.path) for ordering in order]
    if not names or any(ordering.descending for ordering in order) or names[0] not in RANGED:
        return None
    return names[0] if names[1:] in ([], ["Id"]) else None


def _slice(rows: Iterable[Row], start: int, end: int | None) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if end is not None and len(kept) >= end:
            break
        kept.append(row)
    return kept[start:]


def _sort(rows: list[Row], ordered: list[tuple[Getter, Ordering]]) -> list[Row]:
    for get, ordering in reversed(ordered):
        empty = [row for row in rows if get(row) is None]
        full = [row for row in rows if get(row) is not None]
        full.sort(key=_sort_key(get), reverse=ordering.descending)
        rows = empty + full if ordering.nulls_first else full + empty
    return rows


def _sort_key(get: Getter) -> Getter:
    def key(row: Row) -> Any:
        value = get(row)
        return (value.lower(), value) if isinstance(value, str) else value

    return key
