"""What people do to a follow-up's task, or note of it, becomes the follow-up's next state."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from connector.model import FollowUpState, SeenTask, TaskState
from connector.settings import Settings
from connector.settings.time_zones import owner_hours
from connector.stages.follow_up.states import Event, KnownTask, OutcomeNoted, Progress, TaskDeleted, after, event_of
from connector.store import Row, Transaction
from connector.store.crm.records import TaskRead, mark_stale
from connector.store.results import follow_up_facts, tasks
from connector.store.tables import ref_text

_DUE = timedelta(hours=24)
"""When a follow-up is due again whose rule is not in the configuration any more."""


def take_in(tx: Transaction, settings: Settings, read: Sequence[TaskRead], now: datetime) -> None:
    """Take in what a page said of our tasks. Belongs into the transaction that stores the page."""
    if not read:
        return
    rows = tasks.follow_ups(tx, {task.follow_up_id for task in read})
    for one in read:
        row = rows.get(one.follow_up_id)
        if row is None:
            continue
        event = TaskDeleted() if one.task is None else event_of(_known(row), one.task)
        seen = _as_seen(row, one)
        if event is not None:
            seen |= _consequences(tx, settings, row, event, now)
        if event is not None or seen.get("owner_ref", row.owner_ref) != row.owner_ref:
            mark_stale(tx, row.customer, now)
        tasks.change(tx, row.id, seen)


def note_outcome(tx: Transaction, settings: Settings, row: Row[Any], noted: OutcomeNoted, now: datetime) -> None:
    """Take in an outcome that somebody noted elsewhere; `write_back` brings it to the task."""
    changes = _consequences(tx, settings, row, noted, now)
    if changes:
        tasks.change(tx, row.id, changes)
        mark_stale(tx, row.customer, now)


def note_correction(tx: Transaction, row: Row[Any], noted: OutcomeNoted, now: datetime) -> None:
    """Take in other words for an outcome that was noted before. It counts no attempt, and moves no due time."""
    words = {"cause": noted.cause or row.cause, "note": noted.note or row.note}
    tasks.change(tx, row.id, words)
    mark_stale(tx, row.customer, now)


def due_again(tx: Transaction, settings: Settings, row: Row[Any], now: datetime) -> datetime:
    """Return when a follow-up is due after an attempt that settled nothing: by its rule, from now on, in its owner's working time."""
    known = settings.follow_up.get(row.rule)
    owner = follow_up_facts.owner_at(tx, row.connection, row.owner_ref)
    hours = owner_hours(owner.timezone if owner is not None else None, settings)
    return hours.due(now, known.due if known is not None else _DUE)


def _known(row: Row[Any]) -> KnownTask:
    return KnownTask(TaskState(row.task_state) if row.task_state else None, row.task_seen)


def _as_seen(row: Row[Any], read: TaskRead) -> dict[str, Any]:
    """Return what is to be remembered of a task; where somebody gave it to another person, the follow-up is theirs."""
    task = read.task
    if task is None:
        return {"task_state": TaskState.DELETED.value, "task_ref": read.ref}
    seen: dict[str, Any] = {"task_seen": dict(task.shown)}
    seen["task_state"] = (TaskState.OPEN if task.open else TaskState.COMPLETED).value
    if not task.open:
        # One that is open, and whose making was never confirmed, may lack what comes after it: `write_back` finishes it.
        seen["task_ref"] = read.ref
    if _owner_changed(row, task):
        seen |= {"owner_ref": ref_text(task.owner), "owner_note": None}
    return seen


def _owner_changed(row: Row[Any], task: SeenTask) -> bool:
    if task.owner is None:
        return False
    before = (row.task_seen or {}).get("owner") or (row.task_written or {}).get("owner")
    known = row.owner_ref if before is None else f"{task.owner.object}/{before}"
    return ref_text(task.owner) != known


def _consequences(tx: Transaction, settings: Settings, row: Row[Any], event: Event, now: datetime) -> dict[str, Any]:
    """Return the columns that an event changes. What another follow-up has taken over meanwhile is not opened again."""
    before = progress_of(row)
    progress = after(before, event, now=now, due_again=due_again(tx, settings, row, now))
    opens = progress.state is FollowUpState.OPEN and before.state is not FollowUpState.OPEN
    if progress == before or (opens and tasks.has_successor(tx, row)):
        return {}
    changes = asdict(progress) | {"state": progress.state.value}
    if progress.state is not FollowUpState.WAITING_FOR_OUTCOME:
        changes["attention_ended_at"] = None
    return changes


def progress_of(row: Row[Any]) -> Progress:
    """Return how far a follow-up has come."""
    return Progress(
        state=FollowUpState(row.state),
        due_at=row.due_at,
        attempts=row.attempts,
        outcome=row.outcome,
        cause=row.cause,
        note=row.note,
        waiting_since=row.waiting_since,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
