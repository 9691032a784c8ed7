"""Calls that read: queries and their pages, single records, what was updated or deleted, descriptions."""

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from adapters.sandbox.salesforce.calls import SalesforceCall
from adapters.sandbox.salesforce.describe import describe, object_summary
from adapters.sandbox.salesforce.errors import RequestError, not_found
from adapters.sandbox.salesforce.org.field_values import parse_datetime, stamp
from adapters.sandbox.salesforce.org.ids import to_18
from adapters.sandbox.salesforce.org.permissions import visible_fields
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.org.store import Row
from adapters.sandbox.salesforce.paths import Paths
from adapters.sandbox.salesforce.query import QueryRun, Result
from adapters.sandbox.salesforce.soql import SoqlQuery
from adapters.sandbox.web import Response, json_response

MOST_PER_PAGE = 2_000
LEAST_PER_PAGE = 200
MOST_IDS = 600_000
OPEN_LOCATORS = 10
LOCATOR_LIFE = timedelta(days=2)
# How much one page carries, in fields; long text counts as many. Wide records make shorter pages.
_PAGE_BUDGET = 60_000
_LONG_TEXT = 20
_UPDATED_REACH = timedelta(days=30)
_DELETED_REACH = timedelta(days=15)
_NO_QUERY = SoqlQuery("", (), "", None, None, (), (), None, 0)


@dataclass(frozen=True)
class Locator:
    """The rest of a query's answer, which belongs to the session that asked."""

    result: Result
    token: str
    size: int
    opened: datetime


@dataclass
class Locators:
    """The open query locators of one org: at most ten for each user, for two days."""

    by_name: OrderedDict[str, Locator] = field(default_factory=OrderedDict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, result: Result, call: SalesforceCall, size: int) -> str:
        """Keeps a result and returns its name; the oldest of the user's makes room."""
        token = call.session.token
        own = [name for name, kept in self.by_name.items() if kept.token == token]
        for name in own[: max(0, len(own) - OPEN_LOCATORS + 1)]:
            del self.by_name[name]
        name = to_18(f"01gKx0{next(self.numbers):09d}")
        self.by_name[name] = Locator(result, token, size, call.org.clock.now())
        return name

    def find(self, name: str, call: SalesforceCall) -> Locator:
        """An open locator of this session; raises RequestError (INVALID_QUERY_LOCATOR)."""
        locator = self.by_name.get(name)
        if (
            locator is None
            or locator.token != call.session.token
            or locator.opened + LOCATOR_LIFE < call.org.clock.now()
        ):
            raise RequestError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return locator


def run_query(call: SalesforceCall, text: str | None, *, deleted: bool = False, tooling: bool = False) -> Response:
    """GET query or queryAll with `q`, of the data API or the Tooling API."""
    if not text:
        raise RequestError("MALFORMED_QUERY", "A query string has to be specified")
    result = QueryRun(call.org, call.access, deleted=deleted, tooling=tooling, version=call.version).run(text)
    size = _page_size(call, result)
    call.read(result.object.name, min(len(result.rows), size))
    if len(result.rows) <= size:
        return json_response(
            {"totalSize": result.total, "done": True, "records": [result.render(row) for row in result.rows]}
        )
    name = call.org.locators.open(result, call, size)
    return _page(call, name, call.org.locators.by_name[name], 0)


def next_page(call: SalesforceCall, locator: str) -> Response:
    """GET query/<locator>-<position>."""
    name, _, position = locator.partition("-")
    object_type = call.org.locators.find(name, call)
    if not position.isdigit() or int(position) >= len(object_type.result.rows):
        raise RequestError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, name, object_type, int(position))


def _page(call: SalesforceCall, name: str, locator: Locator, start: int) -> Response:
    end = start + locator.size
    rows = locator.result.rows[start:end]
    call.read(locator.result.object.name, len(rows))
    body: dict[str, Any] = {"totalSize": locator.result.total, "done": end >= len(locator.result.rows)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{name}-{end}"
    body["records"] = [locator.result.render(row) for row in rows]
    return json_response(body)


def _page_size(call: SalesforceCall, result: Result) -> int:
    options = call.request.headers.get("sforce-query-options", "").lower().replace(" ", "")
    wanted = options.partition("batchsize=")[2].partition(",")[0]
    size = min(max(int(wanted), LEAST_PER_PAGE), MOST_PER_PAGE) if wanted.isdigit() else MOST_PER_PAGE
    weight = sum(_LONG_TEXT if not column.spec.filterable else 1 for column in result.columns)
    size = min(size, max(LEAST_PER_PAGE, _PAGE_BUDGET // max(weight, 1)))
    return min(size, call.org.rows_per_page or size)


def get_record(call: SalesforceCall, object_type: OrgObjectType, record_id: str) -> Response:
    """GET sobjects/X/<id>, all visible fields or those of `fields`."""
    return _record(call, object_type, call.org.records.existing(object_type, record_id))


def get_by_key(call: SalesforceCall, object_type: OrgObjectType, spec: Field, key: str) -> Response:
    """GET sobjects/X/<field>/<key>: one record, or 300 with the addresses of several."""
    matches = call.org.records.matches(object_type, spec, key)
    if not matches:
        raise not_found()
    if len(matches) > 1:
        return several(call, object_type, matches)
    return _record(call, object_type, matches[0])


def several(call: SalesforceCall, object_type: OrgObjectType, matches: list[Row]) -> Response:
    """300: the addresses of all records that a key matches."""
    return json_response(
        [f"/services/data/v{call.version}/sobjects/{object_type.name}/{row['Id']}" for row in matches], 300
    )


def _record(call: SalesforceCall, object_type: OrgObjectType, row: Row) -> Response:
    call.read(object_type.name, 1)
    wanted = call.request.query.get("fields")
    return json_response(shown(call, object_type, row, wanted.split(",") if wanted else None))


def shown(call: SalesforceCall, object_type: OrgObjectType, row: Row, names: list[str] | None = None) -> dict[str, Any]:
    """A record with the named fields; raises RequestError (INVALID_FIELD) for one that is not there."""
    fields = (
        visible_fields(object_type, call.access)
        if names is None
        else [_named(call, object_type, name.strip()) for name in names]
    )
    paths = Paths(call.org.store, call.org.schema, call.access, _NO_QUERY)
    address = f"/services/data/v{call.version}/sobjects/{object_type.name}/{row['Id']}"
    body: dict[str, Any] = {"attributes": {"type": object_type.name, "url": address}}
    return body | {spec.name: paths.getter(object_type, spec)(row) for spec in fields}


def _named(call: SalesforceCall, object_type: OrgObjectType, name: str) -> Field:
    spec = object_type.find(name)
    if spec is None or not call.access.sees(object_type.name, spec):
        raise RequestError("INVALID_FIELD", f"No such column '{name}' on entity '{object_type.name}'")
    return spec


def updated(call: SalesforceCall, object_type: OrgObjectType) -> Response:
    """GET sobjects/X/updated: the ids changed in a span of at most 30 days back, and how far that can be trusted."""
    start, end = _span(call, _UPDATED_REACH)
    keys = call.org.store.table(object_type.name).sorted_by("SystemModstamp").between(stamp(start), stamp(end))
    rows = call.org.store.table(object_type.name).rows
    ids = [record_id for moved, record_id in keys if moved < stamp(end) and not rows[record_id]["IsDeleted"]]
    if len(ids) > MOST_IDS:
        raise RequestError("EXCEEDED_ID_LIMIT", f"more than {MOST_IDS} ids in the given span")
    call.read(object_type.name, len(ids))
    return json_response({"ids": ids, "latestDateCovered": stamp(_covered(call, end))})


def deleted(call: SalesforceCall, object_type: OrgObjectType) -> Response:
    """GET sobjects/X/deleted: what was deleted in a span of at most 15 days back."""
    start, end = _span(call, _DELETED_REACH)
    table = call.org.store.table(object_type.name)
    low, high = stamp(start), stamp(end)
    keys = [key for key in table.sorted_by("SystemModstamp").between(low, high) if table.rows[key[1]]["IsDeleted"]]
    keys += [key for key in table.purged if low <= key[0]]
    records = [{"id": record_id, "deletedDate": moment} for moment, record_id in sorted(keys) if moment < high]
    call.read(object_type.name, len(records))
    earliest = stamp(call.org.clock.now() - _DELETED_REACH)
    covered = stamp(_covered(call, end))
    return json_response({"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _covered(call: SalesforceCall, end: datetime) -> datetime:
    now = call.org.clock.now()
    return min(moment for moment in (end, now, call.org.oldest_pending() or now))


def _span(call: SalesforceCall, reach: timedelta) -> tuple[datetime, datetime]:
    """The asked span, its seconds cut off as the vendor does."""
    moments = [parse_datetime(call.request.query.get(name, "").replace(" ", "+")) for name in ("start", "end")]
    start, end = (moment.astimezone(UTC).replace(second=0, microsecond=0) if moment else None for moment in moments)
    if start is None or end is None:
        raise RequestError("INVALID_REPLICATION_DATE", "startDate and endDate must be given with a time zone")
    if end - start < timedelta(minutes=1):
        raise RequestError("INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start < call.org.clock.now() - reach:
        raise RequestError("INVALID_REPLICATION_DATE", f"startDate cannot be more than {reach.days} days ago")
    return start, end


def list_objects(call: SalesforceCall) -> Response:
    """GET sobjects: the objects that the user may read."""
    readable = [
        object_type for object_type in call.org.schema.objects.values() if call.org.readable(object_type, call.access)
    ]
    summaries = [object_summary(object_type, call.access, call.version) for object_type in readable]
    return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": summaries})


def describe_object(call: SalesforceCall, object_type: OrgObjectType) -> Response:
    """GET sobjects/X/describe; 304 when nothing changed since If-Modified-Since."""
    call.read(object_type.name, 0)
    changed = call.org.schema_changed_at()
    since = call.request.headers.get("if-modified-since")
    if since and changed <= parsedate_to_datetime(since).astimezone(UTC):
        return Response(304)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    return json_response(describe(object_type, call.access, call.org, call.version), headers=headers)
