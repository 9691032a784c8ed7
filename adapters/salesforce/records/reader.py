"""Reading: what changed, how many there are, and the present state of some records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote as percent

from adapters.salesforce.errors import QueryTimeout, failure, not_data
from adapters.salesforce.http.client import SalesforceAnswer, SalesforceClient, expect_object
from adapters.salesforce.http.version import API_VERSION
from adapters.salesforce.records import bulk_reader, soql
from adapters.salesforce.records.bulk import JobFailed
from adapters.salesforce.records.bulk_reader import BulkReader
from adapters.salesforce.records.rows import SalesforceColumns, records
from adapters.salesforce.schemas import SalesforceSchemas, Traits
from connector.errors import CursorInvalid, RecordRejected, SchemaChanged
from connector.ports import Condition, Page, Position, Query, Record

_T = TypeVar("_T")
_REFUSALS = (SchemaChanged, RecordRejected)
"""What a query is answered with that names a field which is not there, or cannot be filtered by."""
_OPTIONS = {"Sforce-Query-Options": "batchSize=2000"}
_LONGEST_ADDRESS = 13_000
"""Bytes. Salesforce takes 16,384 for address and headers together; a token alone may need 2,000."""
_IDS_IN_A_QUERY = 150
"""Keeps a condition below the 4,000 characters that Salesforce allows."""
_MOST_EMPTY = 100
"""Pages without a record, one after the other, in a listing that says that it goes on."""
_FIRST_YEAR = datetime(1999, 1, 1, tzinfo=UTC)
_SHORTEST_WINDOW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ListingWindow:
    """A part of the listing ordered by (stamp, id): from `since` or behind `after`, and before `until`."""

    since: datetime | None
    after: Position | None
    until: datetime | None = None

    @property
    def start(self) -> datetime:
        """The earliest stamp that it can hold."""
        if self.after is not None:
            return moment(self.after.modified)
        return self.since or _FIRST_YEAR

    def conditions(self, stamp: str) -> Iterator[str]:
        """Yield its bounds as SOQL."""
        if self.since is not None:
            yield f"{stamp} >= {soql.instant(self.since)}"
        if self.after is not None:
            at, last = soql.instant(moment(self.after.modified)), soql.quote(soql.id18(self.after.id))
            yield f"({stamp} = {at} AND Id > {last}) OR {stamp} > {at}"
        if self.until is not None:
            yield f"{stamp} < {soql.instant(self.until)}"


class Stride:
    """How much time one query may span, None being all there is.

    One that is known from an earlier pass becomes wider with each query, until something takes too long in this pass as well: five
    minutes that were right for what is new would else be kept for the whole of history.
    """

    def __init__(self, known: timedelta | None) -> None:
        self.width = known
        self._may_grow = True

    def grow(self) -> None:
        """Note that a query was answered."""
        if self.width is not None and self._may_grow:
            self.width *= 2

    def shrink(self, width: timedelta) -> None:
        """Take this width from now on."""
        self.width = width
        self._may_grow = False


def moment(stamp: str) -> datetime:
    """Return the instant that Salesforce's text for it names."""
    return datetime.fromisoformat(stamp).astimezone(UTC)


class SalesforceReader:
    """Asks questions in SOQL, of all rows unless said otherwise: what is deleted or archived is there too."""

    def __init__(self, client: SalesforceClient, schemas: SalesforceSchemas) -> None:
        self._client = client
        self._schemas = schemas
        self._bulk = BulkReader(client, schemas)
        self._widths: dict[str, timedelta] = {}
        """By object: how much time one query may span, since one that spanned more took too long."""

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield pages as the port says. A query that takes too long is asked again for ever shorter windows of time.

        When much is left after a page, the rest is read in bulk; if that fails, pages go on where it ended.
        """
        columns = SalesforceColumns(query.object, query.fields, self._schemas.traits(query.object))
        place, stride = ListingWindow(since, after), Stride(self._widths.get(query.object))
        while True:
            window = self._cut(place, stride.width)
            try:
                for page in self._pages(columns, query, window):
                    if page.last is not None:
                        place = ListingWindow(since, page.last)
                    yield page
            except QueryTimeout as error:
                self._widths[query.object] = self._narrower(window, error)
                stride.shrink(self._widths[query.object])
                continue
            except JobFailed:
                continue
            except _REFUSALS as error:
                traits = self._schemas.corrected(query.object, columns.traits, error)
                columns = SalesforceColumns(query.object, query.fields, traits)
                continue
            if window.until is None:
                return
            stride.grow()
            place = ListingWindow(window.until, None)

    def count(self, query: Query) -> int:
        """Return how many live records match now. A question that takes too long is asked again for ever shorter windows of time."""
        return self._by_traits(query.object, partial(self._count, query))

    def _count(self, query: Query, traits: Traits) -> int:
        total, place, stride = 0, ListingWindow(None, None), Stride(None)
        while True:
            window = self._cut(place, stride.width)
            try:
                total += self._count_within(query, window, traits)
            except QueryTimeout as error:
                stride.shrink(self._narrower(window, error))
                continue
            if window.until is None:
                return total
            place = ListingWindow(window.until, None)

    def _count_within(self, query: Query, window: ListingWindow, traits: Traits) -> int:
        call = f"count {query.object}"
        bounds = window.conditions(traits.stamp)
        text = soql.count(query.object, soql.where(query.where), _alive(traits), *bounds)
        return int(_rows(self.ask(text, call=call), self._client.where(call))["totalSize"])

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the present state of live records by their 18 character ids."""
        wanted = iter(dict.fromkeys(soql.id18(text) for text in ids if soql.is_id(text)))
        by_id: dict[str, Record] = {}
        while chunk := tuple(islice(wanted, _IDS_IN_A_QUERY)):
            among = soql.condition(Condition("Id", "in", chunk))
            by_id |= self._by_traits(object_name, partial(self._present, object_name, tuple(fields), among))
        return by_id

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """Return the live record whose key holds this value; the oldest of several, which a unique field does not let be."""
        holds = soql.condition(Condition(field, "=", (value,)))
        by_id = self._by_traits(object_name, partial(self._present, object_name, tuple(fields), holds))
        return by_id[min(by_id)] if by_id else None

    def _present(self, object_name: str, fields: tuple[str, ...], among: str, traits: Traits) -> dict[str, Record]:
        columns = SalesforceColumns(object_name, fields, traits)
        text = soql.select(columns.selected, object_name, among, _alive(traits))
        listing = self._named(fields, self._listing(text, call=f"fetch {object_name}"))
        return {record.id: record for answer in listing for record in records(columns, answer.data["records"])}

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> list[Record]:
        """Return the live records that were made last, the newest first."""
        return self._by_traits(object_name, partial(self._newest, object_name, tuple(fields), limit))

    def _newest(self, object_name: str, fields: tuple[str, ...], limit: int, traits: Traits) -> list[Record]:
        columns = SalesforceColumns(object_name, fields, traits)
        text = soql.newest(columns.selected, object_name, _alive(traits), limit=limit)
        listing = self._named(fields, self._listing(text, call=f"newest of {object_name}"))
        return [record for answer in listing for record in records(columns, answer.data["records"])]

    def _by_traits(self, object_name: str, ask: Callable[[Traits], _T]) -> _T:
        """Ask by what is usual of an object, and once more by what is so, where that turns out wrong."""
        traits = self._schemas.traits(object_name)
        try:
            return ask(traits)
        except _REFUSALS as error:
            return ask(self._schemas.corrected(object_name, traits, error))

    def rows(self, text: str, *, call: str, resource: str = "queryAll") -> list[dict[str, Any]]:
        """Return all rows of a small query as they are; ``query`` as the resource leaves out what is deleted."""
        return [row for answer in self._listing(text, call=call, resource=resource) for row in answer.data["records"]]

    def ask(self, text: str, *, call: str, resource: str = "queryAll") -> SalesforceAnswer:
        """Return the first page of a query."""
        path = f"{resource}?q={percent(text, errors='replace')}"
        if len(path) > _LONGEST_ADDRESS:
            return self._ask_in_body(path, call)
        return self._client.read(path, call=call, headers=_OPTIONS)

    def _ask_in_body(self, path: str, call: str) -> SalesforceAnswer:
        """Put a query that is too long for an address into the body of a composite request."""
        part = {"method": "GET", "url": f"/services/data/v{API_VERSION}/{path}", "referenceId": "query"}
        answer = self._client.ask("composite", {"compositeRequest": [part]}, call=call)
        where = self._client.where(call)
        try:
            inner = answer.data["compositeResponse"][0]
            status, body = int(inner["httpStatusCode"]), inner["body"]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise not_data(where) from error
        if status >= 300:
            raise failure(status, body, where=where, now=self._client.clock.now())
        return SalesforceAnswer(body, answer.server_time)

    def _listing(self, text: str, *, call: str, resource: str = "queryAll") -> Iterator[SalesforceAnswer]:
        where = self._client.where(call)
        answer = self.ask(text, call=call, resource=resource)
        seen: set[str] = set()
        empty = 0
        if _is_short(_rows(answer, where)):
            raise not_data(where)
        while True:
            page = _rows(answer, where)
            empty = 0 if page["records"] else empty + 1
            yield answer
            if page["done"]:
                return
            if empty > _MOST_EMPTY:
                raise CursorInvalid("the listing does not end: page after page of it is empty.", where=where)
            following = str(page.get("nextRecordsUrl") or "")
            if not following.startswith("/") or following in seen:
                raise CursorInvalid("the listing does not go on, though it is not done.", where=where)
            seen.add(following)
            answer = self._client.read(following, call=call, headers=_OPTIONS)

    def _pages(self, columns: SalesforceColumns, query: Query, window: ListingWindow) -> Iterator[Page]:
        left: int | None = None
        for answer in self._named(query.fields, self._listing(self._text(columns, query, window), call=_call(query))):
            left = (int(answer.data["totalSize"]) if left is None else left) - len(answer.data["records"])
            page = _page(columns, answer)
            yield page
            is_worth_a_job = bulk_reader.is_worth_a_job(left, self._client.meter.usage().allowed_today)
            if is_worth_a_job and page.last is not None and self._bulk.offers(columns):
                rest = ListingWindow(window.since, page.last, window.until)
                yield from self._bulk.pages(columns, self._text(columns, query, rest), after=page.last)
                return

    @staticmethod
    def _text(columns: SalesforceColumns, query: Query, window: ListingWindow) -> str:
        stamp = columns.traits.stamp
        bounds = window.conditions(stamp)
        return soql.select(columns.selected, query.object, soql.where(query.where), *bounds, order=(stamp, "Id"))

    @staticmethod
    def _named(fields: Sequence[str], listing: Iterator[SalesforceAnswer]) -> Iterator[SalesforceAnswer]:
        """Let an unknown field be named as it was asked for, which Salesforce does not do for paths."""
        try:
            yield from listing
        except SchemaChanged as error:
            error.field = _as_asked(error.field, fields)
            raise

    def _cut(self, place: ListingWindow, width: timedelta | None) -> ListingWindow:
        """Return the next window to ask for: all the rest, unless that has been too much."""
        if width is None:
            return place
        until = (place.start + width).replace(microsecond=0)
        if until >= self._client.clock.now():
            return place
        return ListingWindow(place.since, place.after, until)

    def _narrower(self, window: ListingWindow, error: QueryTimeout) -> timedelta:
        """Return half the window's width; raises the error when that would be too narrow to help."""
        width = ((window.until or self._client.clock.now()) - window.start) / 2
        if width < _SHORTEST_WINDOW:
            raise error
        return width


def _call(query: Query) -> str:
    return f"changes of {query.object}"


def _as_asked(field: str, fields: Sequence[str]) -> str:
    """Return the path that holds this name, unless the name itself was asked for."""
    lower = field.lower()
    if not lower or any(lower == asked.lower() for asked in fields):
        return field
    return next((asked for asked in fields if lower in asked.lower().split(".")), field)


def _alive(traits: Traits) -> str:
    return "IsDeleted = false" if traits.deletable else ""


def _rows(answer: SalesforceAnswer, where: str) -> dict[str, Any]:
    page = expect_object(answer, where)
    if not isinstance(page.get("records"), list) or not isinstance(page.get("done"), bool):
        raise not_data(where)
    return page


def _is_short(page: Mapping[str, Any]) -> bool:
    """Tell whether a listing that is said to be done on its first page holds less than it counts: the rest is not gone."""
    total = page.get("totalSize")
    return page["done"] and isinstance(total, int) and len(page["records"]) < total


def _page(columns: SalesforceColumns, answer: SalesforceAnswer) -> Page:
    """Return the answer's records, and let the answer go of them: it is held until the next page is asked for."""
    page_records = records(columns, answer.data.pop("records"))
    sound = next((record for record in reversed(page_records) if not record.fault), None)
    last = Position(sound.modified, sound.id) if sound is not None else None
    return Page(page_records, last, answer.server_time)
