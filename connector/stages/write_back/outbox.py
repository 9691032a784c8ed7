"""What both halves of `write_back` share: sending under the lease, one result for each write, and setting aside what is refused."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from connector.errors import (
    AfterwordError,
    Bug,
    CrmError,
    LeaseLost,
    MappingError,
    NotPermitted,
    SchemaChanged,
    Unavailable,
)
from connector.model import FieldValues
from connector.model.outbox import RefusedWrite
from connector.ports import BulkWriter, Write, WriteResult
from connector.stages.context import Connected, Context
from connector.stages.write_back.changes import Change
from connector.store import Transaction, new_id
from connector.store.ops import connections
from connector.store.ops.leases import Lease, beating
from connector.store.outbox import claims, refusals, undo, write_log
from connector.store.outbox import fields as stored_fields

PAGE = 200
PATIENCE: Final = timedelta(seconds=30)
"""How long whoever writes for some customers waits for a record that another is writing; a lap passes over it."""
_LOOK_AGAIN_SECONDS: Final = 0.1


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


@dataclass(slots=True)
class WriteClaims:
    """What one write-back of one connection has claimed."""

    context: Context
    crm: str
    waits: bool = False
    """Whether it waits for what another is writing, as for an answer; a lap passes over it."""
    claim: str = field(default_factory=new_id)
    held: set[str] = field(default_factory=set)
    """The keys of what is ours to write now."""
    crossed: set[str] = field(default_factory=set)
    """The keys of what has to be looked at again: what it should say has changed meanwhile, or another has written it too."""
    _renewed: float = 0.0

    @contextmanager
    def taken(self, keys: Collection[str]) -> Iterator[frozenset[str]]:
        """Hold claims for as long as the block runs; yields the keys of what nobody else is writing."""
        wanted = frozenset(keys)
        try:
            taken = self._take(wanted) if wanted else wanted
            with self._renewed_while_held(taken):
                yield taken
        finally:
            ours = self.held & wanted
            self.held -= wanted
            if ours:
                with self.context.store.write() as tx:
                    claims.give_back(tx, self.crm, ours, self.claim)

    def _renewed_while_held(self, keys: frozenset[str]) -> AbstractContextManager[None]:
        """A call may take long, with all its repetitions."""
        if not keys:
            return nullcontext()
        store, seconds = self.context.store, claims.RENEWED_AFTER.total_seconds()
        return beating(store, f"claims-{self.crm}", seconds, lambda tx: claims.renew(tx, self.crm, keys, self.claim))

    def _take(self, keys: frozenset[str]) -> frozenset[str]:
        patience = PATIENCE.total_seconds() if self.waits else 0.0
        end, taken = time.monotonic() + patience, frozenset[str]()
        while True:
            with self.context.store.write() as tx:
                now_taken, lapsed = claims.take(tx, self.crm, keys - taken, self.claim)
                stored_fields.mark_crossed(tx, self.crm, lapsed)
            taken |= now_taken
            self.held |= now_taken
            self._renewed = time.monotonic()
            if taken == keys or self._renewed >= end or self.context.stop.wait(_LOOK_AGAIN_SECONDS):
                return taken

    def require(self, keys: Collection[str]) -> None:
        """Make sure, before a call, that what is claimed is ours still. `LeaseLost`: another writer has taken some of it over."""
        ours = self.held.intersection(keys)
        if not ours or time.monotonic() - self._renewed < claims.RENEWED_AFTER.total_seconds():
            return
        with self.context.store.write() as tx:
            lost = claims.renew(tx, self.crm, self.held, self.claim)
        self._renewed = time.monotonic()
        if lost:
            raise LeaseLost(
                "another process took over what was to be written, so this one stopped writing.",
                where=self.crm,
                remedy="Nothing to do; if it happens often, the machine or its database is too slow.",
            )

    def is_lost(self, tx: Transaction, key: str) -> bool:
        """Tell, after a call, whether another writer has taken a record over meanwhile: then nobody knows which write came last."""
        if key not in self.held or time.monotonic() - self._renewed < claims.RENEWED_AFTER.total_seconds():
            return False
        return bool(claims.lost_of(tx, self.crm, [key], self.claim))


@dataclass(frozen=True, slots=True)
class Outbox:
    """One write-back of one connection: what it works with, and what it has come to."""

    context: Context
    crm: Connected
    claims: WriteClaims
    """What it is writing at this moment."""
    lease: Lease | None = None
    """The right to write back the whole connection; None: only some customers' records are written."""
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

    def may_write(self, keys: Collection[str]) -> None:
        """Raise what says that it is not ours to write: a lease or claim is lost, or the CRM is another installation's."""
        if self.lease is not None:
            with self.context.store.read() as tx:
                self.lease.check(tx)
        self.claims.require(keys)
        if self.context.mark is not None:
            self.context.mark.require(self.crm.name)

    def send(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out writes if the lease still holds; returns one result for each, in order. See `CrmWriter.write` for its errors."""
        self.may_write([write.key for write in writes])
        return checked(writes, self.crm.writer.write(writes))

    def sent(self, writes: Sequence[Write], bulk: BulkWriter | None = None) -> Iterator[list[WriteResult]]:
        """Send, by orders of `bulk` if there is enough for one, until the lap is to end; yields results as they come."""
        if bulk is not None and len(writes) < bulk.least:
            bulk = None
        for batch in batches(writes, self.crm.writer.write_batch if bulk is None else bulk.most):
            if self.stopped:
                return
            yield self.send(batch) if bulk is None else self._send_in_bulk(bulk, batch)

    def _send_in_bulk(self, bulk: BulkWriter, writes: Sequence[Write]) -> list[WriteResult]:
        self.may_write(())
        return checked(writes, bulk.write(writes, self.context.stop.is_set))

    def log(self, tx: Transaction, change: Change, result: WriteResult) -> None:
        """Add a line to the log. With the first thing that was written, this is the last write-back, which can be taken back.

        What was certainly not done, and is tried again in each lap, may go on like that for weeks: it stands among what was refused.
        """
        if _is_put_off(result):
            return
        line = write_log.add(tx, self.crm.name, change.log_entry(result, self.crm.mapping), self.now)
        if result.outcome != "refused" and not self.written.begun:
            self.written.begun = True
            undo.begins(tx, self.crm.name, line, self.now)

    # ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────

    def note_refused(self, tx: Transaction, change: Change, result: WriteResult) -> None:
        """Keep the refusal of a record with its reason. A passing one (a locked record) is tried again in the next lap."""
        error = result.error
        lasting = error is None or error.permanent
        refusal = RefusedWrite(
            change.key,
            _code(error),
            error.what if error else "the CRM gave no reason.",
            error.remedy if error else "",
            self.fingerprint(change.asked) if lasting else "",
        )
        self._refuse(tx, refusal, [error])

    def note_refused_fields(self, tx: Transaction, change: Change) -> None:
        """Keep which fields of a record were refused, while the others are written; where none was, forget an earlier refusal."""
        if not change.refused:
            if change.held:
                self.written.refused += 1
            else:
                refusals.accept(tx, self.crm.name, change.key)
            return
        errors = [field.error for field in change.refused]
        # With some that were held back already, all are sent in the next lap, so that every reason is told.
        lasting = change.refused_values and not change.held and all(error.permanent for error in errors)
        refusal = RefusedWrite(
            change.key,
            _code(errors[0]),
            " ".join(dict.fromkeys(field.what for field in change.refused)),
            " ".join(dict.fromkeys(error.remedy for error in errors if error.remedy)),
            self.fingerprint(change.refused_values) if lasting else "",
            tuple(sorted({*(field.name for field in change.refused), *change.held})),
        )
        self._refuse(tx, refusal, errors)
        self.written.refused += 1

    def note_unfit(self, tx: Transaction, key: str, error: MappingError) -> None:
        """Keep what has no form that its field would take."""
        refusal = RefusedWrite(key, _code(error), f"{error.field}: {error.what}", error.remedy)
        self._refuse(tx, refusal, [error])
        self.written.refused += 1

    def _refuse(self, tx: Transaction, refusal: RefusedWrite, errors: Sequence[AfterwordError | None]) -> None:
        """Set a write aside. Where a field is missing or closed to us, the schema may have changed: it is asked for again."""
        if any(isinstance(error, SchemaChanged | NotPermitted) for error in errors):
            connections.forget_schema(tx, self.crm.name)
        refusals.refuse(tx, self.crm.name, refusal, self.now)

    def fingerprint(self, fields: Mapping[str, object]) -> str:
        """Return what a refusal of these fields is about."""
        return refusals.fingerprint(fields, self.crm.mapping.fingerprint)

    def held_back(self, fields: FieldValues, before: RefusedWrite | None) -> FieldValues:
        """Return which of these fields were refused for good as they are; all of them where it was the record."""
        if before is None:
            return {}
        held = fields if before.fields is None else {name: raw for name, raw in fields.items() if name in before.fields}
        return held if held and self.was_refused(held, before) else {}

    def was_refused(self, fields: Mapping[str, object], before: RefusedWrite | None) -> bool:
        """Tell whether these very fields were refused for good: then nothing is gained by sending them again."""
        return before is not None and before.fingerprint == self.fingerprint(fields)


def _code(error: AfterwordError | None) -> str:
    return getattr(error, "code", "") or type(error).__name__


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
