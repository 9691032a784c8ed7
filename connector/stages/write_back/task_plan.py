"""What is to be changed on a follow-up's task: pure, values in, a change out.

A field is changed only while it still holds what we last wrote there: what somebody else has written is theirs. Opening a task again,
and completing it, follow from what people did, so these take the status as it is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date

from connector.model import ClosedBy, FieldValue, FieldValues, FollowUpState, Outcome, TaskState
from connector.model.follow_up import FollowUp, WrittenTask
from connector.model.outbox import WriteLogEntry
from connector.ports import CrmMapping, WriteResult
from connector.stages.write_back.changes import Change

TEXTS = ("subject", "body", "priority", "due", "due_at", "owner")
"""What a task says, by our names."""
_NEWS = frozenset({"status", "outcome"})
_DUES = ("due", "due_at")
_SAY_WHY = (ClosedBy.LATER_ANSWER, ClosedBy.JOINED)
"""What closes a follow-up so that the text of its task tells it."""


@dataclass(frozen=True, slots=True)
class DesiredTask:
    """What a follow-up's task should hold, in the CRM's form by our names."""

    follow_up: FollowUp
    texts: FieldValues = field(default_factory=dict)
    """Written where nobody else has."""
    forced: FieldValues = field(default_factory=dict)
    """Written whatever stands there."""
    status: FieldValue = None
    """Written while the status is the one that we wrote."""
    if_empty: FieldValues = field(default_factory=dict)
    """Written with the status, where nothing stands."""
    held: FieldValues = field(default_factory=dict)
    """What was refused before as it is: it is in none of the others."""

    @property
    def fields(self) -> FieldValues:
        """All that may be written."""
        return {**self.if_empty, **self.texts, **self.forced, **self._status}

    @property
    def _status(self) -> FieldValues:
        return {} if self.status is None else {"status": self.status}

    def without_held(self, held: FieldValues) -> "DesiredTask":
        """Return it without what was refused before as it is. Status and what goes with it are one."""
        texts, forced, if_empty = (_less(values, held) for values in (self.texts, self.forced, self.if_empty))
        return replace(self, texts=texts, forced=forced, if_empty=if_empty, held=held)

    def unless_edited(self, mapping: CrmMapping) -> FieldValues:
        """Return what is written where nobody else has, without what was left to others already."""
        written = self.follow_up.task_written
        left = written.left if written is not None else {}
        return {
            name: raw
            for name, raw in {**self.texts, **self._status}.items()
            if name not in left or not _same(mapping, name, raw, left[name])
        }


def _less(values: FieldValues, held: FieldValues) -> FieldValues:
    return {name: raw for name, raw in values.items() if name not in held}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange(Change):
    """What is to be written to one task; `before` is what the task held just before, of these fields."""

    follow_up: FollowUp
    left: FieldValues = field(default_factory=dict)
    """What was left to others."""
    same: FieldValues = field(default_factory=dict)
    """What the task holds already, as it should."""

    @property
    def needed(self) -> Collection[str]:
        """An outcome stands for nothing on a task that could not be completed, or opened again."""
        return ("status",)

    def log_entry(self, result: WriteResult, mapping: CrmMapping) -> WriteLogEntry:
        """Return the line of the log about what became of it, by the CRM's names."""
        entry = Change.log_entry(self, result, mapping)
        return replace(entry, before=self.by_path(entry.before, mapping), after=result.write.fields)

    @property
    def written(self) -> WrittenTask:
        """What is to be remembered as written, once the change is done (or left)."""
        before = self.follow_up.task_written or WrittenTask({})
        done = {**self.same, **self.fields}
        left = _less({**before.left, **self.left}, done)
        return replace(before, fields={**before.fields, **done}, left=left)


def texts_of(follow_up: FollowUp) -> dict[str, FieldValue | date]:
    """Return what a follow-up itself says of its task; whose it is, and of which day, its reader adds."""
    return {
        "subject": follow_up.subject,
        "body": follow_up.body,
        "priority": follow_up.priority,
        "due_at": follow_up.due_at,
    }


def desired_task(
    mapping: CrmMapping, follow_up: FollowUp, texts: FieldValues, refused: Collection[str] = ()
) -> DesiredTask:
    """Return what a task should hold. `texts` are what its follow-up says, rendered; `refused` those of its fields that the CRM has
    refused, which may be all that is left to be written."""
    match follow_up.state:
        case FollowUpState.OPEN if follow_up.task_state is TaskState.COMPLETED:
            again: dict[str, FieldValue] = dict.fromkeys({"outcome", "cause"} & mapping.names("task"))
            forced = mapping.render("task", {"status": "open", **again})
            forced |= {name: texts[name] for name in _DUES if name in texts}
            return DesiredTask(follow_up, {name: raw for name, raw in texts.items() if name not in _DUES}, forced)
        case FollowUpState.OPEN:
            return DesiredTask(follow_up, texts, dict.fromkeys(_taken_in(mapping, follow_up)))
        case FollowUpState.CLOSED if follow_up.task_state is TaskState.OPEN:
            return _closing(mapping, follow_up, texts)
        case FollowUpState.CLOSED if follow_up.task_state is TaskState.COMPLETED:
            words = _closing(mapping, follow_up, texts).if_empty
            return DesiredTask(follow_up, {name: raw for name, raw in words.items() if name in refused})
        case _:
            return DesiredTask(follow_up)


def _taken_in(mapping: CrmMapping, follow_up: FollowUp) -> frozenset[str]:
    """An outcome that settled nothing is cleared, so that the next one is seen, be it the same."""
    noted = (follow_up.task_seen or {}).get("outcome") is not None and follow_up.outcome in set(Outcome)
    return mapping.names("task") & {"outcome", "cause"} if noted else frozenset()


def _closing(mapping: CrmMapping, follow_up: FollowUp, texts: FieldValues) -> DesiredTask:
    """Return how a task is completed; where nobody noted an outcome, its text says why nobody has to call any more."""
    if "status" not in mapping.names("task"):
        return DesiredTask(follow_up)
    closed = mapping.render("task", {"status": "closed"})
    if closed["status"] == "closed":  # the mapping has no word of the CRM's for it
        return DesiredTask(follow_up)
    by_outcome = follow_up.closed_by is ClosedBy.OUTCOME
    # What an earlier call came to is no outcome of a task that a later answer, or another task, has made needless.
    noted = follow_up.outcome if by_outcome and follow_up.outcome in set(Outcome) else None
    words = {"outcome": noted or Outcome.NO_ACTION_NEEDED.value, "cause": follow_up.cause}
    if_empty = mapping.render("task", {name: word for name, word in words.items() if word is not None})
    if by_outcome:
        return DesiredTask(follow_up, forced=closed, if_empty=if_empty)
    why = {name: raw for name, raw in texts.items() if name == "body" and follow_up.closed_by in _SAY_WHY}
    return DesiredTask(follow_up, why, status=closed["status"], if_empty=if_empty)


def is_pending(mapping: CrmMapping, desired: DesiredTask) -> bool:
    """Tell whether a task may have to be changed: then it is looked at first."""
    written = desired.follow_up.task_written or WrittenTask({})
    return bool(desired.forced) or any(
        not _same(mapping, name, raw, written.fields.get(name)) for name, raw in desired.unless_edited(mapping).items()
    )


def plan(mapping: CrmMapping, desired: DesiredTask, actual: FieldValues) -> TaskChange | None:
    """Return the change of one task as it is now; None: somebody was at it since it was read, which is looked at first."""
    follow_up = desired.follow_up
    seen, written = follow_up.task_seen or {}, follow_up.task_written or WrittenTask({})
    news = [name for name in mapping.names("task") & _NEWS if name in seen]
    if not all(_same(mapping, name, seen[name], actual.get(name)) for name in news):
        return None
    fields = {name: raw for name, raw in desired.forced.items() if not _same(mapping, name, raw, actual.get(name))}
    left: dict[str, FieldValue] = {}
    same: dict[str, FieldValue] = {}
    for name, raw in desired.unless_edited(mapping).items():
        if _same(mapping, name, raw, actual.get(name)):
            same[name] = raw
        elif _same(mapping, name, written.fields.get(name), actual.get(name)):
            fields[name] = raw
        else:
            left[name] = raw
    if "status" in fields:
        fields |= {name: raw for name, raw in desired.if_empty.items() if actual.get(name) in (None, "")}
    return TaskChange(
        key=follow_up.id,
        target="task",
        ref=follow_up.task,
        fields=fields,
        before={name: actual.get(name) for name in fields},
        held=desired.held,
        follow_up=follow_up,
        left=left,
        same=same,
    )


def _same(mapping: CrmMapping, name: str, raw: FieldValue, other: FieldValue) -> bool:
    if name == "body":  # CRMs give a text back with lines and spaces of their own
        return str(raw or "").split() == str(other or "").split()
    return not mapping.differs("task", name, raw, other)
