"""Reading in bulk: what is left of a long listing, in the same order, by a handful of calls."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from adapters.salesforce.http.client import SalesforceClient
from adapters.salesforce.records import soql
from adapters.salesforce.records.bulk import COMPLETE, BulkJob, JobFailed, JobTable, finished
from adapters.salesforce.records.rows import SalesforceColumns, is_stamp
from adapters.salesforce.schemas import FieldKind, SalesforceSchemas
from connector.domain.quoting import short_name
from connector.errors import NotPermitted, SchemaChanged
from connector.ports import Page, Position, Record

LEAST: Final = 20_000
"""How many records must be left for a job to need fewer calls than pages do; measured, see the decision on bulk."""
SCARCE: Final = 0.01
"""From which part of the org's day on the calls of pages are worth a job. Pages are understood with less work, and come at once."""
PAGE: Final = 2_000
PART: Final = 50_000
"""Records in one file of results."""

Parse = Callable[[str], Any]


def is_worth_a_job(left: int, allowed: int | None) -> bool:
    """Tell whether so many records are better read by a job than by pages; `allowed`: the org's calls of a day, where it has told."""
    return left >= LEAST and (allowed is None or left > SCARCE * allowed * PAGE)


def _moment(text: str) -> str:
    """A time as the other API writes it: places in a listing are compared as texts."""
    return f"{text[:-1]}+0000" if text.endswith("Z") else text


def _whole(text: str) -> int:
    return int(float(text))


_PARSED: Final[Mapping[str, Parse]] = {
    "boolean": lambda text: text == "true",
    "int": _whole,
    "long": _whole,
    "double": float,
    "currency": float,
    "percent": float,
    "datetime": _moment,
}
_UNSUITED: Final = frozenset({"address", "location", "base64", "anytype", "complexvalue", ""})
"""Kinds of field that this API does not give, or not as the other does."""


class BulkReader:
    """Reads listings by query jobs. What it was refused once it offers no more."""

    def __init__(self, client: SalesforceClient, schemas: SalesforceSchemas) -> None:
        self._client = client
        self._schemas = schemas
        self._refused: set[str] = set()

    def offers(self, columns: SalesforceColumns) -> bool:
        """Tell whether these columns can be read in bulk; may ask for the description of their objects."""
        return columns.object not in self._refused and self._parsers(columns) is not None

    def pages(self, columns: SalesforceColumns, text: str, *, after: Position) -> Iterator[Page]:
        """Yield what a query lists behind a place, and empty pages while it is prepared.

        The rows come in the order that the query asks for. `JobFailed`: they do not, or not at all; pages must be asked for instead.
        """
        parsers = self._parsers(columns) or {}
        try:
            job = BulkJob(self._client, "query", {"operation": "queryAll", "query": text}, what=columns.object)
            for answer in job.wait():
                if not finished(answer):
                    yield Page((), None, answer.server_time)
            if answer.data["state"] != COMPLETE:
                raise job.failure(answer)
            for table in job.tables("results", f"maxRecords={PART}"):
                for page in _pages(columns, table, parsers):
                    yield _in_order(page, after)
                    after = page.last or after
        except JobFailed:
            self._refused.add(columns.object)
            raise

    def _parsers(self, columns: SalesforceColumns) -> dict[str, Parse] | None:
        """Return how each column is read, by its name in lower case; None: one of them is nothing for this API."""
        try:
            kinds = {path.lower(): self._kind(columns.object, path) for path in columns.selected}
        except (SchemaChanged, NotPermitted):
            return None
        if any(kind is None or kind.type.lower() in _UNSUITED for kind in kinds.values()):
            return None
        return {path: _PARSED.get(kind.type.lower(), str) for path, kind in kinds.items() if kind is not None}

    def _kind(self, object_name: str, path: str) -> FieldKind | None:
        """Return what stands at the end of a path; None where a lookup may lead to several objects, or nowhere."""
        first, _, rest = path.lower().partition(".")
        kinds = self._schemas.kinds(object_name)
        if not rest:
            return kinds.get(first)
        lookup = next((kind for kind in kinds.values() if kind.relationship.lower() == first), None)
        if lookup is None or len(lookup.references) != 1:
            return None
        return self._kind(lookup.references[0], rest)


def _pages(columns: SalesforceColumns, table: JobTable, parsers: Mapping[str, Parse]) -> Iterator[Page]:
    records = _records(columns, table, parsers)
    while chunk := list(islice(records, PAGE)):
        yield Page(chunk, Position(chunk[-1].modified, chunk[-1].id), table.server_time)


def _records(columns: SalesforceColumns, table: JobTable, parsers: Mapping[str, Parse]) -> Iterator[Record]:
    """Yield the rows as records, keyed exactly as asked for; null and empty are one here, as in all of Salesforce."""
    places = {name.lower(): place for place, name in enumerate(table.header)}
    if not table.header:
        return
    if missing := [name for name in columns.selected if name.lower() not in places]:
        raise JobFailed(f"its results leave out {', '.join(missing)}.")

    def value(row: list[str], name: str) -> Any:
        text = row[places[name.lower()]]
        try:
            return parsers[name.lower()](text) if text else None
        except (ValueError, OverflowError) as error:
            raise JobFailed(f"its results hold {short_name(text)!r} in {name}.") from error

    for row in table.rows():
        fields = {name: value(row, name) for name in columns.asked}
        deleted = bool(value(row, "IsDeleted")) if columns.traits.deletable else False
        survivor = value(row, "MasterRecordId") if columns.traits.mergeable and deleted else None
        record_id, modified = soql.known_id(value(row, "Id")), value(row, columns.traits.stamp)
        if record_id is None or not is_stamp(modified):
            raise JobFailed("its results hold a row that is no record.")
        yield Record(columns.object, record_id, modified, fields, deleted, survivor)


def _in_order(page: Page, after: Position) -> Page:
    """Return the page if its records come behind a place, each behind the one before: the cursor is only true then."""
    for record in page.records:
        place = Position(record.modified, record.id)
        if place <= after:
            raise JobFailed(f"its results are not in order at {place.id}.")
        after = place
    return page
