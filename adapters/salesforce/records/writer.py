"""Writing: up to 200 records of one object in one call, one result for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import uniform
from typing import Any, Final

from adapters.salesforce import errors
from adapters.salesforce.errors import not_data
from adapters.salesforce.http.client import SalesforceClient, expect_list
from adapters.salesforce.records import soql
from adapters.salesforce.records.reader import SalesforceReader
from adapters.salesforce.refusals import TooMuchAtOnce, refusal
from adapters.salesforce.schemas import SalesforceSchemas
from connector.errors import CrmError, Gone, Locked, RecordRejected, SchemaChanged, Unavailable
from connector.ports import Condition, Write, WriteResult, check_writes
from connector.wire.requests_left import RequestsLeft

BATCH: Final = 200
_LOCK_ATTEMPTS: Final = 3
_MOST_REQUESTS: Final = 50
"""How many requests one call may come to when batches must be divided; what is not reached by then waits for the next lap."""
_DELETED: Final = "ENTITY_IS_DELETED"
_RECORD_FAULTS: Final = (RecordRejected, SchemaChanged)
"""A whole call refused with these was read and not carried out: one record of it is at fault."""


@dataclass(frozen=True, slots=True)
class Route:
    """How some of the writes are sent: together, by one request."""

    method: str
    path: str
    outcome: str
    """created or updated; for an upsert the answer says which."""


class SalesforceWriter:
    """Carries out writes on one object."""

    def __init__(self, client: SalesforceClient, reader: SalesforceReader, schemas: SalesforceSchemas) -> None:
        self._client = client
        self._reader = reader
        self._schemas = schemas

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Return one result for each write, in order. `Bug`: two writes name the same record, or there are too many."""
        check_writes(writes, most=BATCH, id_form=soql.id18)
        results: dict[str, WriteResult] = {}
        budget = RequestsLeft(_MOST_REQUESTS)
        for route, route_writes in _routes(writes).items():
            for result in self._carry_out(route, route_writes, budget, known=bool(results)):
                results[result.write.key] = result
        self.name_survivors(results.values())
        results |= self._named(list(results.values()))
        return [results[write.key] for write in writes]

    def _named(self, results: Sequence[WriteResult]) -> dict[str, WriteResult]:
        """Find out by their keys which records were written, where the answer does not say it."""
        nameless = [
            write_result
            for write_result in results
            if write_result.error is None and write_result.id is None and write_result.write.external is not None
        ]
        if not nameless:
            return {}
        object_name, field = nameless[0].write.object, _key_of(nameless[0])[0]
        wanted = [result for result in nameless if _key_of(result)[0] == field]
        among = soql.condition(Condition(field, "in", tuple(_key_of(result)[1] for result in wanted)))
        try:
            rows = self._reader.rows(
                soql.select(("Id", field), object_name, among), call=f"find {object_name}", resource="query"
            )
        except CrmError:
            # What was written must be told all the same; the next listing shows the record with its key.
            return {}
        ids = {str(row.get(field)).casefold(): soql.known_id(row.get("Id")) for row in rows}
        return {result.write.key: replace(result, id=ids.get(_key_of(result)[1].casefold())) for result in wanted}

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete one record; nothing happens where it is gone already."""
        path = f"sobjects/{soql.name(object_name)}/{soql.id18(record_id)}"
        try:
            self._client.change("DELETE", path, call=f"delete {object_name}")
        except SchemaChanged as error:  # that is what a 404 is taken for
            if _DELETED not in error.what:
                raise

    def _carry_out(
        self, route: Route, writes: Sequence[Write], budget: RequestsLeft, *, known: bool
    ) -> list[WriteResult]:
        """Send, and send again those that somebody else held; results of other requests must not be lost with this one."""
        try:
            results = self._send(route, writes, budget)
        except CrmError as error:
            if not known:
                raise
            return [WriteResult(write, "refused", write.id, error) for write in writes]
        results = self._fewer_at_once(route, results, budget)
        for attempt in range(1, _LOCK_ATTEMPTS):
            held = [result.write for result in results if isinstance(result.error, Locked)]
            if not held:
                break
            # Everybody who waits for the same lock would come back together, without chance in it.
            self._client.clock.sleep(attempt * uniform(0.5, 1.5))  # noqa: S311
            again = {result.write.key: result for result in self._send_known(route, held, budget)}
            results = [again.get(result.write.key, result) for result in results]
        return results

    def _fewer_at_once(self, route: Route, results: list[WriteResult], budget: RequestsLeft) -> list[WriteResult]:
        """Send in ever smaller parts what the org's triggers could not do for so many records together.

        Where the first that is sent alone is refused too, and nothing went well before, their number is not the cause.
        """
        again: dict[str, WriteResult] = {}
        parts, went_well = _halves(_too_much(results)), _any_went_well(results)
        while parts:
            part = parts.pop(0)
            answered = self._send_known(route, part, budget)
            again |= {result.write.key: result for result in answered}
            went_well = went_well or _any_went_well(answered)
            left = _too_much(answered)
            if left and len(part) == 1 and not went_well:
                break
            parts = _halves(left) + parts
        return [again.get(result.write.key, result) for result in results]

    def _send(self, route: Route, writes: Sequence[Write], budget: RequestsLeft) -> list[WriteResult]:
        """Send in one request; one that is refused as a whole is divided until the guilty record is alone."""
        budget.spend(where=self._client.where(f"write {writes[0].object}"))
        call = f"write {writes[0].object}"
        body = {"allOrNone": False, "records": [_body(write) for write in writes]}
        try:
            answer = self._client.change(route.method, route.path, body, call=call)
        except _RECORD_FAULTS as error:
            return self._divide(route, writes, error, budget)
        rows = expect_list(answer, self._client.where(call))
        if not all(isinstance(row, dict) for row in rows):
            raise not_data(self._client.where(call))
        if len(rows) != len(writes):
            what = f"{len(rows)} results came back for {len(writes)} records."
            raise Unavailable(what, where=self._client.where(call))
        return [self._result(route, write, row) for write, row in zip(writes, rows, strict=True)]

    def _divide(
        self, route: Route, writes: Sequence[Write], error: CrmError, budget: RequestsLeft
    ) -> list[WriteResult]:
        guilty = _with_field(writes, error)
        hopeless = isinstance(error, SchemaChanged) and not guilty
        if hopeless or len(writes) == 1 or len(guilty) == len(writes):
            return [WriteResult(write, "refused", write.id, error) for write in writes]
        middle = len(writes) // 2
        rest = [write for write in writes if write not in guilty]
        parts = [guilty, rest] if guilty else [writes[:middle], writes[middle:]]
        results: list[WriteResult] = []
        for part in parts:
            refused = [WriteResult(write, "refused", write.id, error) for write in part]
            send = self._send_known if results else self._send
            results += refused if part is guilty else send(route, part, budget)
        by_key = {result.write.key: result for result in results}
        return [by_key[write.key] for write in writes]

    def _send_known(self, route: Route, writes: Sequence[Write], budget: RequestsLeft) -> list[WriteResult]:
        """Send when something is known of other records already: a failure then concerns these alone."""
        try:
            return self._send(route, writes, budget)
        except CrmError as error:
            return [WriteResult(write, "refused", write.id, error) for write in writes]

    def _result(self, route: Route, write: Write, row: Mapping[str, Any]) -> WriteResult:
        if row.get("success"):
            created = row.get("created", route.outcome == "created")
            return WriteResult(write, "created" if created else "updated", soql.known_id(row.get("id")) or write.id)
        where = self._client.where(f"write {write.object} {write.key}")
        error = refusal(write, errors.first(row.get("errors")), where=where, now=self._client.clock.now())
        return WriteResult(write, "refused", write.id, error)

    def name_survivors(self, results: Iterable[WriteResult]) -> None:
        """Say of records that are gone whether they were merged, and into which."""
        gone = {result.write.id: result.error for result in results if isinstance(result.error, Gone)}
        if not gone:
            return
        object_name = next(result.write.object for result in results if result.write.id in gone)
        ids = [soql.id18(record) for record in gone if record]
        try:
            survivors = self._survivors(object_name, ids)
        except CrmError:
            # What was written must be told all the same; the tombstone in the next listing names the survivor too.
            return
        for record, error in gone.items():
            if record and isinstance(error, Gone):
                error.merged_into = survivors.get(soql.id18(record))

    def _survivors(self, object_name: str, ids: Sequence[str]) -> dict[str, str]:
        if not self._schemas.traits(object_name).mergeable:
            return {}
        among = soql.condition(Condition("Id", "in", tuple(ids)))
        text = soql.select(("Id", "MasterRecordId"), object_name, among)
        rows = self._reader.rows(text, call=f"survivors of {object_name}")
        return {row["Id"]: row["MasterRecordId"] for row in rows if soql.known_id(row.get("MasterRecordId"))}


def _key_of(result: WriteResult) -> tuple[str, str]:
    return result.write.external or ("", "")


def _routes(writes: Sequence[Write]) -> dict[Route, list[Write]]:
    routes: dict[Route, list[Write]] = {}
    for write in writes:
        routes.setdefault(_route(write), []).append(write)
    return routes


def _route(write: Write) -> Route:
    if write.id is not None:
        return Route("PATCH", "composite/sobjects", "updated")
    if write.external is None:
        return Route("POST", "composite/sobjects", "created")
    return Route("PATCH", f"composite/sobjects/{soql.name(write.object)}/{soql.name(write.external[0])}", "updated")


def _body(write: Write) -> dict[str, Any]:
    """Return the record as sent. A collection takes the key in the body, unlike the upsert of one record."""
    body: dict[str, Any] = {"attributes": {"type": write.object}, **write.fields}
    if write.id is not None:
        body["id"] = soql.id18(write.id)
    elif write.external is not None:
        body[write.external[0]] = write.external[1]
    return body


def _any_went_well(results: Iterable[WriteResult]) -> bool:
    return any(result.error is None for result in results)


def _too_much(results: Iterable[WriteResult]) -> list[Write]:
    return [result.write for result in results if isinstance(result.error, TooMuchAtOnce)]


def _halves(writes: list[Write]) -> list[list[Write]]:
    """Return the parts to try next; none for what cannot be divided."""
    middle = len(writes) // 2
    return [writes[:middle], writes[middle:]] if middle else []


def _with_field(writes: Sequence[Write], error: CrmError) -> list[Write]:
    """Return the writes that name the field which is not there: they need no search by halves."""
    if not isinstance(error, SchemaChanged) or not error.field:
        return []
    lower = error.field.lower()
    return [write for write in writes if any(lower == name.lower() for name in _body(write))]
