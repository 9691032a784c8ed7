"""The notices of follow-ups, after `write_back`: what there is to tell waits for its time, then goes out as an alert or a digest.

Whatever a person is told about is in the CRM by then: a mail can lead to the record and to the task.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from connector.domain.working_time import WorkingTime
from connector.errors import AfterwordError
from connector.model.follow_up import FollowUp
from connector.model.stored import StoredOwner
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
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.results import alerts, follow_up_facts
from connector.store.results.alerts import Waiting
from connector.surveys.survey_mail import Site

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
    context.write_where_needed(lambda tx: _tidy(tx, context.clock.now()))
    _gather(context)
    post_all(context)
    return _tell_all(context, site)


def _tidy(tx: Transaction, now: datetime) -> None:
    """Leave what may have been told, and what is true no longer."""
    alerts.doubt_unfinished(tx)
    alerts.drop_untrue(
        tx,
        now,
        untouched=(NoticeKind.HALFWAY,),
        overdue=(NoticeKind.LATE, NoticeKind.ESCALATED),
        no_outcome=(NoticeKind.OUTCOME,),
    )


# ── what there is to tell ────────────────────────────────────────────────────────────────────────────────────────────


def _gather(context: Context) -> None:
    """Let everything that there is to tell wait for its time, page by page."""
    now, place = context.clock.now(), ""
    while not context.stop.is_set():
        with context.store.read() as tx:
            unsettled = alerts.unsettled(tx, context.live, after=place, limit=PAGE)
            there = [follow_up for follow_up in unsettled if _in_crm(context, follow_up, now)]
            ids = [follow_up.id for follow_up in there]
            answers, keys = alerts.answers_of(tx, ids), alerts.known_keys(tx, ids)
            owners = follow_up_facts.owners_at(tx, [follow_up.owner for follow_up in there])
            facts = [
                _facts(
                    context,
                    tx,
                    follow_up,
                    answers.get(follow_up.id, ()),
                    owner=None if follow_up.owner is None else owners.get(follow_up.owner),
                    now=now,
                )
                for follow_up in there
            ]
        working = context.settings.company.working_time
        crms = {follow_up.id: follow_up.connection for follow_up in there}
        news = [
            notice
            for known_facts in facts
            for notice in notices(known_facts, now, working)
            if notice.key not in keys and may_mail(context, crms[known_facts.id], notice.recipient.email)
        ]
        if news:
            with context.write() as tx:
                alerts.add(tx, [_waiting(notice) for notice in news], now)
        if len(unsettled) < PAGE:
            return
        place = unsettled[-1].id


def _in_crm(context: Context, follow_up: FollowUp, now: datetime) -> bool:
    makes_tasks = "key" in context.connected[follow_up.connection].mapping.names("task")
    return follow_up.task is not None or not makes_tasks or now - follow_up.opened_at >= TASK_WITHIN


def _waiting(notice: Notice) -> Waiting:
    return Waiting(notice.key, notice.kind.value, notice.follow_up_id, notice.response_id, notice.recipient.email)


def _facts(
    context: Context,
    tx: Transaction,
    follow_up: FollowUp,
    answers: Sequence[tuple[str, datetime]],
    *,
    owner: StoredOwner | None,
    now: datetime,
) -> FollowUpFacts:
    person = _person(owner)
    has_news, is_late = _has_news(follow_up, answers, now), follow_up.due_at < now
    return FollowUpFacts(
        id=follow_up.id,
        state=follow_up.state,
        opened_at=follow_up.opened_at,
        due_at=follow_up.due_at,
        attempts=follow_up.attempts,
        touched=follow_up.first_contact_at is not None,
        waiting_since=follow_up.waiting_since,
        answers=tuple(answers),
        owner=person,
        stand_ins=_stand_ins(context, tx, follow_up.connection, person),
        watch=_watch(context, tx, follow_up, owner, has_news=has_news, is_late=is_late),
    )


def _has_news(follow_up: FollowUp, answers: Sequence[tuple[str, datetime]], now: datetime) -> bool:
    return any(now - at < NEWS_FOR for at in (follow_up.opened_at, *(at for _, at in answers)))


def _watch(
    context: Context,
    tx: Transaction,
    follow_up: FollowUp,
    owner: StoredOwner | None,
    *,
    has_news: bool,
    is_late: bool,
) -> Watch:
    """Return whom a follow-up's rule names, as far as anybody of them could have to hear something now."""
    rule = context.settings.follow_up.get(follow_up.rule) or FollowUpRule.model_construct(notify=())
    notify = tuple(_notified(tx, follow_up, owner, rule)) if has_news else ()
    escalate = tuple(_superiors(context, tx, owner, rule)) if is_late else ()
    return Watch(notify, escalate, rule.escalate_after)


def _notified(
    tx: Transaction, follow_up: FollowUp, assigned: StoredOwner | None, rule: FollowUpRule
) -> Iterator[StaffMember]:
    """Who has left is not told; whoever has the follow-up instead of them is."""
    account = follow_up_facts.account_of(tx, follow_up.account_id)
    about = About(account, follow_up.contact_id, follow_up.interaction_id)
    for name in rule.notify_people:
        owner = find_owner(tx, name, about)
        person = _person(owner if owner is not None and owner.works else assigned)
        if person is not None:
            yield person


def _superiors(
    context: Context, tx: Transaction, owner: StoredOwner | None, rule: FollowUpRule
) -> Iterator[StaffMember]:
    """Yield whom a late follow-up climbs to."""
    for name in rule.escalate:
        if name == Superior.OWNER_MANAGER:
            manager = owner.manager if owner is not None else None
            person = _person(follow_up_facts.owner_at(tx, manager))
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


def _person(owner: StoredOwner | None) -> StaffMember | None:
    if owner is None or not owner.works or not owner.email:
        return None
    return StaffMember(owner.email.lower(), owner.name)


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_all(context: Context, site: Site) -> NoticesResult:
    """Send what is due, one person after the other; a mail server that takes nothing ends it, or has ended it before."""
    mails, time_of_all = 0, SendingTime(context.clock)
    with context.store.read() as tx:
        everybody = alerts.recipients(tx)
    for email in everybody:
        if context.stop.is_set() or context.breaker.error is not None or time_of_all.is_over:
            break
        with time_of_all.running():
            mails += _tell(context, site, email)
    return NoticesResult(mails, context.breaker.trouble)


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
    working = owner_hours(next((user for user in users if user.timezone), None), context.settings)
    return MailRecipient(email, users[0].name if users else "", working)


def _midnight(working: WorkingTime, now: datetime) -> datetime:
    return datetime.combine(working.day_of(now), time(), working.tz).astimezone(UTC)
