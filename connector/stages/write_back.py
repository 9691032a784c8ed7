"""`write_back`: the differences between what CRM records should say and what they were last seen to say, and nothing else.

Account and contact fields first, then tasks. A refused record is set aside with the CRM's words and taken up again when what is to be
written, or the mapping, changes. A field that others keep overwriting is left alone and reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from connector.errors import CrmError, MappingError
from connector.ports import Write, WriteResult
from connector.stages.assigning import zone
from connector.stages.context import Connected, Context
from connector.store import Row, Transaction, following, writing
from connector.store.leases import Lease
from connector.store.tables import ref_of

PAGE = 200
CONTESTED = 3
"""How often others may put their own value over ours before we leave a field to them."""
INSTANTS = frozenset({"last_answer", "last_asked"})
"""Our fields whose JSON value is the text of an instant."""

Raw = Mapping[str, Any]
_T = TypeVar("_T")


@dataclass(slots=True)
class Written:
    """What became of the records of one connection."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    failure: CrmError | None = None
    """Why the rest was not written; it stays marked."""
    results: list[WriteResult] = field(default_factory=list)
    """Only the last page's; the log has them all."""


@dataclass(frozen=True, slots=True)
class Change:
    """The planned write for one record. Without fields there is nothing to do; `contested` names those left to others."""

    row: Row[Any]
    rendered: Raw
    fields: Raw
    """By our names, in the CRM's form."""
    contested: tuple[str, ...] = ()


def run(context: Context, crm: Connected, lease: Lease) -> Written:
    """Write what differs. Stops at a failure of the connection; what was written until then is noted."""
    written = Written()
    try:
        for target in ("account", "contact"):
            _write_fields(context, crm, lease, target=target, written=written)
        _write_tasks(context, crm, lease, written=written)
    except CrmError as error:
        written.failure = error
    return written


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(crm: Connected, row: Row[Any]) -> Change:
    """Return what to write to one record: only mapped fields that differ from what was last seen there."""
    rendered = crm.mapping.render(row.target, {name: _value(name, raw) for name, raw in row.wanted.items()})
    differing = {
        name: raw for name, raw in rendered.items() if crm.mapping.differs(row.target, name, raw, row.shown.get(name))
    }
    contested = tuple(name for name, raw in differing.items() if _overwritten(row, name, raw) >= CONTESTED)
    return Change(row, rendered, {name: raw for name, raw in differing.items() if name not in contested}, contested)


def _plan_all(context: Context, crm: Connected, rows: Sequence[Row[Any]], written: Written) -> list[Change]:
    """Plan each record; one whose values do not fit its fields is set aside, and nothing else waits for it."""
    changes = []
    for row in rows:
        try:
            changes.append(plan(crm, row))
        except MappingError as error:
            with context.store.write() as connection:
                _unfit(connection, crm, _key(row), error, context.clock.now())
                writing.settled(connection, crm.name, [row.ref])
            written.refused += 1
    return changes


def _unfit(connection: Transaction, crm: Connected, key: str, error: MappingError, now: datetime) -> None:
    writing.refuse(
        connection,
        crm.name,
        key,
        now=now,
        code=type(error).__name__,
        what=f"{error.field}: {error.what}",
        remedy=error.remedy,
        fingerprint="",
    )


def _overwritten(row: Row[Any], name: str, raw: Any) -> int:
    """Return how often this very value was written and found replaced."""
    before = row.written.get(name)
    return before["times"] if before is not None and before["value"] == raw else 0


def _write_fields(context: Context, crm: Connected, lease: Lease, *, target: str, written: Written) -> None:
    place = ""
    while not context.stop.is_set():
        with context.store.read() as connection:
            rows = writing.dirty(connection, crm.name, place, PAGE)
            mine = [row for row in rows if row.target == target]
            known = writing.refusals(connection, crm.name, [_key(row) for row in mine])
        if not rows:
            return
        place = rows[-1].ref
        changes = _plan_all(context, crm, mine, written)
        _settle(context, crm, [change for change in changes if not change.fields], known, written)
        due = [change for change in changes if change.fields and not _refused_before(crm, change, known)]
        written.refused += sum(1 for change in changes if change.fields) - len(due)
        for batch in _batches(due, crm.adapter.write_batch):
            if context.stop.is_set():
                return
            _send_fields(context, crm, lease, target=target, batch=batch, written=written)


def _settle(
    context: Context, crm: Connected, same: Sequence[Change], known: Mapping[str, Row[Any]], written: Written
) -> None:
    """Take off the list what needs no write."""
    if not same:
        return
    with context.store.write() as connection:
        writing.settled(connection, crm.name, [change.row.ref for change in same])
        for change in same:
            if change.contested or _key(change.row) in known:
                _no_longer_refused(connection, crm, change, context.clock.now())
    written.unchanged += len(same)


def _no_longer_refused(connection: Transaction, crm: Connected, change: Change, now: datetime) -> None:
    """Forget an earlier refusal, unless a field is left to others: that stays reported."""
    if change.contested:
        _report_contested(connection, crm, change, now)
    else:
        writing.accepted(connection, crm.name, _key(change.row))


def _report_contested(connection: Transaction, crm: Connected, change: Change, now: datetime) -> None:
    names = ", ".join(crm.mapping.crm_field(change.row.target, name) for name in change.contested)
    writing.refuse(
        connection,
        crm.name,
        _key(change.row),
        now=now,
        code="contested",
        what=f"something else in the CRM keeps overwriting {names}, so it was left alone.",
        remedy="Find the flow, workflow or sync that writes the field, or drop the field from the mapping.",
        fingerprint="",
    )


def _refused_before(crm: Connected, change: Change, known: Mapping[str, Row[Any]]) -> bool:
    before = known.get(_key(change.row))
    return before is not None and before.fingerprint == writing.fingerprint(change.fields, crm.mapping.fingerprint)


def _send_fields(
    context: Context, crm: Connected, lease: Lease, *, target: str, batch: Sequence[Change], written: Written
) -> None:
    writes = [_field_write(crm, target, change) for change in batch]
    _check_lease(context, lease)
    results = crm.adapter.write(writes)
    now = context.clock.now()
    with context.store.write() as connection:
        for change, result in zip(batch, results, strict=True):
            _note(connection, crm, change, result, now=now)
            _count(written, result)
    written.results = list(results)


def _field_write(crm: Connected, target: str, change: Change) -> Write:
    fields = {crm.mapping.crm_field(target, name): raw for name, raw in change.fields.items()}
    ref = ref_of(crm.name, change.row.ref)
    return Write(key=_key(change.row), object=ref.object, fields=fields, id=ref.id)


def _note(connection: Transaction, crm: Connected, change: Change, result: WriteResult, *, now: datetime) -> None:
    before = {name: change.row.shown.get(name) for name in change.fields}
    writing.log(
        connection,
        crm.name,
        result.write.key,
        ref=change.row.ref,
        at=now,
        outcome=result.outcome,
        before=before,
        after=dict(change.fields),
        error=str(result.error) if result.error else None,
    )
    if result.outcome == "refused":
        _set_aside(connection, crm, result, writing.fingerprint(change.fields, crm.mapping.fingerprint), now)
        return
    _no_longer_refused(connection, crm, change, now)
    written = dict(change.row.written)
    for name, raw in change.fields.items():
        written[name] = {"value": raw, "times": _overwritten(change.row, name, raw) + 1}
    shown = {name: raw for name, raw in {**change.row.shown, **change.fields}.items() if raw is not None}
    writing.wrote(connection, crm.name, change.row, shown=shown, written=written)


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_tasks(context: Context, crm: Connected, lease: Lease, *, written: Written) -> None:
    if "key" not in crm.mapping.names("task"):
        return
    place = None
    while not context.stop.is_set():
        with context.store.read() as connection:
            rows = writing.taskless(connection, crm.name, place, PAGE)
            known = writing.refusals(connection, crm.name, [row.id for row in rows])
            planned = [(row, _task_write(connection, crm, row)) for row in rows]
        due = _fit_tasks(context, crm, planned, known, written)
        for batch in _batches(due, crm.adapter.write_batch):
            if context.stop.is_set():
                return
            _send_tasks(context, crm, lease, batch=batch, written=written)
        if len(rows) < PAGE:
            return
        place = (rows[-1].opened_at, rows[-1].id)


def _fit_tasks(
    context: Context,
    crm: Connected,
    planned: Sequence[tuple[Row[Any], Write | MappingError]],
    known: Mapping[str, Row[Any]],
    written: Written,
) -> list[Write]:
    """Return the tasks to be made; those that do not fit, or were refused as they are, are counted and left."""
    due: list[Write] = []
    for row, write in planned:
        if isinstance(write, MappingError):
            with context.store.write() as connection:
                _unfit(connection, crm, row.id, write, context.clock.now())
            written.refused += 1
        elif _task_refused_before(crm, write, known.get(row.id)):
            written.refused += 1
        else:
            due.append(write)
    return due


def _task_refused_before(crm: Connected, write: Write, before: Row[Any] | None) -> bool:
    return before is not None and before.fingerprint == writing.fingerprint(write.fields, crm.mapping.fingerprint)


def _task_write(connection: Transaction, crm: Connected, row: Row[Any]) -> Write | MappingError:
    """Return the write that makes a follow-up's task once, whatever happens to its answer: it is keyed by the follow-up's id."""
    owner = following.owner_at(connection, crm.name, row.owner_ref)
    # A CRM takes no task for somebody who has left since the follow-up was opened: better one that nobody owns than none.
    works = owner is not None and owner.active and owner.deleted_at is None
    tz = zone(owner.timezone if owner is not None else None)
    contact = ref_of(crm.name, row.contact_ref) if row.contact_ref and row.contact_gone is None else None
    about = ref_of(crm.name, row.account_ref)
    values = {
        "key": row.id,
        "subject": row.subject,
        "body": row.body,
        "priority": row.priority,
        "status": "open",
        "due": row.due_at.astimezone(tz).date(),
        "due_at": row.due_at,
        "owner": ref_of(crm.name, row.owner_ref).id if works else None,
        "contact": contact.id if contact else None,
        "account": about.id,
    }
    try:
        rendered = crm.mapping.render("task", {name: value for name, value in values.items() if value is not None})
    except MappingError as error:
        return error
    fields = {crm.mapping.crm_field("task", name): raw for name, raw in rendered.items() if name != "key"}
    return Write(
        key=row.id,
        object=crm.mapping.object_of("task"),
        fields=fields,
        external=(crm.mapping.crm_field("task", "key"), row.id),
        related=tuple(ref for ref in (about, contact) if ref is not None),
    )


def _send_tasks(context: Context, crm: Connected, lease: Lease, *, batch: Sequence[Write], written: Written) -> None:
    _check_lease(context, lease)
    results = crm.adapter.write(batch)
    now = context.clock.now()
    with context.store.write() as connection:
        for write, result in zip(batch, results, strict=True):
            _note_task(connection, crm, write, result, now=now)
            _count(written, result)
    written.results = list(results)


def _note_task(connection: Transaction, crm: Connected, write: Write, result: WriteResult, *, now: datetime) -> None:
    ref = f"{write.object}/{result.id}" if result.id else None
    error = str(result.error) if result.error else None
    writing.log(
        connection,
        crm.name,
        write.key,
        ref=ref,
        at=now,
        outcome=result.outcome,
        before={},
        after=dict(write.fields),
        error=error,
    )
    if result.outcome == "refused":
        _set_aside(connection, crm, result, writing.fingerprint(write.fields, crm.mapping.fingerprint), now)
    elif ref is not None:
        writing.accepted(connection, crm.name, write.key)
        writing.has_task(connection, crm.name, write.key, ref)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _set_aside(connection: Transaction, crm: Connected, result: WriteResult, fingerprint: str, now: datetime) -> None:
    """Keep a refusal with its reason. A passing one (a locked record) is tried again in the next lap."""
    error = result.error
    writing.refuse(
        connection,
        crm.name,
        result.write.key,
        now=now,
        code=getattr(error, "code", "") or type(error).__name__,
        what=error.what if error else "the CRM gave no reason.",
        remedy=error.remedy if error else "",
        fingerprint=fingerprint if error is None or error.permanent else "",
    )


def _count(written: Written, result: WriteResult) -> None:
    setattr(written, result.outcome, getattr(written, result.outcome) + 1)


def _check_lease(context: Context, lease: Lease) -> None:
    with context.store.read() as connection:
        lease.check(connection)


def _key(row: Row[Any]) -> str:
    return f"{row.target}:{row.ref}"


def _value(name: str, raw: Any) -> Any:
    return datetime.fromisoformat(raw) if name in INSTANTS and isinstance(raw, str) else raw


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
