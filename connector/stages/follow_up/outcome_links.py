"""Outcomes that are noted by a follow-up's link: a page that is sent twice, or after another one, does no harm."""

from datetime import datetime

from connector.model import ClosedBy, FollowUpState, NotedResult
from connector.settings import Settings
from connector.stages.follow_up.states import OutcomeNoted, Progress
from connector.stages.follow_up.task_events import note_correction, note_outcome, progress_of
from connector.store import Store, Transaction
from connector.store.results import follow_ups


def note_by_link(
    store: Store, settings: Settings, follow_up_id: str, noted: OutcomeNoted, *, attempts: int | None, now: datetime
) -> NotedResult:
    """Take in an outcome that somebody noted by a link. `attempts`: how many their page had counted; None where it did not say.

    What changes nothing takes no turn to write. What does is judged again in the transaction that writes it, on the locked row: of two
    presses at once the second one sees the first.
    """
    with store.read() as tx:
        known = follow_ups.find(tx, follow_up_id)
    if known is None:
        return NotedResult.UNKNOWN
    result = judge(progress_of(known), noted, attempts)
    if result not in (NotedResult.TAKEN, NotedResult.CORRECTED):
        return result

    def take(tx: Transaction) -> NotedResult:
        locked = follow_ups.locked(tx, [follow_up_id]).get(follow_up_id)
        if locked is None:
            return NotedResult.UNKNOWN
        result = judge(progress_of(locked), noted, attempts)
        if result is NotedResult.TAKEN:
            note_outcome(tx, settings, locked, noted, now)
        elif result is NotedResult.CORRECTED:
            note_correction(tx, locked, noted, now)
        return result

    return store.change(take)


def judge(progress: Progress, noted: OutcomeNoted, attempts: int | None) -> NotedResult:
    """Return what an outcome that was noted by a link is to a follow-up: it is good until that is closed.

    The same outcome from a page that was opened before an attempt was counted is that attempt, sent again.
    """
    again = progress.outcome == noted.outcome
    adds = (noted.cause or progress.cause, noted.note or progress.note) != (progress.cause, progress.note)
    if progress.state is FollowUpState.CLOSED:
        by_this = again and not adds and progress.closed_by == ClosedBy.OUTCOME
        return NotedResult.REPEATED if by_this else NotedResult.CLOSED
    if again and attempts is not None and attempts < progress.attempts:
        return NotedResult.CORRECTED if adds else NotedResult.REPEATED
    return NotedResult.TAKEN
