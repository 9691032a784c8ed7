"""Taking writes back: each field that still holds what we wrote gets the value from before, and nothing else is touched.

It plans page by page from the log and from what the CRM shows now; then acts. Cut off, it is run again: it sees what was put back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.errors import MappingError, Unavailable
from connector.model import Field, FieldValue, FieldValues, Ref
from connector.model.outbox import WriteLogEntry
from connector.ports import CrmMapping, CrmReader, Record, Write, WriteResult
from connector.stages.connection.connect import describe_one
from connector.stages.write_back.outbox import PAGE, Outbox, batches
from connector.store import Store, Transaction
from connector.store.outbox import fields, undo, write_log
from connector.store.outbox.undo import WrittenLine
from connector.store.results import tasks

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
class UndoStep:
    """What is to be done about one record."""

    line: WrittenLine
    fields: FieldValues = field(default_factory=dict)
    """What is to be written, by the CRM's names."""
    actual: FieldValues = field(default_factory=dict)
    """What these fields hold now."""
    ours: FieldValues = field(default_factory=dict)
    """What of it stands in fields that the mapping names, by our names."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Why a field is left as it is, by the CRM's name (``""``: the whole record)."""

    @property
    def ref(self) -> Ref:
        """The record."""
        return self.line.ref

    @property
    def is_task(self) -> bool:
        """Whether it is about a task of ours."""
        return undo.target_of(self.line.key) is None

    @property
    def closes(self) -> bool:
        """Whether it closes a task that was made in the time that is taken back."""
        return self.is_task and self.line.created

    def as_write(self) -> Write:
        """Return what to send."""
        return Write(f"{undo.UNDOING}{self.line.key}", self.ref.object, self.fields, id=self.ref.id)


def steps(
    store: Store, reader: CrmReader, mapping: CrmMapping, first: int, only: Field | None = None
) -> Iterator[list[UndoStep]]:
    """Yield what is to be done about what was written since line `first` of the log, a page of records at a time, or about one field
    of an object alone. Only reads."""
    names, after = _FieldNames(reader, mapping), None
    while lines := _lines(store, reader.connection, first, after):
        after = lines[-1].ref
        lines = lines if only is None else _about(lines, only)
        present = _present(names, lines)
        yield [_step(names, line, present.get(line.ref)) for line in lines]


def _about(lines: Iterable[WrittenLine], only: Field) -> list[WrittenLine]:
    """Return what was written to one field."""
    object_name, path = only
    about = [line for line in lines if path in line.fields and line.ref.object == object_name]
    return [replace(line, fields={path: line.fields[path]}, created=False) for line in about]


def _lines(store: Store, crm: str, first: int, after: Ref | None) -> list[WrittenLine]:
    with store.read() as tx:
        return undo.lines(tx, crm, first, after=after, limit=PAGE)


def carry_out(outbox: Outbox, planned: Sequence[UndoStep]) -> Iterator[WriteResult]:
    """Send what was planned; yields what became of each record that was to be changed, after it was noted."""
    due = {step.as_write().key: step for step in planned if step.fields}
    by_object: dict[str, list[Write]] = {}
    for step in due.values():
        by_object.setdefault(step.ref.object, []).append(step.as_write())
    for writes in by_object.values():
        for batch in batches(writes, outbox.crm.writer.write_batch):
            with outbox.claims.taken([due[write.key].line.key for write in batch]) as ours:
                free = [write for write in batch if due[write.key].line.key in ours]
                results = outbox.send(free) if free else []
                with outbox.context.store.write() as tx:
                    for result in results:
                        _note(outbox, tx, due[result.write.key], result)
            yield from results
            if len(free) < len(batch):
                what = "another process is writing some of these records."
                raise Unavailable(what, where=outbox.crm.name, remedy="Undo again in a minute: it does the rest.")


def _note(outbox: Outbox, tx: Transaction, step: UndoStep, result: WriteResult) -> None:
    error = str(result.error) if result.error else None
    entry = WriteLogEntry(result.write.key, step.ref, result.outcome, step.actual, step.fields, error)
    write_log.add(tx, outbox.crm.name, entry, outbox.now)
    if result.outcome == "refused":
        return
    if step.is_task:
        tasks.put_back(tx, step.line.key, step.ours, closed=step.closes, now=outbox.now)
    else:
        fields.put_back(tx, step.ref, step.ours)


# ── planning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _FieldNames:
    """What the fields of a CRM are called, and how their values are compared."""

    reader: CrmReader
    mapping: CrmMapping
    there: dict[str, frozenset[str]] = field(default_factory=dict)
    """The fields that we may read, by object: asked for where a field is not in the mapping any more."""

    def mapped(self, line: WrittenLine, path: str) -> tuple[str, str] | None:
        """Return target and name of ours that the mapping has for a field of a record; None when it has none."""
        target = undo.target_of(line.key) or "task"
        known = line.fields[path].name if path in line.fields else None
        names = self.mapping.names(target) if known is None else self.mapping.names(target) & {known}
        return next(((target, name) for name in names if self.mapping.crm_field(target, name) == path), None)

    def readable(self, line: WrittenLine, path: str) -> bool:
        """Tell whether a field can be asked for."""
        if self.mapped(line, path):
            return True
        object_name = line.ref.object
        if object_name not in self.there:
            schema = describe_one(self.reader, object_name)
            self.there[object_name] = frozenset(schema.fields) if schema is not None else frozenset()
        return path in self.there[object_name]

    def differ(self, line: WrittenLine, path: str, value: FieldValue, other: FieldValue) -> bool:
        """Compare two values of a field as the CRM does; where the mapping does not say of which type it is, by what they look like."""
        mapped = self.mapped(line, path)
        return self.mapping.differs(*mapped, value, other) if mapped else _plain(value) != _plain(other)

    def of_task(self, names: Iterable[str]) -> dict[str, str]:
        """Return the CRM's names of fields of our tasks, by our names."""
        return {name: self.mapping.crm_field("task", name) for name in set(names) & self.mapping.names("task")}


def _plain(value: FieldValue) -> bool | float | datetime | str | None:
    """Return a value as it can be compared with one of unknown type: numbers and moments by what they mean."""
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().replace("\r\n", "\n")
    readers: Sequence[Callable[[str], float | datetime]] = (float, datetime.fromisoformat)
    for read in readers:
        try:
            return read(text)
        except ValueError:
            continue
    return text or None


def _present(names: _FieldNames, lines: Sequence[WrittenLine]) -> dict[Ref, Record]:
    """Read what these records show now, in a call or two for each object."""
    paths: dict[str, dict[str, set[str]]] = {}
    for line in lines:
        paths.setdefault(line.ref.object, {}).setdefault(line.ref.id, set()).update(_paths(names, line))
    present: dict[Ref, Record] = {}
    for object_name, by_id in paths.items():
        records = names.reader.fetch(object_name, list(by_id), sorted(set().union(*by_id.values())))
        present |= {Ref(names.reader.connection, object_name, id_): record for id_, record in records.items()}
    return present


def _paths(names: _FieldNames, line: WrittenLine) -> set[str]:
    """Return the CRM's fields that tell what has become of a record."""
    paths = {path for path in line.fields if names.readable(line, path)}
    if undo.target_of(line.key) is None:
        paths |= set(names.of_task([*_SIGNS_OF_LIFE, *_CLOSING]).values())
    return paths


def _step(names: _FieldNames, line: WrittenLine, record: Record | None) -> UndoStep:
    if record is None:
        return UndoStep(line, left={"": GONE})
    if not line.fields:
        return UndoStep(line, left={"": FOUND})
    if line.created and undo.target_of(line.key) is None:
        return _task_step(names, line, record)
    reasons = {path: _why_left(names, line, path, record) for path in line.fields}
    back = {path: line.fields[path].before for path, reason in reasons.items() if reason is None}
    ours = {mapped[1]: raw for path, raw in back.items() if (mapped := names.mapped(line, path))}
    left = {path: reason for path, reason in reasons.items() if reason}
    return _restoring(line, record, back, ours=ours, left=left)


def _why_left(names: _FieldNames, line: WrittenLine, path: str, record: Record) -> str | None:
    """Return why a field is not put back: "" when it holds the value from before already, None when it is put back."""
    wrote = line.fields[path]
    if path not in record.fields:
        return UNMAPPED if path == wrote.name else UNSEEN
    if not names.differ(line, path, wrote.before, record.fields[path]):
        return ""
    if names.differ(line, path, wrote.after, record.fields[path]):
        return CHANGED
    # It is written for no other reason, and others in the CRM go by it.
    return SAID_NO if wrote.name == "no_surveys" else None


def _task_step(names: _FieldNames, line: WrittenLine, record: Record) -> UndoStep:
    """A task that we made and nobody has touched is closed; what somebody is at, or may be at, is theirs."""
    for path in names.of_task(_SIGNS_OF_LIFE).values():
        if path in line.fields and names.differ(line, path, line.fields[path].after, record.fields.get(path)):
            return UndoStep(line, left={"": TAKEN_UP})
    closing = _closing(names.mapping)
    if not closing:
        return UndoStep(line, left={"": NO_WORD})
    paths = names.of_task(closing)
    return _restoring(line, record, {paths[name]: raw for name, raw in closing.items()}, ours=closing, left={})


def _closing(mapping: CrmMapping) -> dict[str, FieldValue]:
    """Return what closes a task, by our names; nothing when the mapping has no word of the CRM's for it."""
    try:
        words = mapping.render("task", _CLOSING)
    except MappingError:
        return {}
    return words if words.get("status") not in (None, _CLOSING["status"]) else {}


def _restoring(
    line: WrittenLine,
    record: Record,
    back: FieldValues,
    *,
    ours: FieldValues,
    left: Mapping[str, str],
) -> UndoStep:
    actual = {path: record.fields.get(path) for path in back}
    return UndoStep(line, fields=back, actual=actual, ours=ours, left=left)
