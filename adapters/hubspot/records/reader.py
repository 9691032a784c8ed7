"""Reading: what changed, how many there are, and the present state of some records.

A search shows at most 10,000 results, and one that is paged through while records change skips some. So each page is a search of
its own, from the stamp where the last one ended; inside one stamp the ids decide.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.hubspot.errors import Absent, missing_property, says_absent, words
from adapters.hubspot.http.client import HubSpotAnswer, HubSpotClient
from adapters.hubspot.http.version import objects
from adapters.hubspot.records.archive import Archive
from adapters.hubspot.records.conditions import Filter
from adapters.hubspot.records.links import IDS_IN_A_READ, Links, chunks
from adapters.hubspot.records.lists import MANY, Found, Lists, is_in_list, place_in_list
from adapters.hubspot.records.owners import OWNERS, Owners
from adapters.hubspot.records.pipelines import Pipelines
from adapters.hubspot.records.rows import (
    Completer,
    HubSpotColumns,
    Row,
    by_soundness,
    columns_of,
    faulty,
    living,
    losers,
    stamped,
    tombstone,
)
from adapters.hubspot.records.wire_values import RecordId, from_wire, millis, moment
from adapters.hubspot.schemas import ACTIVITIES, HubSpotSchemas
from connector.errors import CrmError, CursorInvalid, RecordRejected, SchemaChanged, Unavailable
from connector.ports import Page, Position, Query, ReadTimes, Record
from connector.wire.headers import number_of

LAG: Final = timedelta(minutes=5)
"""How long a change may be missing from the search, with room to spare."""
_PAGE: Final = 200
_IDS_IN_A_READ: Final = 100
_LONGEST_SEARCH: Final = 2_900
"""Characters of a search; HubSpot takes 3,000."""
_STEP: Final = timedelta(milliseconds=1)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LOOK_BACK: Final = timedelta(days=14)
"""How long a record is looked at again for what was associated with it later: that leaves no trace on the record."""
_LOOK_BACK_AT_CONTACTS: Final = timedelta(days=1)
"""There may be very many of them; and a contact's first company is one of its properties too, so its change moves the stamp."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next search begins: at a stamp, or inside one behind an id."""

    start: datetime | None
    behind: str | None = None
    until: datetime | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """What grows from one search to the next, or reading would go round for ever."""
        earliest = datetime.min.replace(tzinfo=UTC)
        return (self.start or earliest, -1 if self.behind is None else int(self.behind))

    def filters(self, columns: HubSpotColumns) -> list[Filter]:
        """Return the place as filters."""
        name = columns.stamp
        filters: list[Filter] = []
        if self.behind is not None and self.start is not None:
            filters.append({"propertyName": name, "operator": "EQ", "value": millis(self.start)})
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": str(self.behind)})
        elif self.start is not None and self.until is not None:
            bounds = {"value": millis(self.start), "highValue": millis(self.until - _STEP)}
            filters.append({"propertyName": name, "operator": "BETWEEN", **bounds})
        elif self.start is not None:
            filters.append({"propertyName": name, "operator": "GTE", "value": millis(self.start)})
        return filters

    def sort(self, columns: HubSpotColumns) -> str:
        """Return the property to sort by."""
        return columns.stamp if self.behind is None else "hs_object_id"


class HubSpotReader:
    """Reads records of any object."""

    def __init__(self, client: HubSpotClient, schemas: HubSpotSchemas, links: Links, read_times: ReadTimes) -> None:
        self._client = client
        self._schemas = schemas
        self._owners = Owners(client, read_times)
        self._archive = Archive(client, read_times)
        self._lists = Lists(client)
        self._completer = Completer(links, Pipelines(client, read_times), self.properties)

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield pages as the port says."""
        try:
            pages = self._owner_changes if query.object == OWNERS else self._record_changes
            yield from pages(query, since, after)
        except RecordRejected as error:
            # No record is at fault in a question: something of this object cannot be asked, and the other objects can.
            remedy = "Look at the fields and conditions that the mapping has for it; `afterword check` tells more."
            raise SchemaChanged(error.what, where=error.where, remedy=remedy, object_name=query.object) from error

    def _record_changes(self, query: Query, since: datetime | None, after: Position | None) -> Iterator[Page]:
        columns = self._columns(query)
        began = self._client.now()
        gone: set[str] = set()
        empty = True
        for page in self._from(columns, since, after, gone):
            empty = False
            yield page
        if empty:
            # At once: whoever only wants to know whether this can be read need not wait for a long list of what was deleted.
            yield Page([], None, began)
        for records in self._afterwards(columns, since, gone):
            # These may come long after the last search: nothing that changed meanwhile must seem to have been read.
            yield Page(records, None, began)

    def _from(
        self, columns: HubSpotColumns, since: datetime | None, after: Position | None, gone: set[str]
    ) -> Iterator[Page]:
        """Yield the living records, all of them by lists where they are very many. These go by id, so a place in them has no stamp.

        What changes meanwhile is read by the next pass, which begins with the time at which this one began.
        """
        first = None
        if since is None and after is None and self._lists.can_show(columns):
            first = self._search(columns, Place(None), "")
            if int(first.data.get("total") or 0) >= MANY:
                yield from self._listed(columns, self._lists.all(columns), gone)
                return
        if after is not None and is_in_list(after):
            yield from self._listed(columns, self._lists.behind(columns, after.id), gone)
            return
        yield from self._living(columns, _start(since, after), after, gone, first=first)

    def _listed(self, columns: HubSpotColumns, listings: Iterator[Found], gone: set[str]) -> Iterator[Page]:
        for rows, server_time in _gathered(listings):
            page = self._page(columns, rows, None, server_time, gone)
            if page.records:
                yield replace(page, last=place_in_list(by_soundness(columns, rows)[0]))

    def _afterwards(
        self, columns: HubSpotColumns, since: datetime | None, gone: set[str]
    ) -> Iterator[Sequence[Record]]:
        """Yield what a search by stamp does not show: it belongs to no place in the listing."""
        if since is not None and columns.links and self._new_hour(since):
            yield from self._linked_late(columns, since)
        yield from self._archive.tombstones(columns, since, gone)

    def _owner_changes(self, query: Query, since: datetime | None, after: Position | None) -> Iterator[Page]:
        if not self._owners.due(since):
            yield Page([], None, self._client.now())
            return
        began = self._client.clock.now()
        records = self._owners.records(query)
        now = self._client.now()
        behind = [record for record in records if after is None or position(record) > after]
        for chunk in chunks(behind, _PAGE):
            last = next((position(owner) for owner in reversed(chunk) if not owner.fault), None)
            yield Page(chunk, last, now)
        if not behind:
            yield Page([], None, now)
        self._owners.seen(began)

    def _living(
        self,
        columns: HubSpotColumns,
        place: Place | None,
        after: Position | None,
        gone: set[str],
        *,
        first: HubSpotAnswer | None = None,
    ) -> Iterator[Page]:
        for rows, server_time in _gathered(self._searches(columns, place, first)):
            page = self._page(columns, rows, after, server_time, gone)
            after = page.last or after
            if page.records:
                yield page

    def _searches(
        self, columns: HubSpotColumns, place: Place | None, first: HubSpotAnswer | None = None
    ) -> Iterator[Found]:
        page = ""
        while place is not None:
            answer, first = first or self._search(columns, place, page), None
            more = bool(answer.following) and bool(answer.rows)
            rows, odd = by_soundness(columns, answer.rows)
            if more and not rows:  # none of them says where to search next, so it goes on by the number of the page
                page = self._next_page(columns, page, answer)
                yield living(odd), answer.server_time
                continue
            page = ""
            complete, following = _cut(columns, place, rows, more=more, fresh=self._client.now() - LAG)
            if following is not None and following.order <= place.order:
                raise self._stuck(columns)
            place = following
            yield living([*complete, *odd]), answer.server_time

    def _next_page(self, columns: HubSpotColumns, page: str, answer: HubSpotAnswer) -> str:
        """Return where the same search goes on. `CursorInvalid`: it leads nowhere new."""
        following = number_of(answer.following)
        if following is None or following <= (number_of(page) or 0):
            raise self._stuck(columns)
        return answer.following

    def _stuck(self, columns: HubSpotColumns) -> CursorInvalid:
        where = self._client.where(f"changes of {columns.object}")
        return CursorInvalid("the search does not get on: it shows again what it was not asked for.", where=where)

    def _page(
        self,
        columns: HubSpotColumns,
        rows: Sequence[Row],
        after: Position | None,
        server_time: datetime,
        gone: set[str],
    ) -> Page:
        """Return the records behind a place, each one's merged-away predecessors just before it."""
        sound, odd = by_soundness(columns, rows)
        sound.sort(key=lambda row: place_of(columns, row))
        behind = [row for row in sound if after is None or place_of(columns, row) > after]
        merged = {str(row["id"]): list(losers(row)) for row in behind}
        gone.update(loser for ids in merged.values() for loser in ids)
        records: list[Record] = []
        for record in self._completer.records(columns, behind):
            for loser in merged[record.id]:
                records.append(tombstone(columns, loser, record.modified, merged_into=record.id))
            records.append(record)
        last = position(records[-1]) if records else None
        records += [faulty(columns, row, last.modified if last else "") for row in odd]
        return Page(records, last, server_time)

    def _linked_late(self, columns: HubSpotColumns, since: datetime) -> Iterator[Sequence[Record]]:
        """Yield what changed lately once more, as it is associated now."""
        back = _LOOK_BACK_AT_CONTACTS if columns.object == "contacts" else _LOOK_BACK
        place = Place(since - back, until=since)
        for page in self._living(columns, place, None, set()):
            yield page.records

    def _new_hour(self, since: datetime) -> bool:
        """Tell if this is the first lap of an hour; `since` tells when the last lap began, in whatever process."""
        hour = timedelta(hours=1)
        start = datetime.min.replace(tzinfo=since.tzinfo)
        return (since + LAG - start) // hour != (self._client.now() - start) // hour

    # ── counting and fetching ────────────────────────────────────────────────────────────────────────────────────────

    def count(self, query: Query) -> int:
        """Return how many live records match now."""
        if query.object == OWNERS:
            return len(self._owners.records(query))
        columns = self._columns(query)
        if columns.groups is not None:
            body = _body(columns, Place(None), limit=1, selected=())
            if _size(body) <= _LONGEST_SEARCH:
                return int(self._ask(columns.object, body).data.get("total") or 0)
        return sum(len(page.records) for page in self._living(_here(columns), Place(None), None, set()))

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the present state of live records by id."""
        wanted = list(dict.fromkeys(record_id for record_id in ids if record_id.isdigit()))
        if not wanted:
            return {}
        query = Query(object_name, tuple(fields))
        if object_name == OWNERS:
            return {record.id: record for record in self._owners.records(query) if record.id in wanted}
        columns = self._columns(query)
        rows = self._read(object_name, wanted, columns.selected)
        return {record.id: record for record in self._completer.records(columns, rows)}

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> list[Record]:
        """Return the live records that were made last, the newest first: ids rise."""
        columns = self._columns(Query(object_name, tuple(fields)))
        body = {
            "filterGroups": [],
            "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
            "properties": list(columns.selected),
        }
        rows: list[Row] = []
        after, seen = "", set[str]()
        while len(rows) < limit:
            place = {"limit": min(_PAGE, limit - len(rows))} | ({"after": after} if after else {})
            answer = self._ask(object_name, body | place)
            rows += living(answer.rows)
            seen.add(after)
            after = answer.following
            if after in seen or not answer.rows:
                break
        return self._completer.records(columns, rows[:limit])

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """Return the live record whose key holds this value: by the key itself where it is unique, else the oldest of a search.

        `SchemaChanged`: there is no such property.
        """
        columns = self._columns(Query(object_name, tuple(fields)))
        key = self._schemas.fields(object_name, must=(field,)).get(field)
        if key is None:
            raise missing_property(field, where=self._client.where(f"find {object_name}"), object_name=object_name)
        row = self._by_key(columns, field, value) if key.unique else self._searched(columns, field, value)
        records = self._completer.records(columns, [row]) if row is not None else []
        return records[0] if records else None

    def _by_key(self, columns: HubSpotColumns, field: str, value: str) -> Row | None:
        query = {"idProperty": field, "properties": ",".join(columns.selected)}
        try:
            row = self._client.read(objects(columns.object, value), query, call=f"find {columns.object}").data
        except Absent:
            return None
        return None if row.get("archived") is True else row

    def _searched(self, columns: HubSpotColumns, field: str, value: str) -> Row | None:
        body = {
            "filterGroups": [{"filters": [{"propertyName": field, "operator": "EQ", "value": value}]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": list(columns.selected),
            "limit": 1,
        }
        path = objects(columns.object, "search")
        rows = self._client.ask_list(path, body, call=f"find {columns.object}", search=True).rows
        return rows[0] if rows else None

    def properties(self, object_name: str, ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return properties of live records by id, without asking whether there are such properties."""
        rows = self._read(object_name, ids, names)
        return {str(row["id"]): {key: from_wire(value) for key, value in row["properties"].items()} for row in rows}

    def _read(self, object_name: str, ids: Sequence[str], names: Sequence[str]) -> list[Row]:
        """Read by id. A merged-away id may be answered with its survivor, who was not asked for.

        `Unavailable`: of one it is not certain that it is gone.
        """
        rows: dict[str, Row] = {}
        path = objects(object_name, "batch", "read")
        for chunk in chunks(ids, _IDS_IN_A_READ):
            body = {"properties": list(names), "inputs": [{"id": record_id} for record_id in chunk]}
            call = f"fetch {object_name}"
            answer = self._client.ask_list(path, body, call=call)
            unread = [row for row in answer.errors if not says_absent(row)]
            if unread:
                raise Unavailable(words(unread[0]), where=self._client.where(call))
            rows |= {str(row["id"]): row for row in living(answer.rows)}
        return [rows[record_id] for record_id in ids if record_id in rows]

    # ── searching ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, query: Query) -> HubSpotColumns:
        needed = [*query.fields, *(term.field for terms in query.where for term in terms)]
        must = tuple(name for name in needed if not name.startswith("associations."))
        fields = self._schemas.fields(query.object, must=must)
        columns = columns_of(query, fields, self._client.where(f"changes of {query.object}"))
        if query.object in ACTIVITIES:
            columns = replace(columns, rich=self._schemas.rich(query.object))
        longest = _body(columns, Place(_LATEST, "9" * 20), limit=_PAGE, selected=())
        return columns if _size(longest) <= _LONGEST_SEARCH else _here(columns)

    def _search(self, columns: HubSpotColumns, place: Place, page: str) -> HubSpotAnswer:
        """Return a page of a search; properties that make it too long are read apart.

        A record that is gone by then keeps its place, archived, so that the search goes on behind it.
        """
        further = {"after": page} if page else {}
        body = _body(columns, place, limit=_PAGE, selected=columns.selected)
        if _size(body) <= _LONGEST_SEARCH:
            return self._ask(columns.object, body | further)
        answer = self._ask(columns.object, _body(columns, place, limit=_PAGE, selected=(columns.stamp,)) | further)
        read = self._read(columns.object, [str(row["id"]) for row in answer.rows], columns.selected)
        living = {str(row["id"]): row for row in read}
        rows = [living.get(str(row["id"]), {**row, "archived": True}) for row in answer.rows]
        return HubSpotAnswer({**answer.data, "results": rows}, answer.server_time)

    def _ask(self, object_name: str, body: Mapping[str, Any]) -> HubSpotAnswer:
        path = objects(object_name, "search")
        return self._client.ask_list(path, body, call=f"changes of {object_name}", search=True)


def _gathered(searches: Iterator[Found]) -> Iterator[Found]:
    """Join what several searches found: one call reads the associations of so many records. A failure comes after what was found.

    The first is handed on by itself, then twice as many each time: where few calls a day are left, some of them get anywhere.
    """
    rows: list[Row] = []
    began: datetime | None = None
    failure: CrmError | None = None
    most = _PAGE
    try:
        for page_rows, server_time in searches:
            began = began or server_time
            rows += page_rows
            if len(rows) + len(page_rows) > most:
                yield rows, began
                rows, began = [], None
                most = min(2 * most, IDS_IN_A_READ)
    except CrmError as error:
        failure = error
    if rows and began is not None:
        yield rows, began
    if failure is not None:
        raise failure


def _start(since: datetime | None, after: Position | None) -> Place:
    if after is None:
        return Place(since)
    at = moment(after.modified)
    return Place(since) if since is not None and since > at else Place(at, behind=str(after.id))


def _cut(
    columns: HubSpotColumns, place: Place, rows: Sequence[Row], *, more: bool, fresh: datetime
) -> tuple[Sequence[Row], Place | None]:
    """Return the rows that can be handed on, and where to search next.

    The last stamp of a page may go on behind it, so it is read whole by the next search. A record that has just changed may stand
    where it stood before, with its new stamp: it says nothing about its neighbours, and comes again where it belongs.
    """
    if place.behind is not None and place.start is not None:
        complete = [row for row in rows if moment(stamped(columns, row)) == place.start]
        if more:
            return complete, Place(place.start, behind=str(rows[-1]["id"]), until=place.until)
        return complete, Place(place.start + _STEP, until=place.until)
    if not more:
        return rows, None
    stamps = [moment(stamped(columns, row)) for row in rows]
    settled = [at for at in stamps if at <= fresh]
    border = settled[-1] if settled else stamps[-1]
    complete = [row for row, at in zip(rows, stamps, strict=True) if at < border]
    if complete and (place.start is None or border > place.start):
        return complete, Place(border, until=place.until)
    tie = place.start if place.start in stamps else min(settled or stamps)
    return [], Place(tie, behind="0", until=place.until)


def place_of(columns: HubSpotColumns, row: Row) -> Position:
    """Return a row's place in the listing."""
    return Position(stamped(columns, row), RecordId(row["id"]))


def position(record: Record) -> Position:
    """Return a record's place in the listing."""
    return Position(record.modified, record.id)


def _here(columns: HubSpotColumns) -> HubSpotColumns:
    """Return the columns with their conditions checked here."""
    return replace(columns, groups=None)


def _body(columns: HubSpotColumns, place: Place, *, limit: int, selected: Iterable[str]) -> dict[str, Any]:
    bounds = place.filters(columns)
    groups = [[*group, *bounds] for group in columns.groups or []] or ([bounds] if bounds else [])
    return {
        "filterGroups": [{"filters": filters} for filters in groups],
        "sorts": [{"propertyName": place.sort(columns), "direction": "ASCENDING"}],
        "properties": list(selected),
        "limit": limit,
    }


def _size(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body))
