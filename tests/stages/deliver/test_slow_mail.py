"""A mail server that is slow, and works, keeps the worker for a bounded time: what is left goes out in the next laps."""

from datetime import timedelta

import pytest
from asking import Mailbox, World, lap
from lap_world import CSAT, LapWorld

from connector.ports.mail import Message
from connector.runtime.clock import SteppedClock
from connector.stages.deliver.time_budget import SENDING_TIME

A_MAIL = timedelta(seconds=24)
"""So long the server takes over each mail."""
PEOPLE = 12


class SlowMailbox(Mailbox):
    """Takes its time over each message."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__()
        self._clock = clock

    def send(self, message: Message) -> None:
        self._clock.advance(A_MAIL)
        super().send(message)


@pytest.fixture
def here(here: World) -> World:
    here.mailbox = SlowMailbox(here.clock)
    for number in range(PEOPLE):
        here.person(f"p{number}")
        here.case(f"case-{number}", [f"p{number}"])
    return here


def test_a_lap_sends_for_a_bounded_time_and_says_what_is_left(here: World) -> None:
    began = here.clock.now()
    result = lap(here)
    assert here.clock.now() - began <= SENDING_TIME + A_MAIL
    assert 0 < result.sent < PEOPLE
    assert (result.left_due, result.deferred) == (PEOPLE - result.sent, PEOPLE - result.sent)
    assert result.mail_error is None, "a slow server is no fault"


def test_the_next_laps_send_the_rest_once(here: World) -> None:
    results = [lap(here) for _ in range(4)]
    assert sum(result.sent for result in results) == PEOPLE
    assert len(set(here.mailbox.recipients)) == len(here.mailbox.messages) == PEOPLE
    assert results[-1].left_due == 0


def test_what_is_over_the_days_limit_is_not_counted_as_left_by_a_slow_server(here: World) -> None:
    here.limits = here.limits.model_copy(update={"daily_sends": 6})
    assert lap(here).left_due == 1


def test_our_own_people_are_told_for_a_bounded_time_too(world: LapWorld) -> None:
    world.configure(CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner"]\n')
    for invitation in world.ask_for_reps(PEOPLE):
        world.answer(invitation, 1)
    world.mailbox = SlowMailbox(world.clock)
    world.configure(CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner"]\n')
    notices_sent = [world.lap().told for _ in range(4)]
    assert 0 < notices_sent[0] < PEOPLE
    assert sum(notices_sent) == PEOPLE


def test_the_report_of_a_lap_says_how_many_wait_for_the_next(world: LapWorld) -> None:
    world.configure(CSAT)
    for number in range(PEOPLE):
        account = world.account(f"Company {number}")
        world.crm.close(world.crm.case(account, world.crm.contact(account, f"Person {number}")))
    world.mailbox = SlowMailbox(world.clock)
    world.configure(CSAT)
    report = world.lap()
    assert (report.sent + report.left_due, report.exit_code) == (PEOPLE, 0)
    assert report.as_json()["left_due"] == report.left_due > 0
