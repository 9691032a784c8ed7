"""Who is told what about follow-ups, and when: pure, values in, notices and mails out.

One event is told once to a person. In working hours the first bad answers of a day are told at once, in one mail; whatever comes after
it, late follow-ups and missing outcomes stand in one digest in the afternoon. So nobody gets more than two mails a working day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from connector.domain.working_time import WorkingTime
from connector.model import FollowUpState

DIGEST_AT: Final = time(16, 0)
"""When the digest of a day is sent, by the recipient's clocks."""
BEFORE_CLOSING: Final = timedelta(hours=1)
"""Where working hours end before the digest's time, it is sent so long before their end."""
OUTCOME_AFTER: Final = timedelta(hours=1)
"""How long somebody has to note the outcome of a completed task by themselves."""
NEWS_FOR: Final = timedelta(days=3)
"""An answer older than this is not told any more when it is met first: after an upgrade, or a long pause."""


class NoticeKind(StrEnum):
    """What is told of a follow-up."""

    ANSWER = "answer"
    """Somebody gave a bad answer: the one that opened it, and each further one."""
    OPENED = "opened"
    """It was opened by a rule about the account: there is no answer to tell."""
    HALFWAY = "halfway"
    """Half of its time is over and nobody has touched it; for the deputy, or the manager."""
    LATE = "late"
    ESCALATED = "escalated"
    """It has been late for the rule's `escalate_after`."""
    OUTCOME = "outcome"
    """Its task was completed, and nobody said how it ended."""


AT_ONCE: Final = frozenset({NoticeKind.ANSWER, NoticeKind.OPENED})
"""What is told at once in working hours, if it is the first of the day."""


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who can be told: a user of the CRM, or a manager named in the settings."""

    email: str
    name: str = ""
    """Empty where only the address is known."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a rule says of telling: whom at the beginning, and whom when it stays undone."""

    notify: tuple[StaffMember, ...] = ()
    escalate: tuple[StaffMember, ...] = ()
    escalate_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FollowUpFacts:
    """A follow-up, as far as it tells who has to hear of it."""

    id: str
    state: FollowUpState
    opened_at: datetime
    due_at: datetime
    attempts: int
    touched: bool
    """Whether its owner, or anybody, has done something about it since the last answer."""
    waiting_since: datetime | None
    answers: tuple[tuple[str, datetime], ...]
    """Its responses (id, when given), the earliest first; none where its rule is about the account."""
    owner: StaffMember | None
    stand_ins: tuple[StaffMember, ...]
    """Who is told when the owner does nothing: the deputy, else the managers."""
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one person. The key names the event and the person: it is told once."""

    key: str
    kind: NoticeKind
    follow_up_id: str
    recipient: StaffMember
    response_id: str | None = None


def notices(facts: FollowUpFacts, now: datetime, working: WorkingTime) -> list[Notice]:
    """Return everything that is to be told of a follow-up up to now, whether it was told before or not."""
    if facts.state is FollowUpState.CLOSED:
        return []
    return list({notice.key: notice for notice in _all(facts, now, working)}.values())


def _all(facts: FollowUpFacts, now: datetime, working: WorkingTime) -> Iterator[Notice]:
    yield from _news(facts, now)
    if facts.state is FollowUpState.WAITING_FOR_OUTCOME:
        if facts.waiting_since is not None and now - facts.waiting_since >= OUTCOME_AFTER:
            event = f"outcome:{facts.waiting_since.isoformat()}"
            yield from _to(_owner_or_stand_ins(facts), facts, NoticeKind.OUTCOME, event=event)
        return
    yield from _undone(facts, now, working)


def _news(facts: FollowUpFacts, now: datetime) -> Iterator[Notice]:
    """The first answer goes to those whom the rule names; further ones to the owner too: the task may hide them."""
    if not facts.answers and now - facts.opened_at < NEWS_FOR:
        yield from _to(facts.watch.notify, facts, NoticeKind.OPENED, event="opened")
    for number, (response_id, at) in enumerate(facts.answers):
        if now - at >= NEWS_FOR:
            continue
        people = facts.watch.notify if number == 0 else (*_owner_or_stand_ins(facts), *facts.watch.notify)
        yield from _to(people, facts, NoticeKind.ANSWER, event=f"answer:{response_id}", response_id=response_id)


def _undone(facts: FollowUpFacts, now: datetime, working: WorkingTime) -> Iterator[Notice]:
    """Each new due time, after an attempt that did not settle it, can be missed anew."""
    if now <= facts.due_at:
        half = facts.opened_at + (facts.due_at - facts.opened_at) / 2
        if not facts.touched and facts.attempts == 0 and now >= half:
            yield from _to(facts.stand_ins, facts, NoticeKind.HALFWAY, event="halfway")
        return
    yield from _to(_owner_or_stand_ins(facts), facts, NoticeKind.LATE, event=f"late:{facts.attempts}")
    if now > working.due(facts.due_at, facts.watch.escalate_after):
        yield from _to(facts.watch.escalate, facts, NoticeKind.ESCALATED, event=f"escalated:{facts.attempts}")


def _owner_or_stand_ins(facts: FollowUpFacts) -> tuple[StaffMember, ...]:
    return (facts.owner,) if facts.owner is not None else facts.stand_ins


def _to(
    people: Sequence[StaffMember], facts: FollowUpFacts, kind: NoticeKind, *, event: str, response_id: str | None = None
) -> Iterator[Notice]:
    for person in people:
        if person.email:
            yield Notice(f"{facts.id}:{event}:{person.email}", kind, facts.id, person, response_id)


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class MailKind(StrEnum):
    """The two mails that a person may get in a day."""

    ALERT = "alert"
    """At once, in working hours: the first of the day."""
    DIGEST = "digest"
    """In the afternoon: everything that came after the alert, what is late, and what has no outcome."""


def mail_due(
    waiting: Sequence[NoticeKind],
    now: datetime,
    working: WorkingTime,
    *,
    sent_today: frozenset[MailKind],
    missed: bool = False,
) -> MailKind | None:
    """Return which mail a person is to get now for what is waiting; None: none yet.

    `working` is the working time on the recipient's clocks; `missed`, whether something should have stood in a digest already (see
    `missed_a_digest`): then the first mail of the day tells it. An alert takes along whatever news is waiting, a digest everything.
    """
    if not waiting or not working.is_open(now):
        return None
    if MailKind.DIGEST not in sent_today and now >= digest_at(working, working.day_of(now)):
        return MailKind.DIGEST
    if not sent_today & {MailKind.ALERT, MailKind.DIGEST} and (missed or AT_ONCE & set(waiting)):
        return MailKind.ALERT
    return None


def missed_a_digest(oldest: datetime | None, now: datetime, working: WorkingTime) -> bool:
    """Whether what has waited since `oldest` was there when the last digest before today was due, and no lap ran then.

    Laps that cron runs once or twice a day, or a machine that was off, may meet no afternoon at all.
    """
    return oldest is not None and oldest < digest_at(working, working.working_day_before(working.day_of(now)))


def digest_at(working: WorkingTime, day: date) -> datetime:
    """Return when the digest of a day is sent: in the afternoon, or an hour before working hours end, if that is earlier."""
    window = working.window
    afternoon = datetime.combine(day, DIGEST_AT, working.tz)
    if window.always:
        return afternoon.astimezone(UTC)
    closing = datetime.combine(day, window.end, working.tz).astimezone(UTC) - BEFORE_CLOSING
    return max(min(afternoon.astimezone(UTC), closing), datetime.combine(day, window.start, working.tz).astimezone(UTC))


def carries(mail: MailKind, notice: NoticeKind, *, missed: bool = False) -> bool:
    """Whether a mail takes a waiting notice along: an alert news alone, a digest everything, as does an alert after a missed one."""
    return mail is MailKind.DIGEST or missed or notice in AT_ONCE
