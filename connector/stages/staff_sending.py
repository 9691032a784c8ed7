"""Handing mails to our own people over, each written down before, under the breaker that all mail of a lap shares."""

from collections.abc import Collection

from connector.errors import MailboxRefused, MailInDoubt, MailUnavailable
from connector.ports import Message
from connector.stages.context import Context
from connector.store import noticing


def send(context: Context, message: Message, key: str, *, kind: str, notices: Collection[str] = ()) -> int:
    """Hand a mail over under a key that is used once; returns how many were sent.

    What was certainly not sent waits again, and is counted by the breaker; its caller looks there before the next one.
    """
    assert context.channel is not None  # noqa: S101 - the callers have looked
    now = context.clock.now()
    with context.write() as tx:
        if not noticing.begin_mail(tx, key, recipient=message.to, kind=kind, notices=notices, now=now):
            return 0
    try:
        context.channel.send(message)
    except MailboxRefused as refused:
        with context.store.write() as tx:
            noticing.end_mail(tx, key, noticing.REFUSED, str(refused))
        return 0
    except MailInDoubt as doubt:
        with context.store.write() as tx:
            noticing.end_mail(tx, key, noticing.IN_DOUBT, str(doubt))
            context.breaker.failed(tx, doubt, context.clock.now())
        return 0
    except MailUnavailable as failure:
        with context.store.write() as tx:
            context.breaker.failed(tx, failure, context.clock.now())
            if failure.permanent:
                noticing.end_mail(tx, key, noticing.REFUSED, str(failure))
            else:
                noticing.take_back(tx, key, str(failure))
        return 0
    with context.store.write() as tx:
        noticing.end_mail(tx, key, noticing.SENT, None)
        context.breaker.sent(tx)
    return 1
