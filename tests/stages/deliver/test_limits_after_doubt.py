"""What may have arrived counts as arrived where people are not to be written to too often; and reminders can be switched off."""

from datetime import timedelta

import pytest
from asking import DAY, HOUR, SITE, World, lap, limits, survey

from connector.errors import MailInDoubt, MailUnavailable
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from tests.databases import BOTH_DATABASES

DOUBT = MailInDoubt("cut off after the final dot")


def close_another_case_after_doubt(here: World, after: timedelta) -> None:
    """After so long a mail is in doubt; an hour later another case of hers is closed."""
    here.clock.advance(after)
    here.mailbox.failing = [DOUBT]
    lap(here)
    here.clock.advance(HOUR)
    here.case("c2")
    lap(here)


def test_the_gap_holds_within_a_lap_after_a_message_in_doubt(here: World) -> None:
    here.case("c1")
    here.case("c2")
    invite.run(here.context())
    here.limits = limits(minimum_gap="24h")
    here.mailbox.failing = [DOUBT]
    deliver.run(here.context(), SITE)
    assert here.mailbox.recipients == []
    here.clock.advance(DAY)
    deliver.run(here.context(), SITE)
    assert here.mailbox.recipients == ["maria@oy.example"]


def test_the_gap_holds_after_an_invitation_that_waited_for_long_and_is_in_doubt(here: World) -> None:
    here.limits = limits(minimum_gap="24h")
    here.case("c1")
    here.mailbox.failing = [MailUnavailable("down")]
    lap(here)
    close_another_case_after_doubt(here, 2 * DAY)
    assert here.mailbox.recipients == []


@BOTH_DATABASES
def test_the_gap_holds_after_a_reminder_in_doubt(here: World) -> None:
    here.surveys = {"after-case": survey(reminder_after="3d")}
    here.limits = limits(minimum_gap="24h")
    here.case("c1")
    lap(here)
    close_another_case_after_doubt(here, 3 * DAY)
    assert here.mailbox.recipients == ["maria@oy.example"]


@pytest.mark.parametrize(("later", "reminded_on"), [("0s", None), ("6d", 6), ("4d", 4)])
def test_a_changed_reminder_holds_for_mails_that_were_sent_before(
    here: World, later: str, reminded_on: int | None
) -> None:
    here.surveys = {"after-case": survey(reminder_after="4d")}
    here.case("c1")
    lap(here)
    here.surveys = {"after-case": survey(reminder_after=later)}
    days = []
    for day in range(1, 9):
        here.clock.advance(DAY)
        lap(here)
        days += [day] if len(here.mailbox.messages) == 2 else []
    assert days[:1] == ([] if reminded_on is None else [reminded_on])
