"""Posts to a chat's webhook: each follow-up once, as soon as it is in the CRM. A chat is no person: it has no working hours."""

from typing import Final

from connector.domain.text_cutting import cut
from connector.domain.text_direction import one_line
from connector.errors import AfterwordError, MailInDoubt
from connector.model import ChatPost
from connector.model.follow_up import NamedFollowUp
from connector.sentences import clauses
from connector.sentences.content import Caps
from connector.stages.context import Context
from connector.stages.deliver.recipients import may_post
from connector.stages.write_back.desired_values import details_url, open_follow_up, words_of
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.results import alerts, record_texts

LONGEST_QUOTE: Final = 1_500
"""Characters of a comment; chats refuse long posts, and the whole of it stands on our page."""
_ROOMY = Caps(120, 80, 120, 255)


def post_all(context: Context) -> int:
    """Tell the chats that rules name of new follow-ups; returns how many posts went out."""
    if context.webhook is None:
        return 0
    posted = 0
    for name, rule in context.settings.follow_up.items():
        for number, url in enumerate(rule.notify_webhooks):
            posted += _post_to(context, name, number, url.get_secret_value())
    return posted


def _post_to(context: Context, rule: str, number: int, url: str) -> int:
    now, posted = context.clock.now(), 0
    with context.store.read() as tx:
        crms = [crm for crm in context.live if may_post(context, crm) and not connections.is_paused(tx, crm)]
        chat = alerts.chat_of(tx, url)
        names = (chat, alerts.chat_at(number))
        waiting = alerts.not_posted(tx, rule, names, crms, since=now - alerts.POSTED_WITHIN)
    for named in waiting:
        if context.stop.is_set():
            break
        if not context.may_write(named.follow_up.connection):
            continue
        sent = _post(context, named, chat, url)
        if sent is None:
            break
        posted += sent
    return posted


def _post(context: Context, named: NamedFollowUp, chat: str, url: str) -> int | None:
    """Return how many posts went out; None: the chat does not answer, and is left alone for this lap."""
    assert context.webhook is not None  # noqa: S101 - `post_all` has looked
    follow_up_id, now = named.follow_up.id, context.clock.now()
    key = f"{follow_up_id}:{chat}"
    with context.write() as tx:
        if not alerts.begin_post(tx, key, follow_up_id, chat=chat, now=now):
            return 0
        content = _content(context, tx, named)
    state, reason = alerts.SENT, None
    try:
        if not context.webhook(url, content):
            state = alerts.QUEUED
    except MailInDoubt as doubt:
        state, reason = alerts.IN_DOUBT, str(doubt)
    except AfterwordError as failure:
        if not failure.permanent:
            with context.store.write() as tx:
                alerts.forget_post(tx, key)
            return None
        state, reason = alerts.REFUSED, str(failure)
    with context.store.write() as tx:
        alerts.end_post(tx, key, state, reason)
    return None if state == alerts.IN_DOUBT else int(state in {alerts.SENT, alerts.QUEUED})


def _content(context: Context, tx: Transaction, named: NamedFollowUp) -> ChatPost:
    follow_up = named.follow_up
    answers = record_texts.answers_about(tx, [follow_up.id]).get(follow_up.id, [])
    shown = open_follow_up(context, tx, named, answers)
    words, now = words_of(context), context.clock.now()
    comment = next((answer.comment for answer in shown.responses if answer.comment), None)
    lines = (one_line(line) for line in cut(comment or "", LONGEST_QUOTE).splitlines())
    step = clauses.step(shown, _ROOMY, words, now=now)
    return ChatPost(
        title=clauses.what(shown, _ROOMY, words),
        step=f"{step[:1].upper()}{step[1:]}.",
        quotes=tuple(line for line in lines if line),
        link=(words.text("notice.link.page"), details_url(context, follow_up.account_id)),
    )
