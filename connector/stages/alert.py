"""The alerts of follow-ups: each recipient is told once, at once, by mail or by a webhook."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.errors import AfterwordError, MailInDoubt
from connector.sentences import tasks
from connector.sentences.clauses import worst_said
from connector.settings.model import FollowUp
from connector.stages.addressees import may_mail, may_post
from connector.stages.assigning import About, find_owner
from connector.stages.context import Context
from connector.stages.present import details_url, reasons, words_of
from connector.store import Row, connecting, following, record_texts
from connector.surveys.mail import Notice, Site, notice_message
from connector.zones import owner_zone

STALE = timedelta(days=1)
"""Alerts about follow-ups older than this are not sent: the task in the CRM has said it by now."""


def run(context: Context, site: Site) -> int:
    """Tell those who are to be told about new follow-ups; returns how many were."""
    if context.channel is None or not context.live:
        return 0
    with context.store.read() as connection:
        rows = [
            one
            for one in following.unnotified(connection, context.clock.now() - STALE)
            if one.connection in context.live
        ]
        known = following.noticed(connection, [row.id for row in rows])
    told = 0
    for row in rows:
        rule = context.settings.follow_up.get(row.rule)
        for target in _targets(context, row, rule) if rule else ():
            if context.stop.is_set():
                return told
            if f"{row.id}:{target.key}" not in known:
                told += _tell(context, site, row, target)
    return told


class _Target:
    """Somebody to tell: a person by mail, or a webhook."""

    def __init__(self, key: str, *, owner: Row[Any] | None = None, url: str | None = None) -> None:
        self.key = key
        self.owner = owner
        self.url = url


def _targets(context: Context, row: Row[Any], rule: FollowUp) -> Sequence[_Target]:
    found: list[_Target] = []
    with context.store.read() as connection:
        about = About(following.account_of(connection, row.account_id), row.contact_id, row.interaction_id)
        assigned = following.owner_at(connection, row.connection, row.owner_ref)
        for name in rule.notify_people:
            owner = find_owner(connection, name, about)
            # Who has left is not told; whoever got the task instead of them is.
            told = owner if owner is not None and owner.active else assigned
            if told is not None and told.email and told.active and may_mail(context, row.connection, told.email):
                found.append(_Target(told.email, owner=told))
    for number, url in enumerate(rule.notify_webhooks if may_post(context, row.connection) else ()):
        # The address is a secret: it is named by its place in the rule.
        found.append(_Target(f"webhook-{number}", url=url.get_secret_value()))
    return found


def _tell(context: Context, site: Site, row: Row[Any], target: _Target) -> int:
    key = f"{row.id}:{target.key}"
    now = context.clock.now()
    with context.store.write() as connection:
        if connecting.is_paused(connection, row.connection):
            return 0
        if not following.begin_notice(connection, key, row.id, recipient=target.key, now=now):
            return 0
        notice = _notice(context, connection, row, target, now)
    state, error = "sent", None
    try:
        _hand_over(context, site, notice, target, key)
    except MailInDoubt as doubt:
        state, error = "in_doubt", str(doubt)
    except AfterwordError as failure:
        state, error = ("refused" if failure.permanent else "failed"), str(failure)
    with context.store.write() as connection:
        following.end_notice(connection, key, state, error)
    return int(state == "sent")


def _hand_over(context: Context, site: Site, notice: Notice, target: _Target, key: str) -> None:
    if target.url is not None:
        if context.webhook is not None:
            context.webhook(target.url, f"{notice.headline}. {notice.action}. {notice.comment or ''} {notice.link}")
        return
    assert context.channel is not None  # noqa: S101 - `run` has looked
    domain = site.sender_address.rpartition("@")[2]
    context.channel.send(
        notice_message(notice, site=site, message_id=f"{key.replace('@', '.').replace(':', '.')}@{domain}")
    )


def _notice(context: Context, connection: Any, row: Row[Any], target: _Target, now: datetime) -> Notice:
    account = following.account_of(connection, row.account_id)
    comment = following.comment_of(connection, row.response_id)
    contact = following.contact_of(connection, row.contact_id)
    owner = target.owner
    said = worst_said(record_texts.answers_about(connection, [row.id]).get(row.id, ()))
    why = () if said else reasons(context, connection, row.customer, rule=row.rule, at=row.opened_at)
    tz = owner_zone(owner.timezone if owner is not None else None, context.settings)
    words = words_of(context)
    return Notice(
        to=owner.email if owner is not None else "",
        to_name=owner.name if owner is not None else "",
        headline=tasks.headline(said, contact.name if contact is not None else account.name, why, words, tz),
        action=tasks.call_by(row.due_at, words, tz=tz, now=now),
        account=account.name,
        link=details_url(context, row.account_id),
        comment=comment,
    )
