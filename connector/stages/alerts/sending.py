"""Handing mails to our own people over, each written down before, under the breaker that all mail of a lap shares."""

from collections.abc import Collection

from connector.errors import MailboxRefused, MailInDoubt, MailUnavailable, MessageTooLarge
from connector.ports.mail import Message, ReadyMessage
from connector.stages.context import Context
from connector.store import Transaction
from connector.store.results import alerts


def send(
    context: Context,
    message: Message,
    key: str,
    *,
    kind: str,
    notices: Collection[str] = (),
    smaller: Message | None = None,
) -> int:
    """Hand a mail over under a key that is used once; returns how many were sent.

    `smaller` goes out in its place where the server takes no mail of its size.
    What was certainly not sent waits again, and is counted by the breaker; its caller looks there before the next one.
    """
    assert context.channel is not None  # noqa: S101 - the callers have looked
    try:
        # Before it is written down: a mail that cannot be made has not been begun, and is in no doubt.
        ready, failure = context.channel.prepare(message), None
    except (MailboxRefused, MailUnavailable) as error:
        ready, failure = None, error
    now = context.clock.now()
    with context.write() as tx:
        if not alerts.begin_mail(tx, key, recipient=message.to, kind=kind, notices=notices, now=now):
            return 0
        if failure is not None:
            _not_sent(context, tx, key, failure)
    return _hand_over(context, ready, key, smaller) if ready is not None else 0


def _hand_over(context: Context, ready: ReadyMessage, key: str, smaller: Message | None) -> int:
    assert context.channel is not None  # noqa: S101 - as above
    try:
        try:
            ready.send()
        except MessageTooLarge:
            if smaller is None:
                raise
            context.channel.prepare(smaller).send()
    except (MailboxRefused, MailInDoubt, MailUnavailable) as failure:
        with context.store.write() as tx:
            _not_sent(context, tx, key, failure)
        return 0
    with context.store.write() as tx:
        alerts.end_mail(tx, key, alerts.SENT, None)
        context.breaker.sent(tx)
    return 1


def _not_sent(
    context: Context, tx: Transaction, key: str, failure: MailboxRefused | MailInDoubt | MailUnavailable
) -> None:
    """Note that a mail did not go out, or may not have; what is not refused for good waits again."""
    if not isinstance(failure, MailboxRefused):
        context.breaker.failed(tx, failure, context.clock.now())
    if isinstance(failure, MailInDoubt):
        alerts.end_mail(tx, key, alerts.IN_DOUBT, str(failure))
    elif failure.permanent:
        alerts.end_mail(tx, key, alerts.REFUSED, str(failure))
    else:
        alerts.take_back(tx, key, str(failure))
