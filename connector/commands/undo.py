"""`undo`: takes back what was written to one connection, and pauses it, so that the next lap does not write the same again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connector.errors import AfterwordError, CrmError, StoreError
from connector.model import Field, Ref
from connector.ports import WriteResult
from connector.stages import lap
from connector.stages.connection import marks
from connector.stages.connection.connect import Endpoint, connect
from connector.stages.context import Connected
from connector.stages.installation import Installation
from connector.stages.write_back import undo
from connector.stages.write_back.outbox import Outbox, WriteClaims
from connector.stages.write_back.undo import UndoStep
from connector.store.crm import record_names
from connector.store.ops import connections
from connector.store.ops.leases import held
from connector.store.outbox import undo as stored_undo
from connector.store.tables import ref_of, ref_text

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
REASON = "the last write-back was taken back"
REASON_SINCE = "what was written since {since:%Y-%m-%d %H:%M} UTC was taken back"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is to be taken back on one record, and what has become of it."""

    step: UndoStep
    name: str
    """What people call the record."""
    result: WriteResult | None = None
    """None: it was only planned, or there was nothing to do."""

    @property
    def refused(self) -> bool:
        """Whether the CRM did not take it."""
        return self.result is not None and self.result.outcome == "refused"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        step, result = self.step, self.result
        return {
            "object": step.ref.object,
            "id": step.ref.id,
            "record": self.name,
            "task": step.is_task,
            "fields": {path: {"before": step.actual.get(path), "after": value} for path, value in step.fields.items()},
            "left": dict(step.left),
            "outcome": result.outcome if result else None,
            "error": str(result.error) if result and result.error else None,
        }


@dataclass(slots=True)
class Undone:
    """What taking back has come to. The records themselves are told while it goes on: there may be very many."""

    crm: str
    at: datetime | None = None
    """Since when everything is taken back; None: there is nothing to take back."""
    since: bool = False
    """Whether a time was named, and not the last write-back meant."""
    pauses: bool = True
    """Whether doing it pauses the connection."""
    paused: bool = False
    done: bool = False
    """Whether it was carried out, and not only planned."""
    due: int = 0
    """How many records were to be changed."""
    put_back: int = 0
    refused: int = 0
    failure: CrmError | None = None
    """Why the rest could not be done; it can be done by the next attempt."""

    @property
    def exit_code(self) -> int:
        """0 done (or planned), 1 some records were refused, 3 the CRM could not be reached."""
        return 3 if self.failure is not None else int(bool(self.refused))

    def count(self, taken: Taken) -> None:
        """Add one record."""
        self.due += bool(taken.step.fields)
        self.refused += taken.refused
        self.put_back += taken.result is not None and not taken.refused


Show = Callable[[Undone, Sequence[Taken]], None]
"""Told about every page of records, as it is planned or done."""


def plan(
    installation: Installation,
    endpoint: Endpoint,
    since: datetime | None = None,
    *,
    only: Field | None = None,
    show: Show,
) -> Undone:
    """Say what would be taken back: the last write-back, everything since a time, or what stands in one field to which nothing is
    written any more. Changes nothing anywhere.

    `AfterwordError`: the log of writes does not reach back so far.
    """
    crm, _problems = connect(installation.store, installation.clock, endpoint)
    undone, first = _begin(installation, crm, since, only)
    for page in _pages(installation, crm, first, only):
        names = _names(installation, page)
        _tell(undone, [Taken(step, names.get(step.ref, "")) for step in page], show)
    return undone


def carry_out(
    installation: Installation,
    endpoint: Endpoint,
    since: datetime | None = None,
    *,
    only: Field | None = None,
    show: Show,
) -> Undone:
    """Take back what can be, page by page, after the connection was paused; for one field there is no need to pause it. `StoreError`:
    another process is at work on it.

    `AfterwordError`: the log of writes does not reach back so far.
    """
    with _outbox(installation, endpoint) as outbox:
        undone, first = _begin(installation, outbox.crm, since, only)
        if first is None or undone.at is None:
            return undone
        if only is None:
            reason = REASON if since is None else REASON_SINCE.format(since=since)
            with installation.store.write() as tx:
                connections.pause(tx, endpoint.name, installation.clock.now(), reason)
            undone.paused = True
        try:
            for page in _pages(installation, outbox.crm, first, only):
                _carry_out(installation, outbox, undone, page, show)
        except CrmError as error:
            undone.failure = error
        undone.done = True
        if not undone.exit_code and only is None:
            _forget(installation, endpoint.name, first)
    return undone


def _begin(
    installation: Installation, connected: Connected, since: datetime | None, only: Field | None
) -> tuple[Undone, int | None]:
    """Return where in the log it begins."""
    crm = connected.name
    if only is not None:
        _refuse_mapped(connected, only)
        since = since or _LONG_AGO
    with installation.store.read() as tx:
        if since is None:
            first, at = stored_undo.last(tx, crm) or (None, None)
            return Undone(crm, at), first
        kept = stored_undo.pruned_until(tx, crm)
        if only is None and kept is not None and since < kept:
            raise AfterwordError(
                f"what was written before {kept:%Y-%m-%d %H:%M} UTC is not in the log any more, and cannot be taken back.",
                where=f"{crm}: --since",
                remedy=f"Take back what is still known: --since {kept:%Y-%m-%dT%H:%M}Z.",
            )
        first = stored_undo.first_since(tx, crm, since)
        at = since if first is not None else None
        return Undone(crm, at, since=True, pauses=only is None), first


def _refuse_mapped(crm: Connected, only: Field) -> None:
    """What is taken back in a field that is written goes on being written: that needs a pause, and a time."""
    for target in ("account", "contact"):
        if crm.mapping.object_of(target) == only[0]:
            for name in crm.mapping.names(target):
                if crm.mapping.crm_field(target, name) == only[1]:
                    what = f"{'.'.join(only)} is written as {name}: the next lap would write it again."
                    remedy = "Let the mapping name another field first, or take back what was written since a time: --since 24h."
                    raise AfterwordError(what, where=f"{crm.name}: --field", remedy=remedy)


def _pages(
    installation: Installation, crm: Connected, first: int | None, only: Field | None
) -> Iterator[list[UndoStep]]:
    if first is not None:
        yield from undo.steps(installation.store, crm.reader, crm.mapping, first, only)


def _carry_out(
    installation: Installation, outbox: Outbox, undone: Undone, page: Sequence[UndoStep], show: Show
) -> None:
    """Take back one page. What was done of it before the CRM failed is told too."""
    names = _names(installation, page)
    results: dict[str, WriteResult] = {}
    try:
        for result in undo.carry_out(outbox, page):
            results[result.write.key] = result
    finally:
        _tell(
            undone,
            [Taken(step, names.get(step.ref, ""), results.get(step.as_write().key)) for step in page],
            show,
        )


def _tell(undone: Undone, page: Sequence[Taken], show: Show) -> None:
    for taken in page:
        undone.count(taken)
    show(undone, page)


def _forget(installation: Installation, crm: str, first: int) -> None:
    """Note that the last write-back was taken back, where it was among what was."""
    with installation.store.write() as tx:
        last = stored_undo.last(tx, crm)
        if last is not None and last[0] >= first:
            stored_undo.forget(tx, crm)


@contextmanager
def _outbox(installation: Installation, endpoint: Endpoint) -> Iterator[Outbox]:
    with held(installation.store, lap.write_lease(endpoint.name)) as lease:
        if lease is None:
            remedy = f"`afterword pause --crm {endpoint.name}` first, and try again in a minute."
            raise StoreError("another process is at work on it right now.", where=endpoint.name, remedy=remedy)
        crm, _problems = connect(installation.store, installation.clock, endpoint)
        # While a connection observes, undo is an admin's word, and needs no mark; but another installation's stops it.
        mark = replace(lap.keeper(installation, may_wait=True), acts=installation.acts and endpoint.mode_live)
        marked = marks.marked(crm)
        mark.begin({endpoint.name: marked} if endpoint.mode_live or marked.has_key else {})
        context = replace(lap.bare_context(installation), connected={endpoint.name: crm}, mark=mark)
        yield Outbox(context, crm, WriteClaims(context, crm.name, waits=True), lease)


def _names(installation: Installation, planned: Sequence[UndoStep]) -> Mapping[Ref, str]:
    """Return what people call the records, as far as that is known."""
    with installation.store.read() as tx:
        named = record_names.record_names(tx, [(step.ref.connection, ref_text(step.ref)) for step in planned])
        subjects = record_names.task_subjects(tx, [step.line.key for step in planned if step.is_task])
    names = {ref_of(*address): name for address, name in named.items()}
    return names | {step.ref: subjects[step.line.key] for step in planned if step.line.key in subjects}
