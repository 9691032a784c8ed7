"""The states of a follow-up: what each event leads to in each of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.model import ClosedBy, FollowUpState, Outcome
from connector.stages.follow_up.states import (
    Event,
    OutcomeNoted,
    Progress,
    TaskCompleted,
    TaskDeleted,
    TaskReopened,
    after,
)

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)
DUE_AGAIN = NOW + timedelta(days=1)
OPEN = Progress(FollowUpState.OPEN, due_at=EARLIER)
WAITING = replace(OPEN, state=FollowUpState.WAITING_FOR_OUTCOME, waiting_since=EARLIER)
SETTLED = replace(
    OPEN, state=FollowUpState.CLOSED, outcome="Solved", closed_at=EARLIER, closed_by=ClosedBy.OUTCOME.value
)
BETTER = replace(SETTLED, outcome=None, closed_by=ClosedBy.LATER_ANSWER.value)
JOINED = replace(SETTLED, outcome=None, closed_by=ClosedBy.JOINED.value)
GONE = replace(SETTLED, outcome=None, closed_by=ClosedBy.ACCOUNT_GONE.value)
STATES = {"open": OPEN, "waiting": WAITING, "settled": SETTLED, "better": BETTER, "joined": JOINED, "gone": GONE}

EVENTS: dict[str, Event] = {
    "completed": TaskCompleted(),
    "completed, own word": TaskCompleted("Handed over"),
    "completed, solved": TaskCompleted("Solved"),
    "completed, no action": TaskCompleted("No action needed"),
    "completed, not reached": TaskCompleted("Not reached"),
    "completed, not solved": TaskCompleted("Reached, not solved yet"),
    "deleted": TaskDeleted(),
    "reopened": TaskReopened(),
    "noted solved": OutcomeNoted("Solved"),
    "noted no action": OutcomeNoted("No action needed"),
    "noted not reached": OutcomeNoted("Not reached"),
    "noted not solved": OutcomeNoted("Reached, not solved yet"),
    "noted own word": OutcomeNoted("Handed over"),
}

CLOSES, AGAIN, WAITS, OPENS, STAYS = "closes", "again", "waits", "opens", "stays"
_UNSETTLED = {
    "completed, solved": CLOSES,
    "completed, no action": CLOSES,
    "completed, not reached": AGAIN,
    "completed, not solved": AGAIN,
    "noted solved": CLOSES,
    "noted no action": CLOSES,
    "noted not reached": AGAIN,
    "noted not solved": AGAIN,
}
TABLE = {
    "open": {**dict.fromkeys(["completed", "completed, own word", "deleted"], WAITS), **_UNSETTLED},
    "waiting": {"reopened": OPENS, **_UNSETTLED},
    "settled": {"reopened": OPENS, "noted not reached": AGAIN, "noted not solved": AGAIN},
    "better": {"reopened": OPENS},
    "joined": {},
    "gone": {},
}


def what_became(before: Progress, now: Progress) -> str:
    """Return the word of the table for a change."""
    if now.state is before.state:
        return AGAIN if now.attempts > before.attempts else STAYS
    if now.state is FollowUpState.OPEN:
        return AGAIN if now.attempts > before.attempts else OPENS
    return CLOSES if now.state is FollowUpState.CLOSED else WAITS


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_event_in_every_state(state: str, event: str) -> None:
    before = STATES[state]
    now = after(before, EVENTS[event], now=NOW, due_again=DUE_AGAIN)
    assert what_became(before, now) == TABLE[state].get(event, STAYS)
    _is_whole(before, now)


def _is_whole(before: Progress, now: Progress) -> None:
    """Every state has what belongs to it, and nothing of the others'."""
    assert (now.closed_at is None) == (now.closed_by is None) == (now.state is not FollowUpState.CLOSED)
    assert (now.waiting_since is None) == (now.state is not FollowUpState.WAITING_FOR_OUTCOME)
    assert now.due_at == (DUE_AGAIN if now.attempts > before.attempts else before.due_at)


def test_the_outcome_stays_with_what_was_closed_by_it() -> None:
    now = after(WAITING, OutcomeNoted("Solved", "late", "Sent a new one"), now=NOW, due_again=DUE_AGAIN)
    assert (now.outcome, now.cause, now.note) == ("Solved", "late", "Sent a new one")
    assert (now.closed_by, now.closed_at) == ("outcome", NOW)


def test_an_outcome_is_corrected() -> None:
    now = after(SETTLED, OutcomeNoted("No action needed"), now=NOW, due_again=DUE_AGAIN)
    assert (now.state, now.outcome, now.closed_at) == (FollowUpState.CLOSED, "No action needed", EARLIER)


def test_what_was_noted_before_outlasts_an_event_that_says_nothing_of_it() -> None:
    tried = after(OPEN, OutcomeNoted("Not reached", "late", "Voicemail"), now=NOW, due_again=DUE_AGAIN)
    done = after(tried, TaskCompleted("Solved"), now=NOW, due_again=DUE_AGAIN)
    assert (done.outcome, done.cause, done.note, done.attempts) == ("Solved", "late", "Voicemail", 1)


def test_a_completion_without_an_outcome_waits_since_it_was_completed() -> None:
    done = after(OPEN, TaskCompleted(at=EARLIER), now=NOW, due_again=DUE_AGAIN)
    assert done.waiting_since == EARLIER
    assert after(done, TaskCompleted(at=NOW), now=NOW, due_again=DUE_AGAIN) == done


def test_two_attempts_are_counted() -> None:
    progress = OPEN
    for _ in range(2):
        progress = after(progress, TaskCompleted("Not reached"), now=NOW, due_again=DUE_AGAIN)
    assert (progress.state, progress.attempts) == (FollowUpState.OPEN, 2)


def test_the_words_are_those_of_the_contract() -> None:
    assert [one.value for one in Outcome] == ["Solved", "Reached, not solved yet", "Not reached", "No action needed"]
