"""`pull`: what changed in a CRM becomes rows, and the cursor moves in the same transaction as the rows.

A thread for each object reads ahead by a page or two; one thread writes the store, objects in the mapping's order, so that owners and
accounts are there before the contacts and interactions that point at them. Pages that come one close behind the other are stored in one
transaction: each commit writes anew every block of an index that a page has touched.
"""

import queue
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from connector.domain import cursor as rules
from connector.domain.cursor import Cursor
from connector.domain.deletion_guard import check_loss
from connector.errors import AfterwordError, CursorInvalid, ImplausibleLoss, NotPermitted, SchemaChanged
from connector.ports import Query
from connector.stages.context import Connected, Context
from connector.stages.follow_up import task_events
from connector.stages.pull import late_interactions, listing
from connector.stages.pull.listing import Batch
from connector.store import Transaction
from connector.store.crm import cursors, links, merges, reconciliation
from connector.store.crm.pages import Absorbed, RecordCounts
from connector.store.crm.records import Absorber
from connector.store.db.first_fill import FirstFill
from connector.store.ops.leases import Lease
from connector.store.outbox import write_log
from connector.store.surveys.people import person_key

TOGETHER = 4_000
"""How many records at most are stored in one transaction, two of the largest pages: on SQLite others wait meanwhile to write theirs."""
PATIENCE = timedelta(seconds=0.5)
"""How long a page waits for others to be stored with."""
AHEAD = 3_000
"""Of each object another page is read while fewer records than these wait to be stored: two of the largest pages at most."""


@dataclass(slots=True)
class Pulled:
    """What one connection gave in one lap."""

    counts: dict[str, RecordCounts] = field(default_factory=dict)
    problems: list[AfterwordError] = field(default_factory=list)
    """Objects that could not be read, each with its reason; the others were."""
    unread: dict[str, AfterwordError] = field(default_factory=dict)
    """The same, by object."""
    failure: AfterwordError | None = None
    """Why the connection as a whole gave up."""

    def go_on(self, later: "Pulled", again: Collection[str]) -> None:
        """Take in what a second reading gave, of some objects that could not be read before; the others still cannot."""
        _add(self.counts, later.counts)
        over = [self.unread.pop(name) for name in again]
        self.problems = [
            problem for problem in self.problems if all(problem is not error for error in over)
        ] + later.problems
        self.unread |= later.unread
        self.failure = later.failure


_End = AfterwordError | Exception | None


def run(context: Context, crm: Connected, lease: Lease, *, only: Collection[str] | None = None) -> Pulled:
    """Read everything that changed since the last lap, of all objects or some. A failure keeps what was read before it."""
    queries = [query for query in crm.mapping.queries if only is None or query.object in only]
    result = Pulled(counts={kind: RecordCounts() for query in queries for kind in crm.mapping.kinds(query.object)})
    halt = threading.Event()
    with context.store.read() as tx:
        line = write_log.newest_line(tx)
        readers = [_Reader(crm, query, position(tx, crm, query), halt, line) for query in queries]
    filling = FirstFill(context.store)
    for reader in readers:
        reader.start()
    quiet: list[_Reader] = []
    try:
        for reader in readers:
            if _take(context, crm, reader, lease=lease, result=result, filling=filling):
                quiet.append(reader)
            if result.failure is not None or context.stop.is_set():
                break
        _finish(context, crm, quiet, lease, result)
    finally:
        halt.set()
        for reader in readers:
            reader.stop()
        filling.end()
    if result.failure is None and not context.stop.is_set():
        _look_again(context, crm, lease, result)
    settle(context, crm, changed=any(counts.changed or counts.deleted for counts in result.counts.values()))
    return result


def _look_again(context: Context, crm: Connected, lease: Lease, result: Pulled) -> None:
    try:
        for absorbed in late_interactions.run(context, crm, lease):
            _add(result.counts, absorbed.counts)
    except (SchemaChanged, NotPermitted) as error:
        result.problems.append(error)
    except AfterwordError as error:
        result.failure = error


def settle(context: Context, crm: Connected, *, changed: bool) -> None:
    """Carry out what had to wait until everything was read: merges, and (where something `changed`) links between accounts."""
    now = context.clock.now()

    def work(tx: Transaction) -> None:
        merges.settle(tx, crm.name, now)
        if changed:
            links.settle(tx, now)

    context.store.write_where_needed(work)


def _take(
    context: Context, crm: Connected, reader: "_Reader", *, lease: Lease, result: Pulled, filling: FirstFill
) -> bool:
    """Store one object's pages as they come. Returns whether it was read to its end and held nothing to store."""
    try:
        quiet = True
        for batches in reader.groups():
            quiet = not _store(context, crm, reader, batches, lease=lease, result=result, filling=filling) and quiet
            del batches  # a group is large, and the next one is waited for here
            if context.stop.is_set():
                _drop_read_times(crm, reader.query)
                return False
        if quiet:
            return True
        with context.store.write() as tx:
            lease.check(tx)
            _end(context, crm, reader, tx)
    except (SchemaChanged, NotPermitted, ImplausibleLoss) as error:
        _drop_read_times(crm, reader.query)
        # This object pauses; the others go on. Nothing of it is taken as deleted.
        result.problems.append(error)
        result.unread[reader.query.object] = error
    except AfterwordError as error:
        _drop_read_times(crm, reader.query)
        result.failure = error
    return False


def _finish(context: Context, crm: Connected, readers: Sequence["_Reader"], lease: Lease, result: Pulled) -> None:
    """Store that objects were read which held nothing new, all together: that is most of them in most laps."""
    if not readers:
        return
    try:
        with context.store.write() as tx:
            lease.check(tx)
            for reader in readers:
                _end(context, crm, reader, tx)
    except AfterwordError as error:
        for reader in readers:
            _drop_read_times(crm, reader.query)
        result.failure = result.failure or error


def _drop_read_times(crm: Connected, query: Query) -> None:
    """What was read beside the changes did not all get into the store: it is read again in the next lap."""
    if crm.read_times is not None:
        crm.read_times.drop(query.object)


def _store(
    context: Context,
    crm: Connected,
    reader: "_Reader",
    batches: Sequence[Batch],
    *,
    lease: Lease,
    result: Pulled,
    filling: FirstFill,
) -> bool:
    """Store pages and how far they go. Returns False for some with nothing to store, and no place behind them to go on from.

    What is stored before a page that cannot be believed (`ImplausibleLoss`, `CursorInvalid`) stays.
    """
    now = context.clock.now()
    if not any(batch.found or batch.page.last is not None for batch in batches):
        for batch in batches:
            reader.cursor = _advance(reader.cursor, batch, now)
            context.progress(crm.name, reader.query.object, 0)
        return False

    def work(tx: Transaction) -> _Stored:
        lease.check(tx)
        if reader.cursor.backfilling:
            filling.expect(tx, sum(len(batch.found) for batch in batches))
        return _stored(context, crm, reader, batches, tx=tx, now=now)

    # Pages that others store at the same moment may ask for the same rows in another order.
    stored = context.store.change(work)
    reader.cursor = stored.cursor
    for batch, absorbed in stored.done:
        context.progress(crm.name, reader.query.object, len(batch.found))
        _add(result.counts, absorbed.counts)
    if stored.wrong is not None:
        raise stored.wrong
    return True


class _Stored(NamedTuple):
    """What was stored of some pages, how far that goes, and why the next page was not."""

    done: Sequence[tuple[Batch, Absorbed]]
    cursor: Cursor
    wrong: AfterwordError | None


def _stored(
    context: Context, crm: Connected, reader: "_Reader", batches: Sequence[Batch], *, tx: Transaction, now: datetime
) -> _Stored:
    done: list[tuple[Batch, Absorbed]] = []
    cursor, wrong = reader.cursor, None
    since = write_log.written_after(tx, crm.name, reader.line)
    zone = context.settings.company.timezone
    absorber = Absorber(tx, crm.name, now=now, key=person_key(tx), zone=zone, written_since=since)
    for batch in batches:
        try:
            moved = _advance(cursor, batch, now)
            cursor = replace(moved, lost=moved.lost + _plausible_loss(tx, crm, reader.query, moved, batch))
        except (ImplausibleLoss, CursorInvalid) as error:
            wrong = error
            break
        absorbed = absorber.absorb(batch.found)
        merges.remember(tx, crm.name, absorbed.merges, now)
        task_events.take_in(tx, context.settings, absorbed.tasks, now)
        done.append((batch, absorbed))
    if done:
        _save(tx, crm, reader.query, cursor, now)
    return _Stored(done, cursor, wrong)


def _advance(cursor: Cursor, batch: Batch, now: datetime) -> Cursor:
    # A clock of theirs that is ahead, be it for one answer, would have us pass over what changes until then.
    return rules.advance(cursor, replace(batch.page, server_time=min(batch.page.server_time, now)))


def _plausible_loss(tx: Transaction, crm: Connected, query: Query, cursor: Cursor, batch: Batch) -> int:
    """Return how many records that we know are told to be deleted.

    `ImplausibleLoss`: too many at once, with those of this pass before them, be it in an earlier lap that ended in the same way.
    """
    gone = [record.ref for record in batch.found if record.deleted and record.merged_into is None]
    lost = reconciliation.how_many_live(tx, crm.name, gone) if gone else 0
    if lost:
        known = reconciliation.living(tx, crm.name, query.object)
        before = cursor.lost
        check_loss(before + lost, before + known, where=f"{crm.name}: {query.object}")
    return lost


def _end(context: Context, crm: Connected, reader: "_Reader", tx: Transaction) -> None:
    if crm.read_times is not None:
        crm.read_times.keep(tx, reader.query.object)
    _save(tx, crm, reader.query, rules.finish(reader.cursor, crm.reader.lag), context.clock.now())


def position(tx: Transaction, crm: Connected, query: Query) -> Cursor:
    """Return where reading an object stands."""
    mapping = crm.mapping
    known = {"fingerprint": mapping.fingerprint_of(query.object), "whole": mapping.fingerprint}
    return cursors.load(tx, crm.name, query.object, **known)


def _save(tx: Transaction, crm: Connected, query: Query, cursor: Cursor, now: datetime) -> None:
    fingerprint = crm.mapping.fingerprint_of(query.object)
    cursors.save(tx, crm.name, query.object, cursor, fingerprint=fingerprint, now=now)


def _add(counts: dict[str, RecordCounts], others: Mapping[str, RecordCounts]) -> None:
    for kind, more in others.items():
        sums = counts.setdefault(kind, RecordCounts())
        for name in RecordCounts.__slots__:
            setattr(sums, name, getattr(sums, name) + getattr(more, name))


class _Reader(threading.Thread):
    """Reads one object ahead of the store."""

    def __init__(self, crm: Connected, query: Query, cursor: Cursor, halt: threading.Event, line: int) -> None:
        """`line` is the newest of the log of writes before anything is read."""
        super().__init__(name=f"read-{crm.name}-{query.object}", daemon=True)
        self.query = query
        self.cursor = cursor
        self.line = line
        self._crm = crm
        self._halt = halt
        self._waiting = 0
        self._ahead = 1
        """How many records may wait before it reads on: a page, until its turn comes."""
        self._has_changed = threading.Condition()
        self._queue: queue.SimpleQueue[Batch | tuple[_End]] = queue.SimpleQueue()

    def run(self) -> None:
        """Read until the CRM has no more, something fails, or the lap is halted."""
        try:
            batches = listing.batches(self._crm, self.query, self.cursor)
            while self._has_room() and (batch := next(batches, None)) is not None:
                with self._has_changed:
                    self._waiting += _size(batch)
                self._queue.put(batch)
        except Exception as error:
            self._queue.put((error,))
        else:
            self._queue.put((None,))

    def groups(self) -> Iterator[Sequence[Batch]]:
        """Yield what was read, in order, pages that came close behind each other together; raises what the reading raised."""
        self._ahead = AHEAD
        self._make_room(0)
        behind: Batch | tuple[_End] | None = None
        while isinstance(first := behind or self._queue.get(), Batch):
            group, size, until = [first], _size(first), time.monotonic() + PATIENCE.total_seconds()
            self._make_room(size)
            behind = None
            while size < TOGETHER:
                behind = self._next(until)
                if not isinstance(behind, Batch) or size + _size(behind) > TOGETHER:
                    break
                group.append(behind)
                size += _size(behind)
                self._make_room(_size(behind))
                behind = None
            del first
            yield group
            del group
        if first[0] is not None:
            raise first[0]

    def stop(self) -> None:
        """Let a reader that waits for room go, and wait for its end."""
        with self._has_changed:
            self._has_changed.notify()
        self.join()

    def _next(self, until: float) -> Batch | tuple[_End] | None:
        """Return what comes by a moment of the machine's time; None: nothing does."""
        try:
            return self._queue.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None

    def _make_room(self, size: int) -> None:
        with self._has_changed:
            self._waiting -= size
            self._has_changed.notify()

    def _has_room(self) -> bool:
        """Wait until another page may be read; False when the lap is halted."""
        with self._has_changed:
            self._has_changed.wait_for(lambda: self._waiting < self._ahead or self._halt.is_set())
        return not self._halt.is_set()


def _size(batch: Batch) -> int:
    return max(1, len(batch.found))
