"""Who is told what about a follow-up, and when."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.working_time import Window, WorkingTime
from connector.model import FollowUpState
from connector.stages.alerts.plan import (
    AT_ONCE,
    FollowUpFacts,
    MailKind,
    NoticeKind,
    StaffMember,
    Watch,
    carries,
    digest_at,
    mail_due,
    missed_a_digest,
    notices,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
OFFICE = WorkingTime(HELSINKI, Window(frozenset(range(5)), time(8), time(17)), frozenset({date(2026, 12, 24)}))
ALWAYS = WorkingTime(HELSINKI, Window(), frozenset())
RITVA, ANNA, BOSS = (
    StaffMember("ritva@acme.example"),
    StaffMember("anna@acme.example"),
    StaffMember("boss@acme.example"),
)
HOUR = timedelta(hours=1)


def at(day: int, clock: str) -> datetime:
    """Return a time in Helsinki in November 2026; the 16th is a Monday."""
    return datetime.combine(date(2026, 11, day), time.fromisoformat(clock), HELSINKI).astimezone(UTC)


OPENED = at(16, "09:00")


def facts(**values: object) -> FollowUpFacts:
    known: dict[str, object] = {
        "id": "f1",
        "state": FollowUpState.OPEN,
        "opened_at": OPENED,
        "due_at": at(17, "09:00"),
        "attempts": 0,
        "touched": False,
        "waiting_since": None,
        "answers": (("r1", OPENED),),
        "owner": RITVA,
        "stand_ins": (ANNA,),
        "watch": Watch(notify=(RITVA,), escalate=(BOSS,), escalate_after=timedelta(hours=24)),
    }
    return FollowUpFacts(**{**known, **values})  # type: ignore[arg-type]


def told(known: FollowUpFacts, now: datetime) -> set[tuple[NoticeKind, str]]:
    return {(notice.kind, notice.recipient.email) for notice in notices(known, now, OFFICE)}


def test_the_first_answer_goes_to_whom_the_rule_names() -> None:
    assert told(facts(), OPENED + HOUR) == {(NoticeKind.ANSWER, RITVA.email)}
    assert told(facts(watch=Watch()), OPENED + HOUR) == set()


def test_a_further_answer_goes_to_the_owner_even_if_the_rule_names_nobody() -> None:
    further = facts(answers=(("r1", OPENED), ("r2", OPENED + HOUR)), watch=Watch())
    (notice,) = notices(further, OPENED + 2 * HOUR, OFFICE)
    assert (notice.response_id, notice.recipient) == ("r2", RITVA)


def test_each_answer_is_a_notice_of_its_own_with_a_key_that_stays() -> None:
    further = facts(answers=(("r1", OPENED), ("r2", OPENED + HOUR)))
    keys = {notice.key for notice in notices(further, OPENED + 2 * HOUR, OFFICE)}
    assert len(keys) == 2
    assert {notice.key for notice in notices(further, OPENED + 3 * HOUR, OFFICE)} == keys


def test_nobody_is_told_of_an_answer_that_is_met_days_later() -> None:
    assert told(facts(due_at=at(27, "09:00"), touched=True), OPENED + timedelta(days=4)) == set()


def test_half_time_untouched_is_told_to_the_stand_in_and_not_to_the_owner() -> None:
    assert (NoticeKind.HALFWAY, ANNA.email) in told(facts(), at(16, "21:00"))
    assert (NoticeKind.HALFWAY, ANNA.email) not in told(facts(), at(16, "20:59"))
    assert not any(kind is NoticeKind.HALFWAY for kind, _ in told(facts(touched=True), at(16, "21:00")))


def test_a_late_one_is_told_to_its_owner_and_then_climbs() -> None:
    assert not any(kind is NoticeKind.LATE for kind, _ in told(facts(), at(17, "09:00")))
    assert (NoticeKind.LATE, RITVA.email) in told(facts(), at(17, "09:01"))
    assert not any(kind is NoticeKind.ESCALATED for kind, _ in told(facts(), at(18, "09:00")))
    assert (NoticeKind.ESCALATED, BOSS.email) in told(facts(), at(18, "09:01"))


def test_escalation_counts_working_days() -> None:
    friday = facts(due_at=at(20, "15:00"))
    assert (NoticeKind.ESCALATED, BOSS.email) not in told(friday, at(22, "18:00"))
    assert (NoticeKind.ESCALATED, BOSS.email) in told(friday, at(23, "15:01"))


def test_a_late_one_without_an_owner_is_told_to_the_stand_ins() -> None:
    assert (NoticeKind.LATE, ANNA.email) in told(facts(owner=None), at(17, "09:01"))


def test_a_new_due_time_after_an_attempt_can_be_missed_anew() -> None:
    first = {notice.key for notice in notices(facts(), at(17, "09:01"), OFFICE) if notice.kind is NoticeKind.LATE}
    again = facts(attempts=1, due_at=at(19, "09:00"))
    second = {notice.key for notice in notices(again, at(19, "09:01"), OFFICE) if notice.kind is NoticeKind.LATE}
    assert len(first | second) == 2


def test_a_missing_outcome_is_asked_for_an_hour_after_the_task_was_completed() -> None:
    waiting = facts(state=FollowUpState.WAITING_FOR_OUTCOME, waiting_since=at(17, "10:00"))
    assert (NoticeKind.OUTCOME, RITVA.email) not in told(waiting, at(17, "10:59"))
    late = told(waiting, at(27, "11:00"))
    assert late == {(NoticeKind.OUTCOME, RITVA.email)}, "it is not late: somebody has done something"


def test_of_a_closed_one_nobody_is_told_anything() -> None:
    assert told(facts(state=FollowUpState.CLOSED), at(27, "09:00")) == set()


def test_a_follow_up_without_answers_is_told_once_when_it_opens() -> None:
    assert told(facts(answers=()), OPENED + HOUR) == {(NoticeKind.OPENED, RITVA.email)}


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NEWS = [NoticeKind.ANSWER]
REST = [NoticeKind.LATE, NoticeKind.OUTCOME]
NONE: frozenset[MailKind] = frozenset()


@pytest.mark.parametrize(
    ("waiting", "now", "sent", "mail"),
    [
        (NEWS, at(16, "09:00"), NONE, MailKind.ALERT),
        (NEWS, at(16, "07:59"), NONE, None),
        (NEWS, at(15, "12:00"), NONE, None),  # a Sunday
        (NEWS, at(16, "12:00"), frozenset({MailKind.ALERT}), None),
        (NEWS, at(16, "16:00"), frozenset({MailKind.ALERT}), MailKind.DIGEST),
        (NEWS, at(16, "16:30"), NONE, MailKind.DIGEST),
        (NEWS, at(16, "16:30"), frozenset({MailKind.DIGEST}), None),
        (NEWS, at(16, "17:00"), NONE, None),
        (REST, at(16, "09:00"), NONE, None),
        (REST, at(16, "16:00"), NONE, MailKind.DIGEST),
        ([], at(16, "16:00"), NONE, None),
    ],
)
def test_when_a_mail_is_due(
    waiting: list[NoticeKind], now: datetime, sent: frozenset[MailKind], mail: MailKind | None
) -> None:
    assert mail_due(waiting, now, OFFICE, sent_today=sent) is mail


def test_where_work_ends_earlier_the_digest_comes_an_hour_before() -> None:
    early = WorkingTime(HELSINKI, Window(frozenset(range(5)), time(7), time(15)), frozenset())
    assert digest_at(early, date(2026, 11, 16)) == at(16, "14:00")
    short = WorkingTime(HELSINKI, Window(frozenset(range(5)), time(9), time(9, 30)), frozenset())
    assert digest_at(short, date(2026, 11, 16)) == at(16, "09:00")


def test_where_there_are_no_working_hours_news_is_told_at_any_time() -> None:
    assert mail_due(NEWS, at(15, "03:00"), ALWAYS, sent_today=NONE) is MailKind.ALERT
    assert mail_due(REST, at(15, "03:00"), ALWAYS, sent_today=NONE) is None


MONTH = [at(1, "00:00") + number * timedelta(minutes=30) for number in range(30 * 48)]


@given(st.lists(st.tuples(st.sampled_from(MONTH), st.sampled_from(list(NoticeKind))), max_size=60))
def test_nobody_gets_more_than_two_mails_a_working_day_and_everything_is_told(
    events: list[tuple[datetime, NoticeKind]],
) -> None:
    """A month is lived through, half an hour at a time."""
    waiting: list[tuple[datetime, NoticeKind]] = []
    mails: dict[date, list[MailKind]] = {}
    coming = sorted(events)
    for now in [*MONTH, *(at(30, "08:00") + n * HOUR for n in range(48))]:
        while coming and coming[0][0] <= now:
            waiting.append(coming.pop(0))
        today = frozenset(mails.get(OFFICE.day_of(now), []))
        mail = mail_due([kind for _, kind in waiting], now, OFFICE, sent_today=today)
        if mail is None:
            continue
        assert OFFICE.is_open(now)
        mails.setdefault(OFFICE.day_of(now), []).append(mail)
        waiting = [event for event in waiting if mail is MailKind.ALERT and event[1] not in AT_ONCE]
    assert all(len(kinds) == len(set(kinds)) <= 2 for kinds in mails.values())
    assert waiting == [], "something was never told"


def test_what_a_digest_should_have_told_stands_in_the_first_mail_of_the_next_day() -> None:
    friday, monday = at(20, "15:00"), at(23, "08:00")
    assert missed_a_digest(friday, monday, OFFICE)
    assert not missed_a_digest(at(20, "16:05"), monday, OFFICE), "it came after Friday's digest: Monday's is its own"
    assert not missed_a_digest(friday, at(20, "16:30"), OFFICE)
    assert not missed_a_digest(None, monday, OFFICE)
    assert missed_a_digest(at(15, "15:00"), at(16, "03:00"), ALWAYS)
    assert mail_due(REST, monday, OFFICE, sent_today=NONE, missed=True) is MailKind.ALERT
    assert mail_due(REST, at(23, "07:00"), OFFICE, sent_today=NONE, missed=True) is None
    assert mail_due(REST, at(23, "09:00"), OFFICE, sent_today=frozenset({MailKind.ALERT}), missed=True) is None
    assert all(carries(MailKind.ALERT, kind, missed=True) for kind in NoticeKind)


def test_an_alert_takes_news_along_and_leaves_the_rest_to_the_digest() -> None:
    assert {kind for kind in NoticeKind if carries(MailKind.ALERT, kind)} == AT_ONCE
    assert all(carries(MailKind.DIGEST, kind) for kind in NoticeKind)
