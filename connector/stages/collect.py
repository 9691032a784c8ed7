"""`collect`: raw events from the inbox, each once. Answers given on the survey page are recorded there, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.domain.text_cutting import cut
from connector.model import BounceCause, Delivery, OptOutWay
from connector.stages.context import Context
from connector.stages.deliver.breaker import LAST_MESSAGES, MARKS_OF, doubtful, frequent, too_many
from connector.store import Transaction
from connector.store.surveys import answers, bounces, inbox, mail_trouble, people
from connector.store.surveys.inbox import InboxEvent

PAGE = 200

_LONGEST_REASON: Final = 500


@dataclass(slots=True)
class CollectResult:
    """How many events were taken in."""

    events: int = 0
    unmatched: int = 0
    """Reports of bounces that are about no message of ours."""


def run(context: Context) -> CollectResult:
    """Take in what has arrived. An event that means nothing to us is kept, with the reason.

    While the admin is to look at addresses that were refused, reports of more wait.
    """
    result = CollectResult()
    while not context.stop.is_set() and _has_anything_come(context):
        with context.write() as tx:
            events = inbox.waiting(tx, PAGE)
            taken = 0
            for event in events:
                if mail_trouble.stopped(tx) is not None:
                    break
                _take(context, tx, event, result)
                taken += 1
        result.events += taken
        if taken < PAGE:
            break
    return result


def _has_anything_come(context: Context) -> bool:
    with context.store.read() as tx:
        return bool(inbox.waiting(tx, 1))


def _take(context: Context, tx: Transaction, event: InboxEvent, result: CollectResult) -> None:
    unusable = (
        _bounced(context, tx, event)
        if event.source == inbox.BOUNCE
        else f"nothing here understands events of {event.source}"
    )
    if mail_trouble.stopped(tx) is None:
        inbox.done(tx, event.id, context.clock.now(), unusable)
    result.unmatched += unusable == inbox.NO_MESSAGE


def _bounced(context: Context, tx: Transaction, event: InboxEvent) -> str | None:
    """Take in that a message came back; returns why the report could not be used, None when it was."""
    invited = inbox.invitation_of(tx, event.message_id)
    if invited is None:
        return inbox.NO_MESSAGE
    reason = cut(str(event.payload.get("reason", "")), _LONGEST_REASON)
    # Without mail of our own nobody can read the words; then whoever reports is believed.
    cause = BounceCause.UNCLEAR if context.channel is None else context.channel.cause_of_bounce(reason)
    if cause is BounceCause.PASSING:
        return "the mail server goes on trying, or it is no failure"
    now = context.clock.now()
    if cause is BounceCause.COMPLAINT:
        answers.stop_surveys(tx, invited.invitation_id, now=now, by=OptOutWay.COMPLAINT)
        return None
    if answers.last_response(tx, invited.invitation_id) is not None:
        return "it was answered, so it has arrived"
    if cause is not BounceCause.OTHER and not _mark(tx, event, invited.person, reason=reason, now=now):
        return None
    inbox.close_invitation(tx, invited.invitation_id, Delivery.BOUNCED, reason)
    return None


def _mark(tx: Transaction, event: InboxEvent, who: str, *, reason: str, now: datetime) -> bool:
    """Mark a person, unless so many were said not to exist lately that this is more likely our fault; returns whether it did.

    A mark is as old as its report: what had come in before the admin looked is believed.
    """
    known = people.people(tx, [who]).get(who)
    if known is not None and known.bounced_at is not None:
        return True
    people.bounced(tx, who, event.received_at, reason)
    counts = _doubt(tx, now)
    if counts is None:
        return True
    bounces.unmark(tx, [who])
    mail_trouble.stop(tx, too_many(*counts, reason, now))
    return False


def _doubt(tx: Transaction, now: datetime) -> tuple[int, int] | None:
    """Return how many of how many were marked where these are too many: of the last messages, or, in a storm of reports about
    older ones, of the last outcomes; else None."""
    last = mail_trouble.refused_of_last(tx, LAST_MESSAGES)
    if doubtful(*last):
        return last
    outcomes = mail_trouble.refused_of_last_outcomes(tx, LAST_MESSAGES)
    if doubtful(*outcomes) and frequent(*mail_trouble.marked_and_taken(tx, now - MARKS_OF)):
        return outcomes
    return None
