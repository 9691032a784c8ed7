"""The batch calls that write: what they are sent, and whose a row of their answer is."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.hubspot.errors import context_of
from adapters.hubspot.records.wire_values import to_html, to_wire
from connector.ports import Write
from connector.wire.headers import number_of

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchCall:
    """One of the ways to write several records at once."""

    action: str
    """update, upsert or create: what stands at the end of the path."""
    particulars: Callable[[Write], Body]
    """What an input has beside its properties and its trace."""

    def input(self, write: Write, trace: str, rich: Container[str] = ()) -> Body:
        """Return a write as it is sent; `rich` are the properties shown as HTML. The trace comes back with what became of it."""
        values = {name: to_wire(value) for name, value in write.fields.items()}
        values = {name: to_html(value) if name in rich else value for name, value in values.items()}
        if write.external is not None:
            values[write.external[0]] = write.external[1]
        return {"properties": values, "objectWriteTraceId": trace, **self.particulars(write)}

    def matched(self, writes: Sequence[Write], rows: Sequence[Any], *, alone: bool) -> dict[int, Body]:
        """Return the results by the place of their write; `alone`: there are no refusals among them."""
        ids = {self.particulars(write).get("id"): place for place, write in enumerate(writes)}
        keys = {write.external: place for place, write in enumerate(writes) if write.external}
        results: dict[int, Body] = {}
        for row in rows:
            place = self._place(row, len(writes), ids, keys)
            if place is not None:
                results[place] = row
        if not results and alone and self.action == "create" and len(rows) == len(writes):
            return dict(enumerate(rows))
        return results

    def _place(self, row: Body, count: int, ids: Mapping[Any, int], keys: Mapping[tuple[str, str], int]) -> int | None:
        trace = str(row.get("objectWriteTraceId") or "")
        if self.action == "update":
            return ids.get(str(row["id"]))
        if (sent := number_of(trace)) is not None and sent < count:
            return sent
        held = row.get("properties") or {}
        return next((place for (name, value), place in keys.items() if held.get(name) == value), None)

    def blamed(self, writes: Sequence[Write], errors: Sequence[Any]) -> dict[int, Body]:
        """Return the errors by the place of the write that they are about."""
        ids = {self.particulars(write).get("id"): place for place, write in enumerate(writes)}
        by_place: dict[int, Body] = {}
        for error in errors:
            numbers = map(number_of, context_of(error, "objectWriteTraceId"))
            traces = [trace for trace in numbers if trace is not None]
            named = [ids[record_id] for record_id in context_of(error, "ids", "id") if record_id in ids]
            for place in [number for number in traces if number < len(writes)] or named:
                by_place[place] = error
        if not by_place and len(errors) == len(writes) == 1:
            return {0: errors[0]}
        return by_place


def changing(ids: Mapping[str, str] | None = None) -> BatchCall:
    """Return the batch that changes records; `ids` are those of writes that do not name theirs, by key."""
    known = ids or {}
    return BatchCall("update", lambda write: {"id": write.id or known[write.key]})


def inserting(key: str) -> BatchCall:
    """Return the batch that creates each record once, or changes it, by a unique property."""
    return BatchCall("upsert", lambda write: {"idProperty": key, "id": write.external[1] if write.external else ""})


def creating(types: Mapping[str, int]) -> BatchCall:
    """Return the batch that creates, together with associations; `types` are the kinds of association by object."""
    return BatchCall(
        "create", lambda write: {"associations": [_association(ref.id, types[ref.object]) for ref in write.related]}
    )


def _association(record_id: str, kind: int) -> Body:
    return {
        "to": {"id": record_id},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
    }
