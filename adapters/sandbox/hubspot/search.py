"""Finding records: from a search body to the ids that match, in the order that was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adapters.sandbox.hubspot.errors import HubSpotError, bad_json, bad_request
from adapters.sandbox.hubspot.filters import Groups, SearchFilter, compile_groups, number_reader
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, Property
from adapters.sandbox.hubspot.portal.store import Floats, Mask, PortalRecord, PortalTable

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.portal.portal import Portal

MOST_RESULTS, MOST_PER_PAGE, USUAL_PER_PAGE, LONGEST_BODY = 10_000, 200, 10, 3_000
Places = npt.NDArray[np.int64]
_NUMERIC = frozenset({"number", "date", "datetime"})


@dataclass(frozen=True)
class SearchPage:
    """One page of a search: the records, how many match in all, and where the next page begins."""

    total: int
    records: Sequence[PortalRecord]
    following: int | None


class SearchRequest:
    """A search body that was understood.

    Among records that are equal in the asked order no other order is kept: the vendor promises none, and takes one sort only.
    """

    def __init__(self, portal: "Portal", object_type: PortalObjectType, body: Mapping[str, Any]) -> None:
        self._portal = portal
        self._held = object_type
        self._groups = compile_groups(portal, object_type, body.get("filterGroups", []))
        self._words = body.get("query", "").lower().split()
        self._sort, self._falling = _sorting(object_type, body.get("sorts", []))
        self.limit: int = body.get("limit", USUAL_PER_PAGE)
        self.start = _start(body.get("after") or "0")
        if not 0 <= self.limit <= MOST_PER_PAGE:
            raise HubSpotError(f"limit must be between 0 and {MOST_PER_PAGE}, was {self.limit}")
        if self.start + self.limit > MOST_RESULTS:
            raise bad_request()

    def run(self) -> SearchPage:
        """The page that was asked for."""
        table = self._portal.store.table(self._held.name)
        places = np.flatnonzero(self._matching(table))
        until = self.start + self.limit
        chosen = self._ordered(table, places, until)[self.start : until]
        records = [table.rows[record_id] for record_id in table.ids[chosen].tolist()]
        total = len(places)
        return SearchPage(total, records, until if until < total and self.limit else None)

    def _matching(self, table: PortalTable) -> Mask:
        matching: Mask = table.live.copy()
        if self._groups:
            matching &= np.logical_or.reduce([self._group(table, group) for group in self._groups])
        if self._words:
            matching = _narrowed(table, matching, [self._has_words])
        old = self._portal.index.old_versions(self._held)
        if old:
            self._look_back(table, matching, old)
        return matching

    def _group(self, table: PortalTable, group: list[SearchFilter]) -> Mask:
        matching: Mask = table.live.copy()
        for search_filter in group:
            if search_filter.mask is not None:
                matching &= search_filter.mask(table)
        rest = [search_filter.test for search_filter in group if search_filter.mask is None]
        return _narrowed(table, matching, rest) if rest else matching

    def _look_back(self, table: PortalTable, matching: Mask, old: Mapping[int, PortalRecord | None]) -> None:
        """Records whose writes are not indexed match as they were; what is archived meanwhile does not appear."""
        matching[table.mask(old)] = False
        seen = [key for key, record in old.items() if record and record.archived is None and self._accepts(record)]
        matching |= table.mask(seen) & table.live

    def _accepts(self, record: PortalRecord) -> bool:
        groups: Groups = self._groups or [[]]
        matches = any(all(search_filter.test(record) for search_filter in group) for group in groups)
        return matches and (not self._words or self._has_words(record))

    def _has_words(self, record: PortalRecord) -> bool:
        values = [self._portal.records.value(self._held, record, name) for name in self._held.searched]
        text = " ".join(value.lower() for value in values if value)
        return all(word in text for word in self._words)

    def _ordered(self, table: PortalTable, places: Places, until: int) -> Places:
        if self._sort.type not in _NUMERIC:
            return self._by_text(table, places)
        reader = number_reader(self._portal, self._held, self._sort)
        keys: Floats = table.column(self._sort.name, reader)[places]
        keys = -keys if self._falling else keys
        if len(places) > 4 * until + 1:
            # A place that ties with the last one wanted may be the last one wanted: keep them all.
            most = np.partition(keys, until)[until]
            if not np.isnan(most):
                kept = keys <= most
                places, keys = places[kept], keys[kept]
        return places[np.lexsort((_shuffled(table.ids[places]), keys))]

    def _by_text(self, table: PortalTable, places: Places) -> Places:
        value = self._portal.records.value

        def key(place: int) -> str:
            return (value(self._held, table.rows[int(table.ids[place])], self._sort.name) or "").lower()

        keys = {place: key(place) for place in places.tolist()}
        filled = sorted((place for place in keys if keys[place]), key=lambda place: keys[place], reverse=self._falling)
        return np.array(filled + [place for place in keys if not keys[place]], dtype=np.int64)


def _narrowed(table: PortalTable, places_mask: Mask, tests: Sequence[Callable[[PortalRecord], bool]]) -> Mask:
    """Judges the places that are left one by one."""
    left: Mask = np.zeros_like(places_mask)
    rows = table.rows
    places = np.flatnonzero(places_mask)
    kept = [all(test(rows[record_id]) for test in tests) for record_id in table.ids[places].tolist()]
    left[places] = kept
    return left


def _shuffled(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    return (ids.astype(np.uint64) * np.uint64(2_654_435_761)) & np.uint64(0xFFFF_FFFF)


def _sorting(object_type: PortalObjectType, sorts: Sequence[Any]) -> tuple[Property, bool]:
    """The property to sort by, and whether from the top down; creation order without any; raises HubSpotError."""
    if len(sorts) > 1:
        raise bad_request("At most 1 sort is allowed.")
    if not sorts:
        return object_type.properties[object_type.created], False
    if isinstance(sorts[0], Mapping):
        name = str(sorts[0].get("propertyName", ""))
        falling = str(sorts[0].get("direction", "ASCENDING")).upper() == "DESCENDING"
    else:
        name, falling = str(sorts[0]).removeprefix("-"), str(sorts[0]).startswith("-")
    if name not in object_type.properties:
        raise bad_request()
    return object_type.properties[name], falling


def _start(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise bad_json(f"after must be a whole number, was {text}")
    return int(text)
