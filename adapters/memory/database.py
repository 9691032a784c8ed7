"""Rows of any objects, and what people do to them: insert, update, delete, restore, merge, purge."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.derive import PendingRecord
from adapters.memory.faults import MemoryFaults
from adapters.memory.log import MemoryCallLog
from adapters.memory.row_versions import Row, Version
from adapters.memory.schema import MANAGED, ObjectDef
from adapters.memory.validation import check_required, stored
from connector.errors import Conflict, Gone, SchemaChanged
from connector.ports import Clock, FieldSchema

SOMEBODY = "005000000000000PEO"
"""Who works in the CRM where nobody is named."""
INTEGRATION_USER = "005000000000000INT"
"""As whom the adapter writes."""
Derive = Callable[["Database", PendingRecord], None]
"""Sets the fields of a record that follow from others."""


class Database:
    """The records of one CRM. Whoever calls its methods is an all-powerful user; rights are the adapter's matter."""

    def __init__(self, clock: Clock, objects: Mapping[str, ObjectDef], *, derive: Derive | None = None) -> None:
        self.clock = clock
        self.objects = dict(objects)
        self.faults = MemoryFaults()
        self.log = MemoryCallLog(clock)
        self.skew = timedelta()
        """How far the CRM's clock is ahead of ours."""
        self.commit_delay = timedelta()
        """How long what is written from now on stays invisible after its stamp."""
        self.lock = threading.RLock()
        self._derive = derive
        self._rows: dict[str, dict[str, Row]] = {name: {} for name in objects}
        self._keys: dict[tuple[str, str, str], str] = {}
        self._made = 0

    def now(self) -> datetime:
        """The present on the CRM's clock, in whole seconds."""
        return (self.clock.now() + self.skew).replace(microsecond=0)

    # ── schema ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def definition(self, name: str) -> ObjectDef:
        """Return an object's definition. Raises `SchemaChanged`."""
        if name not in self.objects:
            raise SchemaChanged(f"there is no object {name}.", object_name=name)
        return self.objects[name]

    def add_field(self, object_name: str, added: FieldSchema) -> None:
        """Declare a field."""
        with self.lock:
            self.objects[object_name] = self.definition(object_name).with_field(added)

    def remove_field(self, object_name: str, name: str) -> None:
        """Drop a field and its values."""
        with self.lock:
            self.objects[object_name] = self.definition(object_name).without_field(name)
            for row in self._rows[object_name].values():
                kept = [replace(version, values=_without(version.values, name)) for version in row.versions]
                row.versions[:] = kept
            self._keys = {key: row_id for key, row_id in self._keys.items() if key[:2] != (object_name, name)}

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────

    def insert(
        self, object_name: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str = SOMEBODY
    ) -> str:
        """Make a record and return its id; `at` back-dates it. Raises `RecordRejected`."""
        with self.lock:
            definition = self.definition(object_name)
            empty = {name: False for name, field in definition.fields.items() if field.type == "boolean"}
            values_with_defaults = {**definition.defaults, **_filled(values)}
            self._made += 1
            row = Row(f"{definition.prefix}{self._made:012d}AAA", object_name, self._moment(at), by)
            self._write(row, _without(empty, *MANAGED), values_with_defaults, at, by)
            self._rows[object_name][row.id] = row
            return row.id

    def update(
        self, record_id: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str = SOMEBODY
    ) -> None:
        """Change fields. One that changes nothing moves the stamps all the same. Raises `RecordRejected`."""
        with self.lock:
            row = self._living(record_id)
            self._write(row, row.latest.values, values, at, by)

    def touch(self, record_id: str) -> None:
        """Let the CRM itself move a record's stamp, as it does when a task is added to it."""
        with self.lock:
            row = self._living(record_id)
            self._put(row, replace(row.latest, modified=self.now()))

    def delete(self, record_id: str) -> None:
        """Put a record into the bin, with what hangs on it."""
        with self.lock:
            row = self._living(record_id)
            for object_name, field in self.definition(row.object).cascades:
                for child in self._pointing(object_name, field, record_id):
                    self.delete(child.id)
            self._bury(row, None)

    def restore(self, record_id: str) -> None:
        """Take a record out of the bin."""
        with self.lock:
            row = self.row(record_id)
            if row is None or not row.latest.deleted:
                raise ValueError(f"{record_id} is not in the bin")
            self._claim_keys(row, row.latest.values)
            self._put(row, replace(row.latest, deleted=False, merged_into=None, modified=self.now()))

    def merge(self, survivor_id: str, loser_id: str) -> None:
        """Merge one record into another: what pointed at the loser points at the survivor."""
        with self.lock:
            survivor, loser = self._living(survivor_id), self._living(loser_id)
            for object_name, definition in self.objects.items():
                for field in definition.fields.values():
                    if loser.object in field.references and field.name not in MANAGED:
                        self._repoint(object_name, field.name, loser_id, survivor_id)
            self._bury(loser, survivor_id)
            self._put(survivor, replace(survivor.latest, modified=self.now(), edited=self.now()))

    def purge(self, record_id: str) -> None:
        """Remove a record without a trace."""
        with self.lock:
            row = self._row_of(record_id)
            self._release_keys(row)
            del self._rows[row.object][record_id]

    # ── what there is ────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, record_id: str | None) -> Row | None:
        """Return a record by its id, dead or alive."""
        if record_id is None:
            return None
        return next((rows[record_id] for rows in self._rows.values() if record_id in rows), None)

    def rows(self, object_name: str) -> Iterator[Row]:
        """Yield all records of an object, the dead ones too."""
        self.definition(object_name)
        return iter(list(self._rows[object_name].values()))

    def get(self, record_id: str) -> dict[str, Any]:
        """Return what a living record holds: every field, the CRM's own too. Raises `Gone`."""
        with self.lock:
            row = self._living(record_id)
            return {name: row.value(row.latest, name) for name in self.objects[row.object].fields}

    def all(self, object_name: str) -> list[dict[str, Any]]:
        """Return all living records of an object, oldest first."""
        with self.lock:
            return [self.get(row.id) for row in self.rows(object_name) if not row.latest.deleted]

    def holder(self, object_name: str, field: str, value: str) -> str | None:
        """Return the id of the living record that has this unique value."""
        return self._keys.get((object_name, field, value.casefold()))

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(
        self, row: Row, before: Mapping[str, Any], changes: Mapping[str, Any], at: datetime | None, by: str
    ) -> None:
        definition = self.definition(row.object)
        values = dict(before)
        for name, value in changes.items():
            values[name] = stored(definition.fields[name], value)
        if self._derive is not None:
            self._derive(self, PendingRecord(row.object, values, before, self._moment(at)))
        check_required(definition, values)
        self._claim_keys(row, values)
        moment = self._moment(at)
        self._put(row, Version(values, modified=moment, edited=moment, visible_from=moment, edited_by=by))

    def _put(self, row: Row, version: Version) -> None:
        now = self.now()
        row.put(replace(version, visible_from=now + self.commit_delay), now)

    def _bury(self, row: Row, merged_into: str | None) -> None:
        self._release_keys(row)
        self._put(row, replace(row.latest, deleted=True, merged_into=merged_into, modified=self.now()))

    def _repoint(self, object_name: str, field: str, old: str, new: str) -> None:
        for row in self._pointing(object_name, field, old):
            values = {**row.latest.values, field: new}
            self._put(row, replace(row.latest, values=values, modified=self.now()))

    def _pointing(self, object_name: str, field: str, record_id: str) -> list[Row]:
        rows = self._rows[object_name].values()
        return [row for row in rows if row.latest.values.get(field) == record_id and not row.latest.deleted]

    def _row_of(self, record_id: str) -> Row:
        row = self.row(record_id)
        if row is None:
            raise Gone(f"there is no record {record_id}.", code="NOT_FOUND")
        return row

    def _living(self, record_id: str) -> Row:
        row = self._row_of(record_id)
        if row.latest.deleted:
            error = Gone("entity is deleted", code="ENTITY_IS_DELETED")
            error.merged_into = row.latest.merged_into
            raise error
        return row

    def _claim_keys(self, row: Row, values: Mapping[str, Any]) -> None:
        wanted = {}
        for name, field in self.objects[row.object].fields.items():
            if field.unique and values.get(name) is not None:
                wanted[row.object, name, str(values[name]).casefold()] = name
        for key, name in wanted.items():
            holder = self._keys.get(key)
            if holder not in (None, row.id):
                raise _duplicate(name, holder)
        self._release_keys(row)
        self._keys.update(dict.fromkeys(wanted, row.id))

    def _release_keys(self, row: Row) -> None:
        for name, value in row.latest.values.items() if row.versions else ():
            key = (row.object, name, str(value).casefold())
            if self._keys.get(key) == row.id:
                del self._keys[key]

    def _moment(self, at: datetime | None) -> datetime:
        return self.now() if at is None else at.replace(microsecond=0)


def _duplicate(field: str, holder: str | None) -> Conflict:
    what = f"duplicate value found: {field} duplicates value on record with id: {holder}"
    error = Conflict(what, code="DUPLICATE_VALUE", fields=(field,))
    error.existing_id = holder
    return error


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}
