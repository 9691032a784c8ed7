"""What people do to a follow-up's task, or note of it, becomes the follow-up's next state."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connector.model import FollowUpState, Ref, SeenTask, TaskState
from connector.model.follow_up import FollowUp, FollowUpChange
from connector.settings import Settings
from connector.settings.time_zones import owner_hours
from connector.stages.follow_up.states import Event, KnownTask, OutcomeNoted, Progress, TaskDeleted, after, event_of
from connector.store import Transaction
from connector.store.crm.pages import TaskRead
from connector.store.crm.records import mark_stale
from connector.store.results import follow_up_facts, follow_ups, tasks

_DUE = timedelta(hours=24)
"""When a follow-up is due again whose rule is not in the configuration any more."""


def take_in(tx: Transaction, settings: Settings, read: Sequence[TaskRead], now: datetime) -> None:
    """Take in what a page said of our tasks. Belongs into the transaction that stores the page."""
    if not read:
        return
    known = follow_ups.locked(tx, {task.follow_up_id for task in read})
    for task_read in read:
        follow_up = known.get(task_read.follow_up_id)
        if follow_up is None:
            continue
        event = TaskDeleted() if task_read.task is None else event_of(_known(follow_up), task_read.task)
        changes = _as_seen(follow_up, task_read)
        if event is not None:
            changes |= _consequences(tx, settings, follow_up, event, now)
        if event is not None or changes.get("owner", follow_up.owner) != follow_up.owner:
            mark_stale(tx, follow_up.customer, now)
        follow_ups.change(tx, follow_up.id, changes)


def note_outcome(tx: Transaction, settings: Settings, follow_up: FollowUp, noted: OutcomeNoted, now: datetime) -> None:
    """Take in an outcome that somebody noted elsewhere; `write_back` brings it to the task."""
    changes = _consequences(tx, settings, follow_up, noted, now)
    if changes:
        follow_ups.change(tx, follow_up.id, changes)
        mark_stale(tx, follow_up.customer, now)


def note_correction(tx: Transaction, follow_up: FollowUp, noted: OutcomeNoted, now: datetime) -> None:
    """Take in other words for an outcome that was noted before. It counts no attempt, and moves no due time."""
    words: FollowUpChange = {"cause": noted.cause or follow_up.cause, "note": noted.note or follow_up.note}
    follow_ups.change(tx, follow_up.id, words)
    mark_stale(tx, follow_up.customer, now)


def due_again(tx: Transaction, settings: Settings, follow_up: FollowUp, now: datetime) -> datetime:
    """Return when a follow-up is due after an attempt that settled nothing: by its rule, from now on, in its owner's working time."""
    rule = settings.follow_up.get(follow_up.rule)
    owner = follow_up_facts.owner_at(tx, follow_up.owner)
    hours = owner_hours(owner, settings)
    return hours.due(now, rule.due if rule is not None else _DUE)


def _known(follow_up: FollowUp) -> KnownTask:
    return KnownTask(follow_up.task_state, follow_up.task_seen)


def _as_seen(follow_up: FollowUp, read: TaskRead) -> FollowUpChange:
    """Return what is to be remembered of a task; where somebody gave it to another person, the follow-up is theirs."""
    task = read.task
    if task is None:
        return {"task_state": TaskState.DELETED, "task": read.ref}
    seen: FollowUpChange = {
        "task_seen": task.shown,
        "task_state": TaskState.OPEN if task.open else TaskState.COMPLETED,
    }
    if not task.open:
        # One that is open, and whose making was never confirmed, may lack what comes after it: `write_back` finishes it.
        seen["task"] = read.ref
    if _owner_changed(follow_up, task):
        seen |= {"owner": task.owner, "owner_note": None}
    return seen


def _owner_changed(follow_up: FollowUp, task: SeenTask) -> bool:
    if task.owner is None:
        return False
    written = follow_up.task_written.fields if follow_up.task_written is not None else {}
    before = (follow_up.task_seen or {}).get("owner") or written.get("owner")
    known = follow_up.owner if before is None else Ref(task.owner.connection, task.owner.object, str(before))
    return task.owner != known


def _consequences(
    tx: Transaction, settings: Settings, follow_up: FollowUp, event: Event, now: datetime
) -> FollowUpChange:
    """Return what an event changes. What another follow-up has taken over meanwhile is not opened again."""
    before = progress_of(follow_up)
    progress = after(before, event, now=now, due_again=due_again(tx, settings, follow_up, now))
    opens = progress.state is FollowUpState.OPEN and before.state is not FollowUpState.OPEN
    if progress == before or (opens and tasks.has_successor(tx, follow_up)):
        return {}
    changes: FollowUpChange = {
        "state": progress.state,
        "due_at": progress.due_at,
        "attempts": progress.attempts,
        "outcome": progress.outcome,
        "cause": progress.cause,
        "note": progress.note,
        "waiting_since": progress.waiting_since,
        "closed_at": progress.closed_at,
        "closed_by": progress.closed_by,
    }
    if progress.state is not FollowUpState.WAITING_FOR_OUTCOME:
        changes["attention_ended_at"] = None
    return changes


def progress_of(follow_up: FollowUp) -> Progress:
    """Return how far a follow-up has come."""
    return Progress(
        state=follow_up.state,
        due_at=follow_up.due_at,
        attempts=follow_up.attempts,
        outcome=follow_up.outcome,
        cause=follow_up.cause,
        note=follow_up.note,
        waiting_since=follow_up.waiting_since,
        closed_at=follow_up.closed_at,
        closed_by=follow_up.closed_by,
    )
