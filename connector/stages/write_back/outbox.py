"""What both halves of `write_back` share: sending under the lease, one result for each write, and setting aside what is refused."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connector.errors import Bug, CrmError, MappingError, NotPermitted, RecordRejected, SchemaChanged, Unavailable
from connector.ports import BulkWriter, CrmMapping, Write, WriteResult
from connector.stages.context import Connected, Context
from connector.stages.write_back.plan import RefusedField
from connector.store import Row, Transaction
from connector.store.ops import connections
from connector.store.ops.leases import Lease
from connector.store.outbox import undo
from connector.store.outbox import writes as stored_writes

PAGE = 200
ROUNDS: Final = 4
"""How often a record is sent again without fields that were refused: a CRM may name them one after the other."""

Raw = Mapping[str, Any]


@dataclass(slots=True)
class WriteCounts:
    """What became of the records of one connection."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    failure: CrmError | None = None
    """Why the rest was not written; it stays marked."""
    begun: bool = False
    """Whether anything was written yet."""

    def count(self, result: WriteResult) -> None:
        """Add one result."""
        setattr(self, result.outcome, getattr(self, result.outcome) + 1)


@dataclass(frozen=True, slots=True)
class Outbox:
    """One write-back of one connection: what it works with, and what it has come to."""

    context: Context
    crm: Connected
    lease: Lease
    written: WriteCounts = field(default_factory=WriteCounts)

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.context.clock.now()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is to be sent: the lap is to end, or an admin has paused the connection since it began."""
        with self.context.store.read() as tx:
            return self.stopped_in(tx)

    def stopped_in(self, tx: Transaction) -> bool:
        """Tell the same in a transaction that is open already."""
        return self.context.stop.is_set() or connections.is_paused(tx, self.crm.name)

    def may_write(self) -> None:
        """Raise what says that it is not ours to write: the lease is lost, or the CRM is another installation's."""
        with self.context.store.read() as tx:
            self.lease.check(tx)
        if self.context.mark is not None:
            self.context.mark.require(self.crm.name)

    def send(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out writes if the lease still holds; returns one result for each, in order. See `CrmAdapter.write` for its errors."""
        self.may_write()
        return checked(writes, self.crm.adapter.write(writes))

    def send_in_bulk(self, bulk: BulkWriter, writes: Sequence[Write]) -> list[WriteResult]:
        """The same by an order that the CRM carries out by itself."""
        self.may_write()
        return checked(writes, bulk.write(writes, self.context.stop.is_set))

    def sent(self, writes: Sequence[Write]) -> Iterator[list[WriteResult]]:
        """Send in batches until the lap is to end; yields results as they come."""
        for batch in batches(writes, self.crm.adapter.write_batch):
            if self.stopped:
                return
            yield self.send(batch)

    def log(self, tx: Transaction, result: WriteResult, ref: str | None, *, before: Raw, after: Raw) -> None:
        """Add a line to the log. With the first thing that was written, this is the last write-back, which can be taken back.

        What was certainly not done, and is tried again in each lap, may go on like that for weeks: it stands among what was refused.
        """
        if _is_put_off(result):
            return
        line = stored_writes.log(
            tx,
            self.crm.name,
            result.write.key,
            ref=ref,
            at=self.now,
            outcome=result.outcome,
            before=dict(before),
            after=dict(after),
            error=str(result.error) if result.error else None,
        )
        if result.outcome != "refused" and not self.written.begun:
            self.written.begun = True
            undo.begins(tx, self.crm.name, line, self.now)

    def set_aside(self, tx: Transaction, result: WriteResult, fingerprint: str) -> None:
        """Keep a refusal with its reason. A passing one (a locked record) is tried again in the next lap.

        A field that is missing or closed to us may have changed since the schema was read: it is asked for again in the next lap.
        """
        error = result.error
        if isinstance(error, SchemaChanged | NotPermitted):
            connections.forget_schema(tx, self.crm.name)
        stored_writes.refuse(
            tx,
            self.crm.name,
            result.write.key,
            now=self.now,
            code=getattr(error, "code", "") or type(error).__name__,
            what=error.what if error else "the CRM gave no reason.",
            remedy=error.remedy if error else "",
            fingerprint=fingerprint if error is None or error.permanent else "",
        )

    def set_fields_aside(self, tx: Transaction, key: str, refused: Sequence[RefusedField], held: Raw) -> None:
        """Keep which fields of a record were refused, while the others are written.

        With some that were `held` back already, all are sent in the next lap, so that every reason is told.
        """
        first = refused[0].error
        if any(isinstance(one.error, SchemaChanged | NotPermitted) for one in refused):
            connections.forget_schema(tx, self.crm.name)
        sent = {one.name: one.raw for one in refused if isinstance(one.error, CrmError)}
        lasting = sent and not held and all(one.error.permanent for one in refused)
        stored_writes.refuse(
            tx,
            self.crm.name,
            key,
            now=self.now,
            code=getattr(first, "code", "") or type(first).__name__,
            what=" ".join(dict.fromkeys(one.what for one in refused)),
            remedy=" ".join(dict.fromkeys(one.error.remedy for one in refused if one.error.remedy)),
            fingerprint=self.fingerprint(sent) if lasting else "",
            fields=sorted({*(one.name for one in refused), *held}),
        )
        self.written.refused += 1

    def set_unfit_aside(self, tx: Transaction, key: str, error: MappingError) -> None:
        """Keep what has no form that its field would take."""
        stored_writes.refuse(
            tx,
            self.crm.name,
            key,
            now=self.now,
            code=type(error).__name__,
            what=f"{error.field}: {error.what}",
            remedy=error.remedy,
            fingerprint="",
        )
        self.written.refused += 1

    def fingerprint(self, fields: Mapping[str, Any]) -> str:
        """Return what a refusal of these fields is about."""
        return stored_writes.fingerprint(fields, self.crm.mapping.fingerprint)

    def held_back(self, fields: Raw, before: Row[Any] | None) -> Raw:
        """Return which of these fields were refused for good as they are; all of them where it was the record."""
        if before is None:
            return {}
        held = fields if before.fields is None else {name: raw for name, raw in fields.items() if name in before.fields}
        return held if held and self.refused_before(held, before) else {}

    def refused_before(self, fields: Mapping[str, Any], before: Row[Any] | None) -> bool:
        """Tell whether these very fields were refused for good: then nothing is gained by sending them again."""
        return before is not None and before.fingerprint == self.fingerprint(fields)


def names_refused(result: WriteResult, fields: Collection[str], mapping: CrmMapping, target: str) -> list[str]:
    """Return which of these fields, by our names, the CRM names as the reason of a refusal; none where it is about the record."""
    error = result.error
    if result.outcome != "refused" or not isinstance(error, RecordRejected | SchemaChanged):
        return []
    named = error.fields if isinstance(error, RecordRejected) else (error.field,)
    lower = {name.lower() for name in named}
    return [name for name in fields if mapping.crm_field(target, name).lower() in lower]


def _is_put_off(result: WriteResult) -> bool:
    error = result.error
    if error is None or error.permanent:
        return False
    return not isinstance(error, Unavailable) or error.not_sent


def checked(writes: Sequence[Write], results: Sequence[WriteResult]) -> list[WriteResult]:
    """Return the results. `Bug`: they are not one for each write, in order, so nobody could tell whose a refusal is."""
    keys, answered = [write.key for write in writes], [result.write.key for result in results]
    if keys != answered:
        raise Bug(f"the adapter was given {len(keys)} writes, and its {len(answered)} results are not theirs")
    return list(results)


def batches(writes: Sequence[Write], size: int) -> Iterator[list[Write]]:
    """Yield the writes, at most `size` at a time; of two that name the same record the later one waits for another call.

    A CRM refuses both when they come together.
    """
    waiting = list(writes)
    while waiting:
        batch: dict[object, Write] = {}
        later = []
        for write in waiting:
            record = write.id or write.external or write.key
            if len(batch) == size or record in batch:
                later.append(write)
            else:
                batch[record] = write
        yield list(batch.values())
        waiting = later
