"""Colleagues or customers whose mail is refused keep no manager from the report of the week, nor the admin from being asked."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from asking import Mailbox
from lap_world import CONFIG, CSAT, LapWorld

from connector.errors import MailUnavailable, MessageRefused
from connector.stages.deliver.breaker import too_many
from connector.store.surveys import mail_trouble

HELSINKI = ZoneInfo("Europe/Helsinki")
MANAGERS = [f"m{number}@acme.example" for number in range(5)]
REPORTS = f"""
[company]
timezone = "Europe/Helsinki"
working_hours = "mon-fri 08:00-17:00"
[admin]
email = "it@acme.example"
[reports]
weekly = "mon 08:00"
[web]
managers = {MANAGERS}
""".replace("'", '"')
RULE = CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner"]\nescalate = []\n'
REFUSED = MessageRefused("550 5.7.1 not here.", where="e-mail", remedy="Ask.")
DOWN = MailUnavailable("no answer.", where="e-mail", remedy="Wait.")


@pytest.fixture
def mailbox(world: LapWorld) -> Mailbox:
    """A week before the report is due; four unhappy customers of four reps are to be told of by then."""
    world.configure(RULE, config=CONFIG.replace("[web]\n", REPORTS, 1))
    world.lap()
    at(world, "2026-11-20T12:00")
    for invitation in world.ask_for_reps(4):
        world.answer(invitation, 1)
    world.mailbox.tries.clear()
    return world.mailbox


def at(world: LapWorld, moment: str) -> None:
    """Let it be that time of Helsinki, and run a lap."""
    wanted = datetime.fromisoformat(moment).replace(tzinfo=HELSINKI).astimezone(UTC)
    world.lap(after=wanted - world.clock.now())


def reported(mailbox: Mailbox) -> list[str]:
    return [message.to for message in mailbox.messages if message.subject.startswith("Customer feedback")]


def test_colleagues_whose_mail_is_refused_keep_no_manager_from_the_report(world: LapWorld, mailbox: Mailbox) -> None:
    mailbox.refuse = lambda message: REFUSED if message.to.startswith("rep-") else None
    at(world, "2026-11-23T08:05")
    assert sum(to.startswith("rep-") for to in mailbox.tries) == 3, "three in a row end the notices"
    assert reported(mailbox) == MANAGERS


def test_managers_whose_mail_is_refused_keep_no_other_from_it(world: LapWorld, mailbox: Mailbox) -> None:
    mailbox.refuse = lambda message: REFUSED if message.to in {*MANAGERS[:3], *REPS} else None
    at(world, "2026-11-23T08:05")
    assert reported(mailbox) == MANAGERS[3:]


def test_a_server_that_is_away_is_not_asked_once_more_for_a_report(world: LapWorld, mailbox: Mailbox) -> None:
    mailbox.refuse = lambda _message: DOWN
    at(world, "2026-11-23T08:05")
    assert len(mailbox.tries) == 1


def test_refused_customers_do_not_keep_the_admin_from_being_asked(world: LapWorld, mailbox: Mailbox) -> None:
    mailbox.refuse = lambda message: None if message.to == "it@acme.example" else REFUSED
    with world.store.write() as tx:
        mail_trouble.stop(tx, too_many(11, 20, "550 5.1.1 no such user", world.clock.now()))
    at(world, "2026-11-23T08:05")
    assert "it@acme.example" in [message.to for message in mailbox.messages]


REPS = {f"rep-{number}@acme.example" for number in range(4)}
