"""Taking back the last write-back: each field that still holds what we wrote gets the value from before, and nothing else is touched.

It first plans, line by line of the log, from what the CRM shows now; then acts. Cut off, it is run again: it sees what was put back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.errors import MappingError
from connector.model import Ref
from connector.ports import CrmAdapter, CrmMapping, Record, Write, WriteResult
from connector.stages.write_back_sending import PAGE, Outbox, batches
from connector.store import Row, Store, undoing, writing
from connector.store.tables import ref_of

GONE = "the record is not there any more"
UNMAPPED = "it is not in the mapping any more"
UNSEEN = "we may not read it any more"
CHANGED = "somebody has changed it since"
SAID_NO = "the customer has said no to surveys, and that holds"
TAKEN_UP = "somebody has taken it up"
FOUND = "it was there before, and was only associated"
NO_WORD = "the mapping has no word for a closed task: add closed to the values of [write.task] status"

_SIGNS_OF_LIFE = frozenset({"subject", "status", "owner", "priority", "due", "due_at"})
"""By these a task shows whether somebody has touched it. Its text is left out: some CRMs give it back in a form of their own."""
_CLOSING = {"status": "closed", "outcome": "No action needed"}


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one line of the log."""

    line: Row[Any]
    ref: Ref
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What is to be written, by the CRM's names."""
    now: Mapping[str, Any] = field(default_factory=dict)
    """What these fields hold now."""
    ours: Mapping[str, Any] = field(default_factory=dict)
    """The same as `fields`, by our names."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Why a field is left as it is, by the CRM's name (``""``: the whole record)."""

    @property
    def is_task(self) -> bool:
        """Whether it is about a task that the write-back made."""
        return _target(self.line) == "task"

    def as_write(self) -> Write:
        """Return what to send."""
        return Write(f"{undoing.UNDOING}{self.line.key}", self.ref.object, self.fields, id=self.ref.id)


def steps(store: Store, adapter: CrmAdapter, mapping: CrmMapping, first: int) -> Iterator[list[Step]]:
    """Yield what is to be done about a write-back that begins at line `first`, newest first, a page at a time. Only reads."""
    before: int | None = None
    while lines := _lines(store, adapter.connection, first, before):
        present = _present(adapter, mapping, lines)
        yield [_step(mapping, line, ref_of(adapter.connection, line.ref), present) for line in lines]
        before = lines[-1].id


def _lines(store: Store, crm: str, first: int, before: int | None) -> Sequence[Row[Any]]:
    with store.read() as connection:
        return undoing.lines(connection, crm, first, before=before, limit=PAGE)


def carry_out(outbox: Outbox, planned: Sequence[Step]) -> Iterator[WriteResult]:
    """Send what was planned; yields what became of each record that was to be changed, after it was noted."""
    due = {step.as_write().key: step for step in planned if step.fields}
    by_object: dict[str, list[Write]] = {}
    for step in due.values():
        by_object.setdefault(step.ref.object, []).append(step.as_write())
    for writes in by_object.values():
        for batch in batches(writes, outbox.crm.adapter.write_batch):
            results = outbox.send(batch)
            with outbox.context.store.write() as connection:
                for result in results:
                    _note(outbox, connection, due[result.write.key], result)
            yield from results


def _note(outbox: Outbox, connection: Any, step: Step, result: WriteResult) -> None:
    writing.log(
        connection,
        outbox.crm.name,
        result.write.key,
        ref=step.line.ref,
        at=outbox.now,
        outcome=result.outcome,
        before=dict(step.now),
        after=dict(step.fields),
        error=str(result.error) if result.error else None,
    )
    if result.outcome != "refused" and not step.is_task:
        undoing.put_back(connection, outbox.crm.name, step.line.ref, step.ours)


# ── planning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _target(line: Row[Any]) -> str:
    """Return whose fields a line is about: its key says so, and a task's is the id of its follow-up alone."""
    target, colon, _ = line.key.partition(":")
    return target if colon else "task"


def _present(adapter: CrmAdapter, mapping: CrmMapping, lines: Sequence[Row[Any]]) -> dict[tuple[str, str], Record]:
    """Read what these records show now, in a call or two for each object."""
    wanted: dict[str, dict[str, set[str]]] = {}
    for line in lines:
        ref = ref_of(adapter.connection, line.ref)
        wanted.setdefault(ref.object, {}).setdefault(ref.id, set()).update(_fields_of(mapping, line))
    found: dict[tuple[str, str], Record] = {}
    for object_name, fields in wanted.items():
        names = sorted(set().union(*fields.values()))
        for record_id, record in adapter.fetch(object_name, list(fields), names).items():
            found[object_name, record_id] = record
    return found


def _fields_of(mapping: CrmMapping, line: Row[Any]) -> set[str]:
    """Return the CRM's fields that tell what has become of a line."""
    target = _target(line)
    names = _SIGNS_OF_LIFE | _CLOSING.keys() if target == "task" else set(line.after)
    return {mapping.crm_field(target, name) for name in names & mapping.names(target)}


def _step(mapping: CrmMapping, line: Row[Any], ref: Ref, present: Mapping[tuple[str, str], Record]) -> Step:
    record = present.get((ref.object, ref.id))
    if record is None:
        return Step(line, ref, left={"": GONE})
    if _target(line) == "task":
        return _task_step(mapping, line, ref, record)
    ours: dict[str, Any] = {}
    left: dict[str, str] = {}
    for name in line.after:
        reason = _why_left(mapping, line, name, record)
        if reason is None:
            ours[name] = line.before.get(name)
        elif reason:
            left[mapping.crm_field(_target(line), name) if name in mapping.names(_target(line)) else name] = reason
    return _restoring(mapping, line, ref, record, ours=ours, left=left)


def _why_left(mapping: CrmMapping, line: Row[Any], name: str, record: Record) -> str | None:
    """Return why one of our fields is not put back: "" when it holds the value from before already, None when it is put back."""
    target = _target(line)
    if name not in mapping.names(target):
        return UNMAPPED
    path = mapping.crm_field(target, name)
    if path not in record.fields:
        return UNSEEN
    if not mapping.differs(target, name, line.before.get(name), record.fields[path]):
        return ""
    if mapping.differs(target, name, line.after[name], record.fields[path]):
        return CHANGED
    # It is written for no other reason, and others in the CRM go by it.
    return SAID_NO if name == "no_surveys" else None


def _task_step(mapping: CrmMapping, line: Row[Any], ref: Ref, record: Record) -> Step:
    """A task that nobody has touched is closed; what somebody is at, or may be at, is theirs."""
    if not line.after:
        return Step(line, ref, left={"": FOUND})
    paths = {name: mapping.crm_field("task", name) for name in _SIGNS_OF_LIFE & mapping.names("task")}
    for name, path in paths.items():
        if path in line.after and mapping.differs("task", name, line.after[path], record.fields.get(path)):
            return Step(line, ref, left={"": TAKEN_UP})
    closing = _closing(mapping)
    if not closing:
        return Step(line, ref, left={"": NO_WORD})
    return _restoring(mapping, line, ref, record, ours=closing, left={})


def _closing(mapping: CrmMapping) -> dict[str, Any]:
    """Return what closes a task, by our names; nothing when the mapping has no word of the CRM's for it."""
    try:
        words = mapping.render("task", _CLOSING)
    except MappingError:
        return {}
    return words if words.get("status") not in (None, _CLOSING["status"]) else {}


def _restoring(
    mapping: CrmMapping, line: Row[Any], ref: Ref, record: Record, *, ours: dict[str, Any], left: dict[str, str]
) -> Step:
    fields = {mapping.crm_field(_target(line), name): raw for name, raw in ours.items()}
    now = {path: record.fields.get(path) for path in fields}
    return Step(line, ref, fields=fields, now=now, ours=ours, left=left)
