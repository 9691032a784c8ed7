"""Following field paths and comparing values, as a query of the CRM in memory does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapters.memory.crm import MemoryCrm
from adapters.memory.row_versions import Row, Version
from connector.errors import SchemaChanged
from connector.ports import Condition, FieldSchema, Query

Read = Callable[[Row, Version], Any]


class UserQuery:
    """A query as one user may put it. Raises `SchemaChanged` for what is not there, or is hidden from them."""

    def __init__(self, crm: MemoryCrm, query: Query) -> None:
        self._crm = crm
        self._now = crm.now()
        self.fields = {name: self._reader(query.object, name) for name in query.fields}
        self._where = [[self._test(query.object, condition) for condition in terms] for terms in query.where]

    def matches(self, row: Row, version: Version) -> bool:
        """Whether a version of a record is one of those asked for."""
        return not self._where or any(all(test(row, version) for test in terms) for terms in self._where)

    def _field(self, object_name: str, name: str) -> FieldSchema:
        field = self._crm.definition(object_name).fields.get(name)
        if field is None or name in self._crm.unseen(object_name):
            what = f"no such column '{name}' on entity '{object_name}'."
            raise SchemaChanged(what, object_name=object_name, field=name)
        return field

    def _reader(self, object_name: str, path: str) -> Read:
        first, dot, rest = path.partition(".")
        if not dot:
            name = self._field(object_name, path).name
            return lambda row, version: row.value(version, name)
        lookup = self._lookup(object_name, first)
        targets = [name for name in lookup.references if name in self._crm.objects]
        if not targets:
            raise SchemaChanged(f"'{first}' leads nowhere.", object_name=object_name, field=path)
        readers = {name: self._reader(name, rest) for name in targets}
        return lambda row, version: self._follow(row.value(version, lookup.name), readers)

    def _lookup(self, object_name: str, relation: str) -> FieldSchema:
        name = f"{relation[:-3]}__c" if relation.endswith("__r") else f"{relation}Id"
        return self._field(object_name, name)

    def _follow(self, record_id: str | None, readers: dict[str, Read]) -> Any:
        target = self._crm.row(record_id)
        version = target.seen_at(self._now) if target else None
        if target is None or version is None or target.object not in readers:
            return None
        return readers[target.object](target, version)

    def _test(self, object_name: str, condition: Condition) -> Callable[[Row, Version], bool]:
        read = self._reader(object_name, condition.field)
        wanted = [_folded(value) for value in condition.values]
        form = _moment if any(isinstance(value, datetime) for value in condition.values) else _folded
        return lambda row, version: _is_met(condition.op, form(read(row, version)), wanted)


def _folded(value: Any) -> Any:
    """Bring a value into the form in which the CRM compares: text without case, moments to the second."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return value.casefold() if isinstance(value, str) else value


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(microsecond=0)


def _is_met(op: str, value: Any, wanted: list[Any]) -> bool:
    if op in ("=", "in"):
        return value in wanted
    if op in ("!=", "not in"):
        return value not in wanted
    first = wanted[0]
    if value is None or first is None:
        return False
    if op == "<":
        return bool(value < first)
    if op == "<=":
        return bool(value <= first)
    if op == ">":
        return bool(value > first)
    return bool(value >= first)
