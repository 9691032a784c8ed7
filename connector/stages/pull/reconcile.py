"""`reconcile`: a slow second opinion. Everything that a CRM lists is compared with everything that we have, and what differs put right.

It finds what leaves no trace in a listing of changes: a record that surfaced too late, a deletion that was never told, another
account on an old record, a calculated field. What was put right is counted as *drift*; a change that is too new to have been read by
the laps is none. Only one page is held at a time: which records were met is noted in the store. A record that was not met is asked for
by its id, and taken as deleted only when the listing came to its end, the CRM does not have it, and not too many are gone at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.domain import cursor as rules
from connector.domain.cursor import Cursor
from connector.domain.deletion_guard import check_loss
from connector.errors import AfterwordError, ImplausibleLoss, NotPermitted, QuotaSpent, SchemaChanged
from connector.ports import Query, Reading
from connector.stages.context import Connected, Context
from connector.stages.follow_up import task_events
from connector.stages.pull import listing
from connector.stages.pull.listing import Batch
from connector.stages.pull.stage import position, settle
from connector.store import Transaction
from connector.store.crm import merges
from connector.store.crm import reconciliation as stored_reconciliation
from connector.store.crm.pages import Absorbed, ReadRecord
from connector.store.crm.reconciliation import ReconciliationState
from connector.store.crm.records import Absorber
from connector.store.ops.leases import Lease
from connector.store.outbox import write_log
from connector.store.surveys.people import person_key

PAGE = 200
"""Records asked for by their ids in one go."""


@dataclass(slots=True)
class Reconciled:
    """What the comparison of one connection came to."""

    drift: dict[str, int] = field(default_factory=dict)
    """By object, of those whose comparison came to its end: how many records differed and were put right."""
    compared: dict[str, int] = field(default_factory=dict)
    problems: list[AfterwordError] = field(default_factory=list)
    """Objects that could not be compared; nothing of them was taken as deleted."""
    failure: AfterwordError | None = None
    unfinished: bool = False
    """It was told to stop before its end; the next one goes on where this one stands."""
    changed: bool = False


def run(
    context: Context, crm: Connected, lease: Lease, *, since: datetime, enough: Callable[[], bool], accept_loss: bool
) -> Reconciled:
    """Compare every object that was not compared since then, the one whose turn is overdue first, until `enough`."""
    result = Reconciled()
    for query in _overdue(context, crm, since, accept_loss=accept_loss):
        comparison = _Comparison(context, crm, lease, query)
        try:
            if comparison.until(enough):
                comparison.end(accept_loss=accept_loss)
                result.drift[query.object] = comparison.now.drift
                result.compared[query.object] = comparison.now.compared
        except (SchemaChanged, NotPermitted, ImplausibleLoss) as error:
            comparison.give_up(error)
            result.problems.append(error)
        except QuotaSpent as error:
            result.failure, result.unfinished = error, True
        except AfterwordError as error:
            result.failure = error
        result.changed |= comparison.changed
        if result.failure is not None or enough():
            result.unfinished = True
            break
    settle(context, crm, changed=result.changed)
    return result


def _overdue(context: Context, crm: Connected, since: datetime, *, accept_loss: bool) -> Sequence[Query]:
    """Return what is to be compared, first what is under way, then what was compared longest ago.

    What is still being read for the first time is left out, unless an admin accepts a loss: after an edit of the mapping it may be
    what keeps the reading from its end.
    """
    now = context.clock.now()
    with context.store.read() as tx:
        states = [
            (query, stored_reconciliation.state(tx, crm.name, query.object))
            for query in crm.mapping.queries
            if accept_loss or not position(tx, crm, query).backfilling
        ]
    # A time that is still to come was noted by a clock that was wrong.
    due = [
        (query, state) for query, state in states if state.measured_at is None or not since <= state.measured_at <= now
    ]
    due.sort(key=lambda pair: (pair[1].place is None, pair[1].measured_at is not None, pair[1].measured_at or since))
    return [query for query, _ in due]


class _Comparison:
    """The comparison of one object."""

    def __init__(self, context: Context, crm: Connected, lease: Lease, query: Query) -> None:
        self.changed = False
        self._context = context
        self._crm = crm
        self._lease = lease
        self._query = query
        with context.store.read() as tx:
            self.now: ReconciliationState = stored_reconciliation.state(tx, crm.name, query.object)
            self._read_until = position(tx, crm, query)
            self._line = write_log.newest_line(tx)
            """The newest of the log of writes before anything is read."""

    def until(self, enough: Callable[[], bool]) -> bool:
        """Compare page by page, one page at least; returns whether the listing came to its end."""
        begun = False
        for batch in listing.batches(self._crm, self._query, self.now.place or Cursor()):
            if begun and enough():
                return False
            begun = True
            self._compare(batch)
        return True

    def end(self, *, accept_loss: bool) -> None:
        """Take what the CRM does not have any more as deleted. `ImplausibleLoss`: that would be too much at once."""
        self._ask_for_missing(accept_loss=accept_loss)
        while missing := self._missing(""):
            gone = [ReadRecord(ref, Reading(kind, None), deleted=True) for ref, kind in missing]
            with self._context.store.write() as tx:
                self._lease.check(tx)
                self._absorb(tx, gone, drifted=True)
        with self._context.store.write() as tx:
            at = self._context.clock.now()
            stored_reconciliation.complete(tx, self._crm.name, self._query.object, drift=self.now.drift, at=at)

    def give_up(self, error: AfterwordError) -> None:
        """Note why it came to no end."""
        with self._context.store.write() as tx:
            stored_reconciliation.give_up(tx, self._crm.name, self._query.object, str(error))

    def _compare(self, batch: Batch) -> None:
        """Take in a page. What is told to be deleted waits for the end, with what is not told at all; merges are no losses."""
        alive = [record for record in batch.found if not record.deleted]
        merged = [record for record in batch.found if record.merged_into is not None]
        old = [record for record in (*alive, *merged) if rules.has_passed(self._read_until, record.modified)]
        new = [record for record in (*alive, *merged) if not rules.has_passed(self._read_until, record.modified)]
        place = rules.advance(self.now.place or Cursor(), batch.page)
        with self._context.store.write() as tx:
            self._lease.check(tx)
            self._absorb(tx, old, drifted=True)
            self._absorb(tx, new, drifted=False)
            stored_reconciliation.met(tx, self._crm.name, [read.ref for read in alive])
            self.now = replace(self.now, place=place, compared=self.now.compared + len(alive))
            stored_reconciliation.keep(tx, self._crm.name, self._query.object, self.now)
        self._context.progress(self._crm.name, self._query.object, len(alive))

    def _absorb(self, tx: Transaction, records: Sequence[ReadRecord], *, drifted: bool) -> None:
        now = self._context.clock.now()
        zone = self._context.settings.company.timezone
        since = write_log.written_after(tx, self._crm.name, self._line)
        absorber = Absorber(tx, self._crm.name, now=now, key=person_key(tx), zone=zone, written_since=since)
        absorbed = absorber.absorb(records)
        merges.remember(tx, self._crm.name, absorbed.merges, now)
        task_events.take_in(tx, self._context.settings, absorbed.tasks, now)
        differing = _differing(absorbed)
        self.changed |= differing > 0
        if drifted:
            self.now = replace(self.now, drift=self.now.drift + differing)

    def _ask_for_missing(self, *, accept_loss: bool) -> None:
        """Ask by their ids for records that the listing did not show, and count those that are gone before any is taken as deleted."""
        with self._context.store.read() as tx:
            known = stored_reconciliation.living(tx, self._crm.name, self._query.object)
        gone, behind = 0, ""
        while missing := self._missing(behind):
            refs = [ref for ref, _ in missing]
            behind = refs[-1]
            there = self._fetched(refs)
            gone += len(refs) - len(there)
            if not accept_loss:
                check_loss(gone, known, where=f"{self._crm.name}: {self._query.object}")
            self._compare_fetched(there)

    def _fetched(self, refs: Sequence[str]) -> Sequence[ReadRecord]:
        ids = [ref.partition("/")[2] for ref in refs]
        records = self._crm.reader.fetch(self._query.object, ids, self._query.fields)
        return [listing.found(self._crm, record) for record in records.values()]

    def _compare_fetched(self, there: Sequence[ReadRecord]) -> None:
        """The listing may leave out what the mapping does not want any more, and what an index has lost."""
        with self._context.store.write() as tx:
            self._lease.check(tx)
            self._absorb(tx, there, drifted=True)
            stored_reconciliation.met(tx, self._crm.name, [read.ref for read in there])

    def _missing(self, behind: str) -> Sequence[tuple[str, str]]:
        with self._context.store.read() as tx:
            return stored_reconciliation.missing(tx, self._crm.name, self._query.object, behind=behind, limit=PAGE)


def _differing(absorbed: Absorbed) -> int:
    return sum(counts.changed + counts.deleted for counts in absorbed.counts.values())
