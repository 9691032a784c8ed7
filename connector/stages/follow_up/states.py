"""The states of a follow-up: pure, a state and an event in, the next state out.

Solved and No action needed close it. Not reached and Reached, not solved yet count an attempt and make it due again. A task that is
completed or deleted without an outcome waits for one. What people noted stays, whatever comes after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connector.model import ClosedBy, FollowUpState, Outcome, SeenTask, TaskState

_SETTLING = frozenset({Outcome.SOLVED, Outcome.NO_ACTION_NEEDED})
_UNSETTLED = frozenset({Outcome.NOT_REACHED, Outcome.NOT_SOLVED_YET})
_FINAL = frozenset({ClosedBy.JOINED, ClosedBy.ACCOUNT_GONE})
"""What is closed so is not opened again by its task: another follow-up has it, or there is nobody to call."""


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """Somebody completed the task; the outcome is a key, or a word of the CRM's that we do not know."""

    outcome: str | None = None
    cause: str | None = None
    at: datetime | None = None
    """When, as far as the CRM tells."""


@dataclass(frozen=True, slots=True)
class TaskDeleted:
    """Somebody deleted the task."""


@dataclass(frozen=True, slots=True)
class TaskReopened:
    """Somebody took the task up again, or restored it."""


@dataclass(frozen=True, slots=True)
class OutcomeNoted:
    """Somebody noted an outcome, by a link or in the CRM's field, without completing the task."""

    outcome: str
    cause: str | None = None
    note: str | None = None


Event = TaskCompleted | TaskDeleted | TaskReopened | OutcomeNoted


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a follow-up has come; the names are those of its columns."""

    state: FollowUpState
    due_at: datetime
    attempts: int = 0
    outcome: str | None = None
    cause: str | None = None
    note: str | None = None
    waiting_since: datetime | None = None
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None


def after(progress: Progress, event: Event, *, now: datetime, due_again: datetime) -> Progress:
    """Return what a follow-up has come to by an event. `due_again` is when it is due after an attempt that settled nothing."""
    if progress.state is FollowUpState.CLOSED:
        return _after_closing(progress, event, now=now, due_again=due_again)
    match event:
        case TaskCompleted():
            return _completed(progress, event, now=now, due_again=due_again)
        case TaskDeleted():
            return _waiting(progress, now)
        case TaskReopened():
            return _opened(progress)
        case OutcomeNoted(outcome, cause, note):
            noted = _noted(progress, outcome, cause, note)
            return _by_outcome(noted, outcome, now, due_again)


def _after_closing(progress: Progress, event: Event, *, now: datetime, due_again: datetime) -> Progress:
    match event:
        case TaskReopened() if progress.closed_by not in _FINAL:
            return _opened(progress)
        case OutcomeNoted(outcome, cause, note) if progress.closed_by == ClosedBy.OUTCOME:
            noted = _noted(progress, outcome, cause, note)
            return _by_outcome(noted, outcome, now, due_again) if outcome in _UNSETTLED else noted
        case _:
            return progress


def _completed(progress: Progress, event: TaskCompleted, *, now: datetime, due_again: datetime) -> Progress:
    at = event.at or now
    noted = _noted(progress, event.outcome, event.cause, None)
    return _waiting(noted, at) if not _is_known(event.outcome) else _by_outcome(noted, event.outcome, at, due_again)


def _by_outcome(progress: Progress, outcome: str | None, at: datetime, due_again: datetime) -> Progress:
    """An outcome that is none of ours closes nothing: nobody knows what it says."""
    if outcome in _SETTLING:
        closed = replace(progress, state=FollowUpState.CLOSED, waiting_since=None)
        return replace(closed, closed_at=at, closed_by=ClosedBy.OUTCOME)
    if outcome in _UNSETTLED:
        return replace(_opened(progress), attempts=progress.attempts + 1, due_at=due_again)
    return progress


def _opened(progress: Progress) -> Progress:
    return replace(progress, state=FollowUpState.OPEN, waiting_since=None, closed_at=None, closed_by=None)


def _waiting(progress: Progress, since: datetime) -> Progress:
    if progress.state is FollowUpState.WAITING_FOR_OUTCOME:
        return progress
    return replace(progress, state=FollowUpState.WAITING_FOR_OUTCOME, waiting_since=since)


def _noted(progress: Progress, outcome: str | None, cause: str | None, note: str | None) -> Progress:
    return replace(
        progress,
        outcome=outcome or progress.outcome,
        cause=cause or progress.cause,
        note=note or progress.note,
    )


def _is_known(outcome: str | None) -> bool:
    return outcome in _SETTLING or outcome in _UNSETTLED


# ── what a task says ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class KnownTask:
    """What was known of a task before it was read again."""

    state: TaskState | None = None
    """None: it was never seen."""
    shown: Mapping[str, object] | None = None
    """What it was last seen to hold, or left to hold by us; None: never looked at."""


def event_of(known: KnownTask, task: SeenTask) -> Event | None:
    """Return what somebody has done to a task since it was last seen; None: nothing that a follow-up goes by.

    Of a task that was completed before we looked at what it holds, nothing is new but that it is open again.
    """
    if task.open:
        if known.state not in (None, TaskState.OPEN):
            return TaskReopened()
        return _outcome_of(task) if _outcome_is_new(known, task) else None
    if known.state is not TaskState.COMPLETED:
        return TaskCompleted(task.outcome, task.cause, task.closed_at)
    return _outcome_of(task) if known.shown is not None and _outcome_is_new(known, task) else None


def _outcome_is_new(known: KnownTask, task: SeenTask) -> bool:
    return task.outcome is not None and (known.shown or {}).get("outcome") != task.shown.get("outcome")


def _outcome_of(task: SeenTask) -> OutcomeNoted:
    return OutcomeNoted(task.outcome or "", task.cause)
