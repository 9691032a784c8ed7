"""What our own people are told of follow-ups, and when: whole laps on a CRM in memory, as weeks go by."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from beginnings import Begin, live
from lap_world import CSAT, LapWorld
from sqlalchemy import select

from connector.errors import MailInDoubt, MailUnavailable
from connector.model import FollowUpState
from connector.ports.mail import Message
from connector.stages.alerts import mail as alerts_mail
from connector.store import tables
from connector.surveys.tokens import Tokens

HELSINKI = ZoneInfo("Europe/Helsinki")
COMPANY = """
[company]
timezone = "Europe/Helsinki"
working_hours = "mon-fri 08:00-17:00"
[web]
"""
RULE = CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner"]\n'
RITVA, BOSS, MANAGER = "ritva@acme.example", "boss@acme.example", "cx@acme.example"


@pytest.fixture
def office(begin: Begin) -> LapWorld:
    """Monday 16 November, 10:00 in Helsinki; the rep has a manager, and the company working hours."""
    return begin(_office)


def _office(world: LapWorld) -> None:
    live(world)
    boss = world.crm.user("Bea Boss", Email=BOSS)
    world.crm.update(world.rep, {"Email": RITVA, "ManagerId": boss})
    set_up(world)
    world.lap()
    world.mailbox.messages.clear()


def set_up(world: LapWorld, rules: str = RULE, more: str = "") -> None:
    from lap_world import CONFIG  # noqa: PLC0415 - what the fixture of all worlds writes

    config = CONFIG.replace("[web]\n", COMPANY + f'managers = ["{MANAGER}"]\n' + more, 1)
    world.configure(rules, config=config)


def at(world: LapWorld, day: int, clock: str) -> None:
    """Run a lap at a time in November, by Helsinki."""
    world.lap(after=moment(day, clock) - world.clock.now())


def moment(day: int, clock: str) -> datetime:
    hour, _, minute = clock.partition(":")
    return datetime(2026, 11, day, int(hour), int(minute), tzinfo=HELSINKI).astimezone(UTC)


def rated(world: LapWorld, value: float, who: str = "Maria Virtanen", comment: str = "") -> None:
    """Let somebody new of a new account answer."""
    world.rated(world.account(f"Account of {who}"), value, who=who, comment=comment)


def asked(world: LapWorld, names: Sequence[str]) -> list[str]:
    """Let somebody new of a new account each be asked, in one lap; returns their invitations."""
    accounts = [world.account(f"Account of {name}") for name in names]
    return world.ask_people(
        [(account, world.crm.contact(account, name)) for account, name in zip(accounts, names, strict=True)]
    )


def rated_one_after_the_other(world: LapWorld, names: Sequence[str], comment: str = "") -> None:
    """Let people answer as badly as can be: the first answer is taken in before the others come."""
    invitations = asked(world, names)
    world.answer(invitations[0], 1, comment)
    world.lap()
    for invitation in invitations[1:]:
        world.answer(invitation, 1, comment)
    world.lap()


def staff_mails(world: LapWorld) -> list[Message]:
    staff = {RITVA, BOSS, MANAGER}
    return [message for message in world.mailbox.messages if message.to in staff]


def told(world: LapWorld) -> list[tuple[str, str]]:
    return [(message.to, message.subject) for message in staff_mails(world)]


# ── at once, and in the digest ───────────────────────────────────────────────────────────────────────────────────────


def test_the_first_bad_answer_of_a_day_is_told_at_once_and_leads_to_the_crm(office: LapWorld) -> None:
    rated(office, 1, comment="It is broken again.\nOpen the record: https://evil.example")
    (mail,) = staff_mails(office)
    assert mail.to == RITVA
    assert mail.subject.startswith("Call Maria Virtanen by Tue ")
    assert ": 1 of 5 (very dissatisfied)" in mail.subject
    assert "Ritva Laine calls by" in mail.text
    (task,) = [row.task_ref for row in office.rows(tables.follow_up)]
    assert task.partition("/")[2] in mail.text, "the task was there before anybody was told"
    assert "> Open the record: https://evil.example" in mail.text
    assert "/f/" in mail.text
    assert "https://feedback.acme.example/accounts/" in mail.text


def test_further_answers_of_a_day_stand_in_the_afternoons_digest(office: LapWorld) -> None:
    rated_one_after_the_other(office, [f"Person Number{number}" for number in range(3)])
    assert len(staff_mails(office)) == 1
    at(office, 16, "15:59")
    assert len(staff_mails(office)) == 1
    at(office, 16, "16:05")
    alert, digest = staff_mails(office)
    assert digest.subject == "Customers who need a call: 2 new answers"
    assert "Person Number1" in digest.text
    assert "Person Number2" in digest.text
    assert "Person Number0" not in digest.text, "what was told once is not told again"
    assert "Person Number0" in alert.text


def test_what_a_mail_has_no_room_for_is_told_by_the_next_one(office: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts_mail, "MOST_ITEMS", 2)
    rated_one_after_the_other(office, [f"Person Number{number}" for number in range(4)])
    at(office, 16, "16:05")
    at(office, 17, "09:00")
    _alert, digest, later = (mail for mail in staff_mails(office) if mail.to == RITVA)
    names = {f"Person Number{number}" for number in range(1, 4)}
    in_the_digest, in_the_later = ({name for name in names if name in mail.text} for mail in (digest, later))
    assert len(in_the_digest) == 2
    assert "And 1 more, in the next mail." in digest.text
    assert in_the_later == names - in_the_digest
    assert "in the next mail" not in later.text


GMAIL_SHOWS = 102 * 1024
"""Bytes of a mail's HTML."""


def test_long_comments_are_told_in_as_many_mails_as_are_shown_whole(office: LapWorld) -> None:
    rated_one_after_the_other(office, [f"Person Number{number}." for number in range(12)], comment="<&>" * 500)
    at(office, 16, "16:05")
    at(office, 17, "09:00")
    alert, digest, later = (mail for mail in staff_mails(office) if mail.to == RITVA)
    assert max(len(mail.html.encode()) for mail in (alert, digest, later)) < GMAIL_SHOWS
    assert "more, in the next mail." in digest.text
    for number in range(12):
        assert sum(f"Person Number{number}." in mail.text for mail in (alert, digest, later)) == 1


def test_a_further_answer_of_the_same_person_is_told_though_it_is_in_the_same_follow_up(office: LapWorld) -> None:
    account = office.account("Northwind")
    contact = office.crm.contact(account, "Maria Virtanen")
    for comment in ("First words.", "Second words."):
        office.answer(office.ask(account, contact), 1, comment)
        office.lap()
    at(office, 16, "16:05")
    alert, digest = staff_mails(office)
    assert len(office.rows(tables.follow_up)) == 1
    assert "Second words." not in alert.text
    assert digest.text.index("> Second words.") < digest.text.index("Also: 1 of 5, very dissatisfied, case "), (
        "each answer's words stand under it"
    )
    assert digest.text.index("Also: 1 of 5") < digest.text.index("> First words.")
    assert "Also: 1 of 5, very dissatisfied" in digest.html
    assert "Second words." in digest.text


def test_what_comes_at_night_waits_for_the_morning(office: LapWorld) -> None:
    at(office, 16, "20:00")
    rated(office, 1, who="Evening Person")
    at(office, 17, "07:30")
    rated(office, 2, who="Morning Person")
    assert staff_mails(office) == []
    assert len(office.rows(tables.follow_up)) == 2, "the tasks do not wait"
    at(office, 17, "08:10")
    (mail,) = staff_mails(office)
    assert "Evening Person" in mail.text
    assert "Morning Person" in mail.text


def test_what_comes_on_friday_night_waits_for_monday(office: LapWorld) -> None:
    at(office, 20, "18:00")
    rated(office, 1)
    at(office, 22, "23:00")
    assert staff_mails(office) == []
    at(office, 23, "08:10")
    assert [mail.to for mail in staff_mails(office)] == [RITVA]


def test_where_no_lap_runs_in_the_afternoon_the_next_morning_tells_what_is_late(office: LapWorld) -> None:
    """`afterword sync` by cron, at eight in the morning alone."""
    rated(office, 1)
    told_before = len(staff_mails(office))
    for day in (17, 18, 19):
        at(office, day, "08:10")
    late = [mail for mail in staff_mails(office)[told_before:] if mail.to == RITVA]
    assert [mail.subject.partition(",")[0] for mail in late] == ["Call Maria Virtanen"]
    assert "overdue since" in late[0].subject


# ── late ones ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_late_follow_up_is_told_to_its_owner_and_then_to_the_manager(office: LapWorld) -> None:
    rated(office, 1)
    office.mailbox.messages.clear()
    at(office, 17, "16:05")
    assert [(to, subject) for to, subject in told(office) if to == RITVA] == [
        (RITVA, "Customers who need a call: 1 overdue")
    ]
    office.mailbox.messages.clear()
    at(office, 18, "16:05")
    assert {to for to, _ in told(office)} == {BOSS, MANAGER}
    assert all("1 still not called" in subject for _, subject in told(office))
    office.mailbox.messages.clear()
    at(office, 27, "16:05")
    assert told(office) == [], "each is told once"


def test_nobody_touched_it_at_half_its_time_so_the_deputy_is_told(office: LapWorld) -> None:
    office.crm.user("Anna Deputy", Email="anna@acme.example")
    set_up(office, RULE + f'[deputies]\n"{RITVA}" = "anna@acme.example"\n')
    rated(office, 1)
    at(office, 17, "08:05")
    assert "anna@acme.example" not in office.mailbox.recipients
    at(office, 17, "09:00")
    office.mailbox.messages.clear()
    at(office, 17, "16:05")
    deputy = [message for message in office.mailbox.messages if message.to == "anna@acme.example"]
    assert len(deputy) <= 1


def test_what_has_ceased_to_be_true_before_the_digest_is_not_told(office: LapWorld) -> None:
    rated(office, 1)
    office.mailbox.messages.clear()
    for clock in ("09:00", "11:55"):
        at(office, 17, clock)
    assert {row.kind for row in office.rows(tables.alert) if row.state == "waiting"} == {"late", "halfway"}
    (task,) = [row.task_ref.partition("/")[2] for row in office.rows(tables.follow_up)]
    office.crm.update(task, {"Status": "Completed", "Afterword_Outcome__c": "Not reached"})
    at(office, 17, "16:05")
    assert told(office) == [], "somebody has called, and it is due tomorrow"
    at(office, 18, "16:20")
    assert "overdue" in dict(told(office))[RITVA]


def test_after_the_outcome_nobody_is_told_anything_more(office: LapWorld) -> None:
    rated(office, 1)
    office.mailbox.messages.clear()
    with office.store.write() as tx:
        closed = {"state": FollowUpState.CLOSED.value, "outcome": "Solved", "closed_by": "outcome"}
        tx.execute(tables.follow_up.update().values(**closed))
    at(office, 19, "17:00")
    assert told(office) == []


def test_a_task_completed_without_an_outcome_asks_its_owner_once(office: LapWorld) -> None:
    rated(office, 1)
    office.mailbox.messages.clear()
    (task,) = [row.task_ref.partition("/")[2] for row in office.rows(tables.follow_up)]
    office.crm.update(task, {"Status": "Completed"})
    at(office, 16, "16:05")
    (mail,) = staff_mails(office)
    assert (mail.to, mail.subject) == (RITVA, "Customers who need a call: 1 without an outcome")
    assert "outcome=solved" in mail.text
    at(office, 20, "16:30")
    assert len(staff_mails(office)) == 1


def test_the_tasks_text_leads_to_the_same_page(office: LapWorld) -> None:
    rated(office, 1)
    (row,) = office.rows(tables.follow_up)
    (mail,) = staff_mails(office)
    link = f"/f/{Tokens(office.installation.settings.web.signing_keys).outcome(row.id)}?outcome=not_reached"
    assert link in row.body
    assert link in mail.text
    assert "choose one" in row.body


# ── mail that does not go out ────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_server_that_is_away_loses_nothing_and_ends_the_sending(office: LapWorld) -> None:
    office.mailbox.failing = [None, *[MailUnavailable("no answer.", where="email", remedy="Wait.")] * 2]
    account = office.account("Northwind")
    contact = office.crm.contact(account, "Maria Virtanen")
    office.answer(office.ask(account, contact), 1)
    report = office.lap()
    assert report.mail_error is not None
    assert report.exit_code == 1
    assert staff_mails(office) == []
    office.lap()
    office.lap()
    assert [mail.to for mail in staff_mails(office)] == [RITVA]


def test_a_mail_in_doubt_is_not_sent_again(office: LapWorld) -> None:
    office.mailbox.failing = [None, MailInDoubt("the line broke.", where="email", remedy="Look.")]
    rated(office, 1)
    assert staff_mails(office) == []
    at(office, 16, "15:30")
    assert staff_mails(office) == []
    assert {row.state for row in office.rows(tables.alert)} == {"in_doubt"}


def test_a_mail_cut_off_by_a_crash_is_in_doubt(office: LapWorld) -> None:
    rated(office, 1)
    with office.store.write() as tx:
        for table in (tables.staff_mail, tables.alert):
            tx.execute(table.update().values(state="sending"))
    office.mailbox.messages.clear()
    at(office, 16, "17:00")
    assert staff_mails(office) == []
    with office.store.read() as tx:
        assert tx.execute(select(tables.staff_mail.c.state)).scalars().all() == ["in_doubt"]


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_in_busy_days_a_rep_gets_two_mails_a_working_day_at_most(office: LapWorld) -> None:
    moments = [(day, hour) for day in range(19, 24) for hour in (8, 11, 19)]
    invitations = asked(office, [f"Person {day} {hour}" for day, hour in moments])
    for invitation, (day, hour) in zip(invitations, moments, strict=True):
        office.clock.set(moment(day, f"{hour}:20"))
        office.answer(invitation, 1 + day % 2)
        office.lap()
        if hour == 11:
            at(office, day, "16:10")
    sent = list(_days(office))
    counts = Counter(sent)
    assert counts
    assert max(counts.values()) <= 2
    assert all(day.weekday() < 5 for _, day in counts)


def _days(world: LapWorld) -> Iterator[tuple[str, date]]:
    with world.store.read() as tx:
        rows: list[Any] = list(tx.execute(select(tables.staff_mail)))
    return ((row.recipient, row.at.astimezone(HELSINKI).date()) for row in rows)
