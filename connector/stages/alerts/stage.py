"""The notices of follow-ups, after `write_back`: what there is to tell waits for its time, then goes out as an alert or a digest.

Whatever a person is told about is in the CRM by then: a mail can lead to the record and to the task.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connector.domain.working_time import WorkingTime
from connector.errors import AfterwordError
from connector.model import FollowUpState
from connector.settings.choices import Superior
from connector.settings.model import FollowUpRule
from connector.settings.time_zones import owner_hours
from connector.stages.alerts import sending
from connector.stages.alerts.chat import post_all
from connector.stages.alerts.mail import MailRecipient, compose
from connector.stages.alerts.plan import (
    NEWS_FOR,
    FollowUpFacts,
    MailKind,
    Notice,
    NoticeKind,
    StaffMember,
    Watch,
    carries,
    mail_due,
    missed_a_digest,
    notices,
)
from connector.stages.context import Context
from connector.stages.deliver.recipients import may_mail
from connector.stages.deliver.time_budget import SendingTime
from connector.stages.follow_up.assignment import About, find_owner
from connector.store import Row, Transaction
from connector.store.ops import connections
from connector.store.results import alerts, follow_up_facts
from connector.store.results.alerts import Waiting
from connector.surveys.mail import Site

PAGE = 200
TASK_WITHIN = timedelta(minutes=10)
"""So long a notice waits for the task, to lead to it; then it goes out without: the CRM is out of reach."""


@dataclass(frozen=True, slots=True)
class NoticesResult:
    """How many mails told something, and why mail could not go out."""

    told: int = 0
    error: AfterwordError | None = None


def run(context: Context, site: Site) -> NoticesResult:
    """Note what is to be told, and tell what is due."""
    if context.channel is None or not context.live:
        return NoticesResult()
    with context.write() as tx:
        alerts.doubt_unfinished(tx)
        alerts.drop_untrue(
            tx,
            context.clock.now(),
            untouched=(NoticeKind.HALFWAY,),
            overdue=(NoticeKind.LATE, NoticeKind.ESCALATED),
            no_outcome=(NoticeKind.OUTCOME,),
        )
    _gather(context)
    post_all(context)
    return _tell_all(context, site)


# ── what there is to tell ────────────────────────────────────────────────────────────────────────────────────────────


def _gather(context: Context) -> None:
    """Let everything that there is to tell wait for its time, page by page."""
    now, place = context.clock.now(), ""
    while not context.stop.is_set():
        with context.store.read() as tx:
            rows = alerts.unsettled(tx, context.live, after=place, limit=PAGE)
            there = [row for row in rows if _in_crm(context, row, now)]
            answers = alerts.answers_of(tx, [row.id for row in there])
            known = alerts.known_keys(tx, [row.id for row in there])
            facts = [_facts(context, tx, row, answers.get(row.id, ()), now=now) for row in there]
        working = context.settings.company.working_time
        crms = {row.id: row.connection for row in there}
        news = [
            notice
            for each in facts
            for notice in notices(each, now, working)
            if notice.key not in known and may_mail(context, crms[each.id], notice.recipient.email)
        ]
        if news:
            with context.write() as tx:
                alerts.add(tx, [_waiting(notice) for notice in news], now)
        if len(rows) < PAGE:
            return
        place = rows[-1].id


def _in_crm(context: Context, row: Row[Any], now: datetime) -> bool:
    makes_tasks = "key" in context.connected[row.connection].mapping.names("task")
    return row.task_ref is not None or not makes_tasks or now - row.opened_at >= TASK_WITHIN


def _waiting(notice: Notice) -> Waiting:
    return Waiting(notice.key, notice.kind.value, notice.follow_up_id, notice.response_id, notice.recipient.email)


def _facts(
    context: Context, tx: Transaction, row: Row[Any], answers: Sequence[tuple[str, datetime]], *, now: datetime
) -> FollowUpFacts:
    owner = follow_up_facts.owner_at(tx, row.connection, row.owner_ref)
    person = _person(owner)
    return FollowUpFacts(
        id=row.id,
        state=FollowUpState(row.state),
        opened_at=row.opened_at,
        due_at=row.due_at,
        attempts=row.attempts,
        touched=row.first_contact_at is not None,
        waiting_since=row.waiting_since,
        answers=tuple(answers),
        owner=person,
        stand_ins=_stand_ins(context, tx, row.connection, person),
        watch=_watch(context, tx, row, owner, has_news=_has_news(row, answers, now), is_late=row.due_at < now),
    )


def _has_news(row: Row[Any], answers: Sequence[tuple[str, datetime]], now: datetime) -> bool:
    return any(now - at < NEWS_FOR for at in (row.opened_at, *(at for _, at in answers)))


def _watch(
    context: Context, tx: Transaction, row: Row[Any], owner: Row[Any] | None, *, has_news: bool, is_late: bool
) -> Watch:
    """Return whom a follow-up's rule names, as far as anybody of them could have to hear something now."""
    rule = context.settings.follow_up.get(row.rule) or FollowUpRule.model_construct(notify=())
    notify = tuple(_notified(tx, row, rule)) if has_news else ()
    escalate = tuple(_superiors(context, tx, row, owner, rule)) if is_late else ()
    return Watch(notify, escalate, rule.escalate_after)


def _notified(tx: Transaction, row: Row[Any], rule: FollowUpRule) -> Iterator[StaffMember]:
    """Who has left is not told; whoever has the follow-up instead of them is."""
    about = About(follow_up_facts.account_of(tx, row.account_id), row.contact_id, row.interaction_id)
    assigned = follow_up_facts.owner_at(tx, row.connection, row.owner_ref)
    for name in rule.notify_people:
        owner = find_owner(tx, name, about)
        person = _person(owner if follow_up_facts.works(owner) else assigned)
        if person is not None:
            yield person


def _superiors(
    context: Context, tx: Transaction, row: Row[Any], owner: Row[Any] | None, rule: FollowUpRule
) -> Iterator[StaffMember]:
    """Yield whom a late follow-up climbs to."""
    for name in rule.escalate:
        if name == Superior.OWNER_MANAGER:
            manager = owner.manager_ref if owner is not None else None
            person = _person(follow_up_facts.owner_at(tx, row.connection, manager))
            if person is not None:
                yield person
        elif name == Superior.MANAGERS:
            yield from _managers(context)
        else:
            yield StaffMember(name.lower())


def _stand_ins(context: Context, tx: Transaction, crm: str, owner: StaffMember | None) -> tuple[StaffMember, ...]:
    """Return the owner's deputy, else the managers, else the admin."""
    deputy = context.settings.deputies.get(owner.email) if owner is not None else None
    if deputy is not None:
        return (_person(follow_up_facts.owner_by_email(tx, crm, deputy)) or StaffMember(deputy.lower()),)
    admin = context.settings.admin.email
    return _managers(context) or ((StaffMember(admin.lower()),) if admin else ())


def _managers(context: Context) -> tuple[StaffMember, ...]:
    return tuple(StaffMember(address.lower()) for address in context.settings.web.managers)


def _person(owner: Row[Any] | None) -> StaffMember | None:
    if owner is None or not follow_up_facts.works(owner) or not owner.email:
        return None
    return StaffMember(owner.email.lower(), owner.name)


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_all(context: Context, site: Site) -> NoticesResult:
    """Send what is due, one person after the other; a mail server that takes nothing ends it, or has ended it before."""
    told, time_of_all = 0, SendingTime(context.clock)
    with context.store.read() as tx:
        everybody = alerts.recipients(tx)
    for email in everybody:
        if context.stop.is_set() or context.breaker.error is not None or time_of_all.is_over:
            break
        with time_of_all.running():
            told += _tell(context, site, email)
    return NoticesResult(told, context.breaker.trouble)


def _tell(context: Context, site: Site, email: str) -> int:
    """Send somebody the mail that is due, if one is; returns how many were sent."""
    now = context.clock.now()
    with context.store.read() as tx:
        about = alerts.crms_of(tx, email)
    # Before anything is read for the mail: a connection that is another installation's is live no more.
    ours = [name for name in about if name in context.live and context.may_write(name)]
    with context.store.read() as tx:
        crms = [name for name in ours if not connections.is_paused(tx, name)]
        waiting = alerts.waiting_for(tx, email, crms)
        recipient = _recipient(context, tx, email)
        midnight = _midnight(recipient.working, now)
        sent = frozenset(MailKind(kind) for kind in alerts.mails_to(tx, email, midnight) if kind in set(MailKind))
        missed = missed_a_digest(min((row.at for row in waiting if row.at), default=None), now, recipient.working)
        kinds = [NoticeKind(row.kind) for row in waiting]
        kind = mail_due(kinds, now, recipient.working, sent_today=sent, missed=missed)
        if kind is None:
            return 0
        rows = [row for row in waiting if carries(kind, NoticeKind(row.kind), missed=missed)]
        mail = compose(context, tx, site, recipient, kind=kind, rows=rows)
    return sending.send(context, mail.message, mail.key, kind=kind.value, notices=mail.told)


def _recipient(context: Context, tx: Transaction, email: str) -> MailRecipient:
    """Return who gets a mail, and when they work: on their own clocks where they are a user with a time zone."""
    users = alerts.users_by_email(tx, email)
    working = owner_hours(next((user.timezone for user in users if user.timezone), None), context.settings)
    return MailRecipient(email, users[0].name if users else "", working)


def _midnight(working: WorkingTime, now: datetime) -> datetime:
    return datetime.combine(working.day_of(now), time(), working.tz).astimezone(UTC)
