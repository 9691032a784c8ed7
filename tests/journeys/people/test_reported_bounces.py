"""Mail that comes back later: matched by our id or the mail server's, before a reminder goes out, and counted where it is not."""

from collections import Counter
from typing import Any

import pytest
import requests
from environment import DAY, HOUR, Environment
from sqlalchemy import select

from connector.commands.check import checks
from connector.stages.order import Stage
from connector.store import tables
from connector.store.surveys import bounces, inbox, mail_trouble, people

REMINDING = '[surveys.after-case]\non = "case.closed"\ndelay = "24h"\nreminder_after = "3d"\n'
GONE = "550 5.1.1 <maria@nw.example>: Recipient address rejected: User unknown in local recipient table"
SES = "0102018e7c1f2a3b-1c2d3e4f-5a6b-7c8d-9e0f-112233445566-000000"


@pytest.fixture
def asked(live: Environment) -> Environment:
    """Maria was asked, and is to be reminded in three days; the mail server named the message when it took it."""
    live.mailbox.answer = f"250 Ok {SES}"
    live.configure(REMINDING)
    account = live.account("Northwind")
    live.closed_case(account, live.contact(account, "Maria Virtanen", "maria@nw.example"))
    live.lap()
    live.later(DAY)
    assert len(live.mailbox.mails) == 1
    return live


def everybody_is_asked(env: Environment, people: int) -> None:
    """Let so many people be asked, and be reminded in three days."""
    env.configure(REMINDING)
    account = env.account("Northwind")
    for number in range(people):
        env.closed_case(account, env.contact(account, f"Person {number}", f"person-{number}@nw.example"))
    env.lap()
    env.later(DAY)
    assert len(env.mailbox.mails) == people


def reported(env: Environment, message_id: str, reason: str = GONE) -> None:
    """Let the mail provider report a bounce."""
    answer = requests.post(env.status()["bounces_to"], json={"message_id": message_id, "reason": reason}, timeout=300)
    assert answer.status_code == 202


def rows(env: Environment, table: Any) -> Any:
    with env.installation.store.read() as tx:
        return tx.execute(select(table)).all()


def is_marked(env: Environment) -> bool:
    (row,) = rows(env, tables.invitation)
    with env.installation.store.read() as tx:
        known = people.people(tx, [row.person]).get(row.person)
    return known is not None and known.bounced_at is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("theirs", [SES, f"<{SES}@eu-west-1.amazonses.com>", "ours"])
def test_a_report_keeps_the_reminder_of_the_same_lap_from_going_out(asked: Environment, theirs: str) -> None:
    (attempt,) = rows(asked, tables.attempt)
    assert attempt.server_id == SES
    reported(asked, attempt.message_id if theirs == "ours" else theirs)
    asked.later(4 * DAY)
    assert len(asked.mailbox.mails) == 1
    assert is_marked(asked)
    assert asked.status()["bounce_reports"] is None


def test_a_lap_of_deliver_alone_looks_at_the_reports_too(asked: Environment) -> None:
    reported(asked, SES)
    asked.advance(4 * DAY)
    asked.lap((Stage.DELIVER,))
    assert len(asked.mailbox.mails) == 1


def test_without_a_report_the_reminder_goes_out(asked: Environment) -> None:
    asked.later(4 * DAY)
    assert len(asked.mailbox.mails) == 2


def test_what_is_not_about_the_mailbox_ends_the_invitation_and_marks_nobody(live: Environment) -> None:
    reasons = ["554 5.7.1 Message rejected as spam", "552 5.2.2 Mailbox full", "550 5.1.8 Sender unknown"]
    everybody_is_asked(live, len(reasons))
    for attempt, reason in zip(rows(live, tables.attempt), reasons, strict=True):
        reported(live, attempt.message_id, reason)
    live.later(4 * DAY)
    assert len(live.mailbox.mails) == len(reasons)
    assert marks(live) == 0
    ended = {(row.state, row.error) for row in rows(live, tables.invitation)}
    assert ended == {("bounced", reason) for reason in reasons}


def test_a_message_that_is_only_late_changes_nothing(live: Environment) -> None:
    reasons = ["451 4.4.1 host does not answer, will retry", "smtp; 450 4.2.0 greylisted", "Transient"]
    everybody_is_asked(live, len(reasons))
    for attempt, reason in zip(rows(live, tables.attempt), reasons, strict=True):
        reported(live, attempt.message_id, reason)
    live.later(4 * DAY)
    assert Counter(mail.to for mail in live.mailbox.mails) == {f"person-{n}@nw.example": 2 for n in range(3)}
    assert marks(live) == 0


def test_a_message_that_is_late_and_comes_back_in_the_end_marks_the_address(asked: Environment) -> None:
    reported(asked, SES, "smtp; 450 4.2.0 greylisted")
    asked.later(HOUR)
    assert not is_marked(asked)
    reported(asked, SES)
    asked.later(4 * DAY)
    assert len(asked.mailbox.mails) == 1
    assert is_marked(asked)


def test_reports_that_match_nothing_are_counted_and_told(asked: Environment) -> None:
    for number in range(3):
        reported(asked, f"someone-elses-{number}")
    report = asked.later(HOUR)
    assert (report.unmatched, report.exit_code) == (3, 0)
    told = asked.status()["bounce_reports"]
    assert (told["unmatched"], told["message_id"]) == (3, "someone-elses-2")
    assert told["remedy"]
    warned = [problem for problem in checks.check(asked.installation).problems if "match no message" in problem.what]
    assert [one.severity for one in warned] == ["warning"]
    assert not is_marked(asked)


def test_whom_the_crm_says_to_be_unreachable_is_neither_reminded_nor_asked(asked: Environment) -> None:
    (contact,) = [row["Id"] for row in asked.org.rows("Contact")]
    asked.org.update(
        "Contact", contact, {"EmailBouncedReason": "550 no such user", "EmailBouncedDate": "2026-11-20T08:00:00Z"}
    )
    asked.later(4 * DAY)
    assert len(asked.mailbox.mails) == 1
    asked.closed_case(asked.record("Contact", contact)["AccountId"], contact)
    assert asked.later(HOUR).not_invited == {"bad_address": 1}
    assert not is_marked(asked)
    asked.org.update("Contact", contact, {"EmailBouncedReason": None, "EmailBouncedDate": None})
    asked.closed_case(asked.record("Contact", contact)["AccountId"], contact)
    asked.later(HOUR)
    asked.later(2 * DAY)
    assert len(asked.mailbox.mails) == 2


def test_reports_that_most_people_are_gone_are_not_believed(live: Environment) -> None:
    """A relay whose directory is broken takes all mail, and says of everybody later that they do not exist."""
    everybody_is_asked(live, 6)
    for attempt in rows(live, tables.attempt):
        reported(live, attempt.message_id)
    before = live.clock.now()
    report = live.later(HOUR)
    assert report.exit_code == 1
    assert report.mail_error is not None
    assert "4 of the last 6 addresses" in report.mail_error.what
    assert marks(live) == 3
    assert live.later(HOUR).exit_code == 1
    assert marks(live) == 3
    with live.installation.store.write() as tx:
        bounces.lift_since(tx, before - DAY, live.clock.now(), ended_since=live.clock.now())
        inbox.drop_reports(tx, before - DAY, live.clock.now())
        mail_trouble.go_on(tx, live.clock.now())
    assert live.later(HOUR).exit_code == 0
    assert marks(live) == 0


def test_what_the_admin_says_is_true_is_taken_in(live: Environment) -> None:
    everybody_is_asked(live, 6)
    for attempt in rows(live, tables.attempt):
        reported(live, attempt.message_id)
    live.later(HOUR)
    with live.installation.store.write() as tx:
        mail_trouble.go_on(tx, live.clock.now())
    assert live.later(HOUR).exit_code == 0
    assert marks(live) == 6
    live.later(4 * DAY)
    assert len(live.mailbox.mails) == 6


def marks(env: Environment) -> int:
    """Count the people who are marked."""
    with env.installation.store.read() as tx:
        return len(list(bounces.marked(tx)))
