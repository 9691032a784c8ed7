"""Reading all records of an object in the order of their ids: by lists, which are not under the limit of searches."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import objects
from adapters.hubspot.records.rows import HubSpotColumns, Row, living
from adapters.hubspot.records.wire_values import RecordId
from connector.errors import CursorInvalid
from connector.ports import Position

MANY: Final = 2_000
"""Records of an object from which on all of them are read by lists: fewer are had with half the calls by searches."""
Found = tuple[Sequence[Row], datetime]
"""Rows in the order of the listing, and the CRM's clock when the first of them were asked for."""
_LISTED: Final = 100
_SEARCHED: Final = 200
_LONGEST_LIST: Final = 6_000
"""Characters of property names in an address."""
_NO_STAMP: Final = ""
"""In a place that an id alone tells. It comes before all stamps."""


class Lists:
    """Lists the living records of any object."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client

    def can_show(self, columns: HubSpotColumns) -> bool:
        """Tell whether a list can show what is asked for: it takes no conditions, and the properties stand in its address."""
        return not columns.where and len(_names(columns)) <= _LONGEST_LIST

    def all(self, columns: HubSpotColumns) -> Iterator[Found]:
        """Yield all living records."""
        query = {"limit": _LISTED, "properties": _names(columns)}
        for answer in self._client.pages(objects(columns.object), query, call=f"list of {columns.object}"):
            yield living(answer.rows), answer.server_time

    def behind(self, columns: HubSpotColumns, record_id: str) -> Iterator[Found]:
        """Yield what a list that was cut off had not come to, by searches: its own places need not be good later, ids are."""
        call = f"changes of {columns.object}"
        while True:
            place = {"propertyName": "hs_object_id", "operator": "GT", "value": str(record_id)}
            body = {
                "filterGroups": [{"filters": [place]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": list(columns.selected),
                "limit": _SEARCHED,
            }
            answer = self._client.ask_list(objects(columns.object, "search"), body, call=call, search=True)
            if not answer.rows:
                return
            last = max(RecordId(row["id"]) for row in answer.rows)
            if last <= RecordId(record_id):
                what = "the search does not get on: it shows again what it was not asked for."
                raise CursorInvalid(what, where=self._client.where(call))
            record_id = last
            yield living(answer.rows), answer.server_time


def place_in_list(rows: Sequence[Row]) -> Position | None:
    """Return the place behind these rows in a listing by id."""
    return Position(_NO_STAMP, max(RecordId(row["id"]) for row in rows)) if rows else None


def is_in_list(place: Position | None) -> bool:
    """Tell whether a place is one in a listing by id."""
    return place is not None and place.modified == _NO_STAMP


def _names(columns: HubSpotColumns) -> str:
    return ",".join(columns.selected)
