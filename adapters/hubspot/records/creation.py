"""Creating once what has no unique property: it is looked for among what hangs on the same records.

A search would not do: it shows a new record only after a while, and a repeated creation would make a second one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import associations, objects
from adapters.hubspot.records.links import Links
from connector.errors import NotPermitted, RecordRejected, SchemaChanged
from connector.ports import Write

_NEWEST: Final = 500
"""How many of a record's associated ones are looked at: what may just have been created is among the newest."""
_TYPES: Final[Mapping[tuple[str, str], int]] = {
    ("tasks", "companies"): 192,
    ("tasks", "contacts"): 204,
    ("tasks", "deals"): 216,
    ("tasks", "tickets"): 230,
    ("notes", "companies"): 190,
    ("notes", "contacts"): 202,
}
_Lookup = Callable[[str, Sequence[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]


class Once:
    """Finds records by a property that is not unique."""

    def __init__(self, client: HubSpotClient, links: Links, properties: _Lookup) -> None:
        self._client = client
        self._links = links
        self._properties = properties
        self._types = dict(_TYPES)

    def known(self, writes: Sequence[Write], name: str) -> dict[str, str | None]:
        """Return the ids of records that these writes have created before, by the writes' keys; None: that cannot be told now."""
        wanted = {write.external[1]: write.key for write in writes if write.external}
        known: dict[str, str | None] = {}
        for object_name, ids in _anchors(writes).items():
            near = self._links.read(object_name, ids, writes[0].object)
            known |= {write.key: None for write in writes if _is_unread(write, object_name, near)}
            newest = _newest(near)
            held = self._properties(writes[0].object, newest, [name]) if newest else {}
            known |= {wanted[value]: record_id for record_id, row in held.items() if (value := row.get(name)) in wanted}
        loose = [write for write in writes if not write.related]
        return known | self._searched(loose, name)

    def types_for(self, writes: Sequence[Write]) -> dict[str, int]:
        """Return the plain kind of association for each object that the writes are related to."""
        start = writes[0].object
        return {
            end: self._type(start, end)
            for end in dict.fromkeys(ref.object for write in writes for ref in write.related)
        }

    def unrelatable(self, start: str, others: Sequence[str]) -> list[str]:
        """Return which of these objects there is no association with. What we may not ask about may be one of the others."""
        return [other for other in others if not self._may_relate(start, other)]

    def _searched(self, writes: Sequence[Write], name: str) -> dict[str, str]:
        """Search for what hangs on nothing; better late than not at all."""
        ids: dict[str, str] = {}
        for write in writes:
            value = write.external[1] if write.external else ""
            body = {
                "filterGroups": [{"filters": [{"propertyName": name, "operator": "EQ", "value": value}]}],
                "properties": [name],
                "limit": 1,
            }
            path = objects(write.object, "search")
            rows = self._client.ask_list(path, body, call=f"find {write.object}", search=True).rows
            if rows:
                ids[write.key] = str(rows[0]["id"])
        return ids

    def _may_relate(self, start: str, end: str) -> bool:
        try:
            self._type(start, end)
        except NotPermitted:
            return True
        except (SchemaChanged, RecordRejected):
            return False
        return True

    def _type(self, start: str, end: str) -> int:
        if (start, end) not in self._types:
            self._types[start, end] = self._asked_type(start, end)
        return self._types[start, end]

    def _asked_type(self, start: str, end: str) -> int:
        call = f"associations of {start} with {end}"
        for row in self._client.read_list(associations(start, end, "labels"), call=call).rows:
            if row.get("category") == "HUBSPOT_DEFINED" and not row.get("label"):
                return int(row["typeId"])
        what = f"{start} cannot be associated with {end}."
        raise SchemaChanged(what, where=self._client.where(call), object_name=start)


def _anchors(writes: Sequence[Write]) -> dict[str, list[str]]:
    """Return what the writes hang on: of each, the first record it is related to."""
    anchors: dict[str, list[str]] = {}
    for write in writes:
        if write.related:
            anchors.setdefault(write.related[0].object, []).append(write.related[0].id)
    return anchors


def _is_unread(write: Write, object_name: str, near: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether it is not known what hangs on the record that this write hangs on."""
    return bool(write.related) and write.related[0].object == object_name and write.related[0].id not in near


def _newest(near: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the newest of what hangs on each of some records."""
    newest = (sorted(ends, key=int)[-_NEWEST:] for ends in near.values())
    return list(dict.fromkeys(record_id for ends in newest for record_id in ends))
