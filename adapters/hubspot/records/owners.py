"""Owners: a short list that cannot be searched, and that is read as a whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import OWNERS as _PATH
from adapters.hubspot.records import conditions
from adapters.hubspot.records.wire_values import RecordId, from_wire, is_stamp, stamp
from connector.ports import FieldSchema, ObjectSchema, Query, ReadTimes, Record

OWNERS: Final = "owners"
_LASTS: Final = timedelta(hours=1)
_KEPT_AS: Final = "list"
_PAGE: Final = 500
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("Owner id", "id"),
    "email": ("E-mail", "email"),
    "firstName": ("First name", "text"),
    "lastName": ("Last name", "text"),
    "userId": ("User id", "text"),
    "type": ("Type", "text"),
    "archived": ("Deactivated", "boolean"),
    "createdAt": ("Created", "datetime"),
    "updatedAt": ("Updated", "datetime"),
}
TYPES: Final = {name: kind for name, (_, kind) in _FIELDS.items()}


def owner_schema() -> ObjectSchema:
    """Return what an owner looks like: HubSpot has no properties of owners that could be asked for."""
    fields = {
        name: FieldSchema(name, label, kind, createable=False, updateable=False)
        for name, (label, kind) in _FIELDS.items()
    }
    return ObjectSchema(OWNERS, "Owners", fields, createable=False, updateable=False)


class Owners:
    """Reads the list, people who have left included: they still own records."""

    def __init__(self, client: HubSpotClient, read_times: ReadTimes) -> None:
        self._client = client
        self._read_times = read_times

    def due(self, since: datetime | None) -> bool:
        """Tell whether the list is to be read again: at most hourly, since it hardly changes."""
        before = self._read_times.last(OWNERS, _KEPT_AS)
        return since is None or before is None or self._client.clock.now() - before[0] >= _LASTS

    def seen(self, at: datetime) -> None:
        """Note that the list was read."""
        self._read_times.note(OWNERS, _KEPT_AS, at)

    def records(self, query: Query) -> list[Record]:
        """Return the owners that a query matches, ordered by (stamp, id)."""
        records = [_record(row, query) for row in self._rows() if conditions.holds(query.where, row, TYPES)]
        return sorted(records, key=lambda record: (record.modified, record.id))

    def _rows(self) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for archived in ("true", "false"):
            query = {"limit": _PAGE, "archived": archived}
            for answer in self._client.pages(_PATH, query, call="owners"):
                rows |= {str(row["id"]): row for row in answer.rows}
        return list(rows.values())


def _record(row: Mapping[str, Any], query: Query) -> Record:
    if is_stamp(row.get("updatedAt")):
        return Record(OWNERS, RecordId(row["id"]), stamp(row["updatedAt"]), _chosen(row, query.fields))
    return Record(OWNERS, RecordId(row["id"]), "", {}, fault="its time of change is nothing that HubSpot gives.")


def _chosen(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: from_wire(row.get(name)) for name in names}
