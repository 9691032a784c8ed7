"""What was deleted: HubSpot archives records without touching their stamps, and a search never shows them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from adapters.hubspot.http.client import HubSpotAnswer, HubSpotClient
from adapters.hubspot.http.version import objects
from adapters.hubspot.records import conditions
from adapters.hubspot.records.rows import HubSpotColumns, Row, is_named, record_values, tombstone
from adapters.hubspot.records.wire_values import is_stamp, moment, stamp
from connector.ports import ReadTimes, Record

_EVERY: Final = timedelta(hours=1)
_SLACK: Final = 2 * _EVERY
"""A lap that did not look leaves its deletions to a later one, so that one looks further back than its own beginning."""
_KEPT_AS: Final = "archived"
_PAGE: Final = 100
_LONGEST_LIST: Final = 6_000
"""Characters of property names in an address."""


class Archive:
    """Lists archived records, of each object at most hourly: the list cannot be limited to what is new."""

    def __init__(self, client: HubSpotClient, read_times: ReadTimes) -> None:
        self._client = client
        self._read_times = read_times

    def tombstones(self, columns: HubSpotColumns, since: datetime | None, merged: set[str]) -> Iterator[list[Record]]:
        """Yield what was deleted since then. `merged` are ids of which better is known than that they are gone."""
        now = self._client.clock.now()
        if not self._due(columns.object, since, now):
            return
        yield from self._listed(columns, since, merged)
        self._read_times.note(columns.object, _KEPT_AS, now)

    def _due(self, object_name: str, since: datetime | None, now: datetime) -> bool:
        before = self._read_times.last(object_name, _KEPT_AS)
        return since is None or before is None or now - before[0] >= _EVERY

    def _listed(self, columns: HubSpotColumns, since: datetime | None, merged: set[str]) -> Iterator[list[Record]]:
        query = {"limit": _PAGE, "archived": "true"}
        names = ",".join(columns.plain)
        if names and len(names) <= _LONGEST_LIST:
            query["properties"] = names
        for answer in self._client.pages(objects(columns.object), query, call=f"archived {columns.object}"):
            # A row that is not said to be archived is none: an answer that leaves the question aside deletes nothing.
            rows = [row for row in answer.rows if is_named(row)]
            archived = [_dated(row, answer) for row in rows if row.get("archived") is True or row.get("archivedAt")]
            gone = [row for row in archived if row["id"] not in merged and _concerns(columns, row, since)]
            records = [
                tombstone(columns, str(row["id"]), _archived(row), fields=record_values(columns, row)) for row in gone
            ]
            if records:
                yield records


def _dated(row: Row, answer: HubSpotAnswer) -> Row:
    """Return a deleted record as it is, but for a time of deletion that cannot be: that it is gone counts all the same."""
    if is_stamp(row.get("archivedAt") or row.get("updatedAt")):
        return row
    return row | {"archivedAt": answer.server_time.isoformat()}


def _archived(row: Row) -> str:
    return stamp(str(row.get("archivedAt") or row["updatedAt"]))


def _concerns(columns: HubSpotColumns, row: Row, since: datetime | None) -> bool:
    """Tell if this may be news, and of a record that was asked for."""
    if since is not None and moment(_archived(row)) < since - _SLACK:
        return False
    asked = {term.field for terms in columns.where for term in terms}
    values = record_values(columns, row, every=True)
    return not asked <= set(values) or conditions.holds(columns.where, values, columns.types)
