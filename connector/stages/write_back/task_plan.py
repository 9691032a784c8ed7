"""What is to be changed on a follow-up's task: pure, values in, a change out.

A field is changed only while it still holds what we last wrote there: what somebody else has written is theirs. Opening a task again,
and completing it, follow from what people did, so these take the status as it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connector.model import ClosedBy, FollowUpState, Outcome, TaskState
from connector.model.outbox import WriteLogEntry
from connector.ports import CrmMapping, WriteResult
from connector.stages.write_back.changes import Change
from connector.store import Row
from connector.store.tables import ref_of

TEXTS = ("subject", "body", "priority", "due", "due_at", "owner")
"""What a task says, by our names."""
LEFT = "left"
"""Among what was written: what was wanted for the fields that were left to others, so that each is told once."""
NOTED = "noted"
"""Among what was written: the answers that notes tell, because the text was left to others."""
_NEWS = frozenset({"status", "outcome"})
_DUES = ("due", "due_at")
_SAY_WHY = (ClosedBy.LATER_ANSWER, ClosedBy.JOINED)
"""What closes a follow-up so that the text of its task tells it."""

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Desired:
    """What a task should hold, in the CRM's form by our names."""

    texts: Raw = field(default_factory=dict)
    """Written where nobody else has."""
    forced: Raw = field(default_factory=dict)
    """Written whatever stands there."""
    status: str | None = None
    """Written while the status is the one that we wrote."""
    if_empty: Raw = field(default_factory=dict)
    """Written with the status, where nothing stands."""
    held: Raw = field(default_factory=dict)
    """What was refused before as it is: it is in none of the others."""

    @property
    def fields(self) -> Raw:
        """All that may be written."""
        status = {} if self.status is None else {"status": self.status}
        return {**self.if_empty, **self.texts, **self.forced, **status}

    def less(self, held: Raw) -> "Desired":
        """Return it without what was refused before as it is. Status and what goes with it are one."""
        texts, forced, if_empty = (_less(one, held) for one in (self.texts, self.forced, self.if_empty))
        return replace(self, texts=texts, forced=forced, if_empty=if_empty, held=held)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange(Change):
    """What is to be written to one task; `before` is what the task held just before, of these fields."""

    row: Row[Any]
    left: Raw = field(default_factory=dict)
    """What was left to others."""
    same: Raw = field(default_factory=dict)
    """What the task holds already, as it should."""

    @property
    def needed(self) -> Collection[str]:
        """An outcome stands for nothing on a task that could not be completed, or opened again."""
        return ("status",)

    def log_entry(self, result: WriteResult, mapping: CrmMapping) -> WriteLogEntry:
        """Return the line of the log about what became of it, by the CRM's names."""
        entry = Change.log_entry(self, result, mapping)
        return replace(entry, before=self.by_path(entry.before, mapping), after=result.write.fields)


def _less(fields: Raw, held: Raw) -> Raw:
    return {name: raw for name, raw in fields.items() if name not in held}


def values_of(row: Row[Any]) -> dict[str, Any]:
    """Return what a follow-up itself says of its task; whose it is, and of which day, its reader adds."""
    return {"subject": row.subject, "body": row.body, "priority": row.priority, "due_at": row.due_at}


def desired(mapping: CrmMapping, row: Row[Any], texts: Raw, refused: Collection[str] = ()) -> Desired:
    """Return what a task should hold. `texts` are what its follow-up says, rendered; `refused` those of its fields that the CRM has
    refused, which may be all that is left to be written."""
    match FollowUpState(row.state):
        case FollowUpState.OPEN if row.task_state == TaskState.COMPLETED:
            again = {"status": "open"} | dict.fromkeys({"outcome", "cause"} & mapping.names("task"))
            forced = mapping.render("task", again) | {name: texts[name] for name in _DUES if name in texts}
            return Desired({name: raw for name, raw in texts.items() if name not in _DUES}, forced)
        case FollowUpState.OPEN:
            return Desired(texts, dict.fromkeys(_taken_in(mapping, row)))
        case FollowUpState.CLOSED if row.task_state == TaskState.OPEN:
            return _closing(mapping, row, texts)
        case FollowUpState.CLOSED if row.task_state == TaskState.COMPLETED:
            words = _closing(mapping, row, texts).if_empty
            return Desired({name: raw for name, raw in words.items() if name in refused})
        case _:
            return Desired()


def _taken_in(mapping: CrmMapping, row: Row[Any]) -> set[str]:
    """An outcome that settled nothing is cleared, so that the next one is seen, be it the same."""
    noted = (row.task_seen or {}).get("outcome") is not None and row.outcome in set(Outcome)
    return {"outcome", "cause"} & set(mapping.names("task")) if noted else set()


def _closing(mapping: CrmMapping, row: Row[Any], texts: Raw) -> Desired:
    """Return how a task is completed; where nobody noted an outcome, its text says why nobody has to call any more."""
    if "status" not in mapping.names("task"):
        return Desired()
    closed = mapping.render("task", {"status": "closed"})
    if closed["status"] == "closed":  # the mapping has no word of the CRM's for it
        return Desired()
    by_outcome = row.closed_by == ClosedBy.OUTCOME
    # What an earlier call came to is no outcome of a task that a later answer, or another task, has made needless.
    noted = row.outcome if by_outcome and row.outcome in set(Outcome) else None
    words = {"outcome": noted or Outcome.NO_ACTION_NEEDED.value, "cause": row.cause}
    if_empty = mapping.render("task", {name: word for name, word in words.items() if word is not None})
    if by_outcome:
        return Desired(forced=closed, if_empty=if_empty)
    why = {name: raw for name, raw in texts.items() if name == "body" and row.closed_by in _SAY_WHY}
    return Desired(why, status=closed["status"], if_empty=if_empty)


def is_pending(mapping: CrmMapping, row: Row[Any], wanted: Desired) -> bool:
    """Tell whether a task may have to be changed: then it is looked at first."""
    written = row.task_written or {}
    if wanted.forced:
        return True
    texts = {**wanted.texts, **({} if wanted.status is None else {"status": wanted.status})}
    return any(not _same(mapping, name, raw, written.get(name)) for name, raw in _not_left(mapping, texts, row).items())


def _not_left(mapping: CrmMapping, texts: Raw, row: Row[Any]) -> Raw:
    left = (row.task_written or {}).get(LEFT, {})
    return {
        name: raw for name, raw in texts.items() if name not in left or not _same(mapping, name, raw, left.get(name))
    }


def plan(mapping: CrmMapping, row: Row[Any], wanted: Desired, shown: Raw) -> TaskChange | None:
    """Return the change of one task as it is now; None: somebody was at it since it was read, which is looked at first."""
    seen, written = row.task_seen or {}, row.task_written or {}
    if any(
        name in seen and not _same(mapping, name, seen[name], shown.get(name)) for name in mapping.names("task") & _NEWS
    ):
        return None
    fields = {name: raw for name, raw in wanted.forced.items() if not _same(mapping, name, raw, shown.get(name))}
    left: dict[str, Any] = {}
    same: dict[str, Any] = {}
    conditional = {**wanted.texts, **({} if wanted.status is None else {"status": wanted.status})}
    for name, raw in _not_left(mapping, conditional, row).items():
        if _same(mapping, name, raw, shown.get(name)):
            same[name] = raw
        elif _same(mapping, name, written.get(name), shown.get(name)):
            fields[name] = raw
        else:
            left[name] = raw
    if "status" in fields:
        fields |= {name: raw for name, raw in wanted.if_empty.items() if shown.get(name) in (None, "")}
    return TaskChange(
        key=row.id,
        target="task",
        ref=ref_of(row.connection, row.task_ref),
        fields=fields,
        before={name: shown.get(name) for name in fields},
        held=wanted.held,
        row=row,
        left=left,
        same=same,
    )


def _same(mapping: CrmMapping, name: str, raw: Any, other: Any) -> bool:
    if name == "body":
        return _words(raw) == _words(other)
    return not mapping.differs("task", name, raw, other)


def _words(text: Any) -> list[str]:
    """CRMs give a text back with lines and spaces of their own."""
    return str(text or "").split()


def written_after(change: TaskChange) -> dict[str, Any]:
    """Return what is to be remembered as written, once the change is done (or left)."""
    before = dict(change.row.task_written or {})
    done = {**change.same, **change.fields}
    left = {**before.pop(LEFT, {}), **change.left}
    kept = {name: raw for name, raw in left.items() if name not in done}
    return {**before, **done, **({LEFT: kept} if kept else {})}
