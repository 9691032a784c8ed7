"""Writing: up to 100 records of one object in one call, one result for each."""

from collections.abc import Iterator, Mapping, Sequence
from random import uniform
from typing import Any, Final

from adapters.hubspot.errors import Absent
from adapters.hubspot.http.client import LOCK_PAUSE, HubSpotClient
from adapters.hubspot.http.version import objects
from adapters.hubspot.records.batches import BatchCall, changing, creating, inserting
from adapters.hubspot.records.creation import Once
from adapters.hubspot.records.links import Links
from adapters.hubspot.records.wire_values import to_wire
from adapters.hubspot.refusals import concerns_record, gone, refined, refusal
from adapters.hubspot.schemas import ACTIVITIES, HubSpotSchemas
from connector.errors import AGAIN, Conflict, CrmError, Gone, Locked, SchemaChanged, Unavailable
from connector.ports import Write, WriteResult, check_writes
from connector.wire.requests_left import RequestsLeft

BATCH: Final = 100
_LOCK_ATTEMPTS: Final = 3
_MOST_REQUESTS: Final = 50
"""How many requests one call may come to when batches must be divided; what is not reached by then waits for the next lap."""


class HubSpotWriter:
    """Carries out writes on one object."""

    def __init__(self, client: HubSpotClient, schemas: HubSpotSchemas, links: Links, once: Once) -> None:
        self._client = client
        self._schemas = schemas
        self._links = links
        self._once = once

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Return one result for each write, in order. `Bug`: two writes name the same record, or there are too many."""
        check_writes(writes, most=BATCH)
        results: dict[str, WriteResult] = {}
        budget = RequestsLeft(_MOST_REQUESTS)
        for batch, batch_writes in self._routes(writes):
            send = self._send_known if results else self._send
            for result in send(batch, batch_writes, budget):
                results[result.write.key] = result
        return [results.get(write.key) or self._uncertain(write) for write in writes]

    def _routes(self, writes: Sequence[Write]) -> Iterator[tuple[BatchCall, Sequence[Write]]]:
        """Divide the writes by the call that carries them out; looks for what may have been created before."""
        changes = [write for write in writes if write.id is not None]
        if changes:
            yield changing(), changes
        keyed = [write for write in writes if write.id is None and write.external is not None]
        plain = [write for write in writes if write.id is None and write.external is None]
        for name in dict.fromkeys(write.external[0] for write in keyed if write.external):
            group = [write for write in keyed if write.external and write.external[0] == name]
            if self._unique(group[0].object, name):
                yield inserting(name), group
                continue
            known = self._once.known(group, name)
            made = {key: record_id for key, record_id in known.items() if record_id is not None}
            if made:
                yield changing(made), [write for write in group if write.key in made]
            plain += [write for write in group if write.key not in known]
        if plain:
            yield creating(self._once.types_for(plain)), plain

    def _uncertain(self, write: Write) -> WriteResult:
        """Return the result of a write that was not sent, since it could make a second record."""
        where = self._client.where(f"write {write.object} {write.key}")
        what = "what it belongs to could not be read, so it is not certain that it was not made before."
        return WriteResult(write, "refused", None, Unavailable(what, where=where, remedy=AGAIN, not_sent=True))

    def _unique(self, object_name: str, name: str) -> bool:
        field = self._schemas.fields(object_name, must=(name,)).get(name)
        return field is not None and field.unique

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, batch: BatchCall, writes: Sequence[Write], budget: RequestsLeft) -> list[WriteResult]:
        """Send in one request; one that is refused as a whole is divided until the guilty record is alone."""
        budget.spend(where=self._client.where(f"write {writes[0].object}"))
        object_name = writes[0].object
        rich = self._schemas.rich(object_name) if object_name in ACTIVITIES else ()
        body = {"inputs": [batch.input(write, str(place), rich) for place, write in enumerate(writes)]}
        path = objects(object_name, "batch", batch.action)
        try:
            answer = self._patiently(path, body, writes)
        except CrmError as error:
            if not concerns_record(error):
                raise
            return self._divide(batch, writes, error, budget)
        results = self._results(batch, writes, answer.rows, answer.errors)
        return self._associated(batch, results)

    def _patiently(self, path: str, body: Mapping[str, Any], writes: Sequence[Write]) -> Any:
        """Send, and wait for a lock when it is clear whose it is."""
        call = f"write {writes[0].object}"
        for _ in range(_LOCK_ATTEMPTS - 1 if len(writes) == 1 else 0):
            try:
                return self._client.change("POST", path, body, call=call)
            except Locked:
                # Everybody who waits for the same lock would come back together, without chance in it.
                self._client.clock.sleep(LOCK_PAUSE.total_seconds() * uniform(1.0, 1.5))  # noqa: S311
        return self._client.change("POST", path, body, call=call)

    def _divide(
        self, batch: BatchCall, writes: Sequence[Write], error: CrmError, budget: RequestsLeft
    ) -> list[WriteResult]:
        guilty = _with_field(batch, writes, error)
        hopeless = isinstance(error, SchemaChanged) and not guilty
        if hopeless or len(writes) == 1 or len(guilty) == len(writes):
            return [self._refused(write, error) for write in writes]
        if guilty:
            rest = [write for write in writes if write not in guilty]
            return [*(self._refused(write, error) for write in guilty), *self._send_known(batch, rest, budget)]
        middle = len(writes) // 2
        first = self._send(batch, writes[:middle], budget)
        return [*first, *self._send_known(batch, writes[middle:], budget)]

    def _send_known(self, batch: BatchCall, writes: Sequence[Write], budget: RequestsLeft) -> list[WriteResult]:
        """Send when something is known of other records already: a failure then concerns these alone."""
        try:
            return self._send(batch, writes, budget)
        except CrmError as error:
            return [WriteResult(write, "refused", write.id, error) for write in writes]

    def _refused(self, write: Write, error: CrmError) -> WriteResult:
        return WriteResult(write, "refused", write.id, self._explained(refined(error, write), write))

    def _explained(self, error: CrmError, write: Write) -> CrmError:
        """Look up what HubSpot does not say: into what a record was merged, and who has a unique value."""
        if isinstance(error, Gone):
            return self._fate(write)
        if isinstance(error, Conflict) and error.existing_id is None:
            error.existing_id = self._holder(error, write)
        return error

    def _holder(self, error: Conflict, write: Write) -> str | None:
        """Return the id of the record that has one of this write's unique values."""
        for name in error.fields:
            value = write.fields.get(name)
            if not value:
                continue
            path, query = objects(write.object, to_wire(value)), {"idProperty": name}
            try:
                return str(self._client.read(path, query, call=f"holder of {name}").data["id"])
            except (CrmError, KeyError):
                # What was refused must be told all the same.
                continue
        return None

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _results(
        self, batch: BatchCall, writes: Sequence[Write], rows: Sequence[Any], refusals: Sequence[Any]
    ) -> list[WriteResult]:
        done = batch.matched(writes, rows, alone=not refusals)
        refused = batch.blamed(writes, refusals)
        results = []
        for place, write in enumerate(writes):
            if place in done:
                created = done[place].get("new", batch.action == "create")
                results.append(WriteResult(write, "created" if created else "updated", str(done[place]["id"])))
            else:
                results.append(self._unmatched(batch, write, refused.get(place)))
        return results

    def _unmatched(self, batch: BatchCall, write: Write, row: Mapping[str, Any] | None) -> WriteResult:
        """Say what became of a write that the results leave out; an answer may pass over merged records in silence."""
        where = self._client.where(f"write {write.object} {write.key}")
        error: CrmError
        if row is not None:
            error = self._explained(refusal(write, row, where=where), write)
        elif batch.action == "update":
            error = self._fate(write)
        else:
            error = Unavailable("the answer does not say what became of the record.", where=where)
        return WriteResult(write, "refused", write.id, error)

    def _fate(self, write: Write) -> CrmError:
        """Return what is known of a record that could not be changed: gone, merged into another, or neither."""
        record_id = str(write.id)
        where = self._client.where(f"write {write.object} {write.key}")
        try:
            row = self._client.read(objects(write.object, record_id), call=f"fate of {write.object}").data
        except Absent as error:
            return gone(error.what, where=where)
        except CrmError as error:
            return gone("the record was not found.", where=where) if isinstance(error, SchemaChanged) else error
        survivor = str(row.get("id") or record_id)
        if row.get("archived") is True:
            return gone("the record is deleted.", where=where)
        if survivor == record_id:
            return Unavailable("the answer does not say what became of the record.", where=where)
        return gone(f"the record was merged into {survivor}.", where=where, merged_into=survivor)

    def _associated(self, batch: BatchCall, results: Sequence[WriteResult]) -> list[WriteResult]:
        """Associate what was created with what it belongs to, where the call itself could not.

        A record whose associations fail counts as refused: the next attempt finds it by its key, and makes them.
        """
        if batch.action != "upsert":
            return list(results)
        failed: dict[str, CrmError] = {}
        due = [result for result in results if result.id and result.outcome != "refused" and result.write.related]
        for end in dict.fromkeys(ref.object for result in due for ref in result.write.related):
            failed |= self._unassociated(end, due)
        return [
            WriteResult(result.write, "refused", result.id, failed[result.write.key])
            if result.write.key in failed
            else result
            for result in results
        ]

    def _unassociated(self, end: str, due: Sequence[WriteResult]) -> dict[str, CrmError]:
        """Associate with the records of one object; return what failed, by the writes' keys."""
        start = due[0].write.object
        keys = {
            (str(result.id), ref.id): result.write.key
            for result in due
            for ref in result.write.related
            if ref.object == end
        }
        try:
            refused = self._links.make(start, end, list(keys))
        except CrmError as error:
            return dict.fromkeys(keys.values(), error)
        where = self._client.where(f"associate {start} with {end}")
        return {keys[pair]: Unavailable(message, where=where, remedy=AGAIN) for pair, message in refused.items()}


def _with_field(batch: BatchCall, writes: Sequence[Write], error: CrmError) -> list[Write]:
    """Return the writes that name the property which is not there: they need no search by halves."""
    if not isinstance(error, SchemaChanged) or not error.field:
        return []
    lower = error.field.lower()
    return [write for write in writes if any(lower == name.lower() for name in batch.input(write, "")["properties"])]
