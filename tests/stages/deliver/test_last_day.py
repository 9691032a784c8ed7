"""The day that a mail names as the last one for an answer holds to its end, where the company is."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from asking import SITE, World, survey, world

from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.surveys import answers

A_SECOND = timedelta(seconds=1)


def send(here: World) -> None:
    invite.run(here.context())
    deliver.run(here.context(), replace(SITE, zone=here.zone))


@pytest.mark.parametrize(
    ("zone", "now", "last_moment"),
    [
        ("Europe/Helsinki", "2026-03-02T09:00+00:00", "2026-03-16T23:59:59+02:00"),
        ("Europe/Helsinki", "2026-03-02T22:30+00:00", "2026-03-17T23:59:59+02:00"),
        ("Europe/Helsinki", "2026-03-16T09:00+00:00", "2026-03-30T23:59:59+03:00"),  # summer time has begun
        ("America/Los_Angeles", "2026-03-03T03:00+00:00", "2026-03-16T23:59:59-07:00"),
        ("Africa/Cairo", "2026-04-09T09:00+00:00", "2026-04-23T23:59:59+02:00"),  # no midnight: it is one o'clock then
    ],
)
def test_the_last_day_that_a_mail_names_holds_to_its_end(store: Store, zone: str, now: str, last_moment: str) -> None:
    here, last = world(store), datetime.fromisoformat(last_moment)
    here.zone = ZoneInfo(zone)
    here.clock.set(datetime.fromisoformat(now))
    here.case("c1")
    send(here)
    assert f"until {last.day} {last:%B %Y}" in here.mailbox.messages[0].text
    [row] = here.rows(t.invitation)
    with store.read() as tx:
        invited = answers.invited(tx, row.id)
    assert invited is not None
    assert (invited.open_at(last - A_SECOND), invited.open_at(last + A_SECOND)) == (True, False)


def test_the_reminder_names_the_same_day(store: Store) -> None:
    here = world(store)
    here.surveys = {"after-case": survey(expires="3d", reminder_after="71h")}
    here.case("c1")
    send(here)
    here.clock.advance(timedelta(hours=71))
    send(here)
    here.clock.advance(timedelta(hours=12))
    assert ["until 5 March 2026" in mail.text for mail in here.mailbox.messages] == [True, True]
