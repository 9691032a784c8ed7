"""What becomes of reports about mail: complaints, mail that was given up, and mail that was answered."""

import pytest
from asking import DAY, SITE, World, survey, world

from adapters.email.refused_party import cause_of_bounce
from connector.model import Rating
from connector.stages import collect
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store, tables
from connector.store.surveys import answers, bounces, inbox


@pytest.fixture
def here(store: Store) -> World:
    """Maria was asked about a case, and is reminded after four days."""
    made = world(store)
    made.mailbox.cause_of_bounce = lambda reason: cause_of_bounce(reason, sender="care@acme.example")  # type: ignore[attr-defined]
    made.surveys = {"after-case": survey(reminder_after="4d")}
    made.case("c1")
    lap(made)
    return made


def lap(here: World) -> None:
    collect.run(here.context())
    invite.run(here.context())
    deliver.run(here.context(), SITE)


def reported(here: World, reason: str) -> None:
    (attempt,) = here.rows(tables.attempt)
    report = {"message_id": attempt.message_id, "reason": reason}
    with here.store.write() as tx:
        inbox.receive(tx, inbox.BOUNCE, reason, report, here.clock.now())
    lap(here)


def test_whoever_reports_us_as_spam_is_never_asked_again(here: World) -> None:
    reported(here, "spamreport")
    (person,) = here.rows(tables.person)
    assert (person.opted_out_by, person.bounced_at) == ("complaint", None)
    with here.store.write() as tx:
        bounces.lift_since(tx, here.clock.now() - DAY, here.clock.now(), ended_since=here.clock.now())
    here.clock.advance(4 * DAY)
    here.case("c2")
    lap(here)
    assert here.mailbox.recipients == ["maria@oy.example"]
    assert {"no_surveys": True}.items() <= here.rows(tables.outbox_record)[0].desired.items(), (
        "the CRM's record says so too"
    )


def test_nobody_is_reminded_whose_mail_the_server_has_given_up(here: World) -> None:
    reported(here, "smtp; 550 4.4.7 QUEUE.Expired; message expired")
    here.clock.advance(4 * DAY)
    lap(here)
    assert here.mailbox.recipients == ["maria@oy.example"]
    assert here.rows(tables.person) == [], "nobody is marked for it"


@pytest.mark.parametrize("reason", ["deferred", "AutoResponder"])
def test_a_delay_or_an_absence_note_changes_nothing(here: World, reason: str) -> None:
    reported(here, reason)
    here.clock.advance(4 * DAY)
    lap(here)
    assert here.mailbox.recipients == ["maria@oy.example"] * 2


def test_a_report_about_mail_that_was_answered_marks_nobody(here: World) -> None:
    (asked,) = here.rows(tables.invitation)
    with here.store.write() as tx:
        answers.record(tx, asked.id, [Rating("csat", "csat", 2, 1, 5)], comment="", now=here.clock.now())
    reported(here, "550 5.1.1 user unknown")
    assert (here.rows(tables.person), here.rows(tables.invitation)[0].state) == ([], "sent")
