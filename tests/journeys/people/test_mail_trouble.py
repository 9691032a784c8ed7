"""A mail server that refuses, is down, or hangs up: no invitation is lost, none is sent twice, and it can be seen."""

from collections import Counter
from datetime import timedelta

import pytest
from environment import AFTER_CASE, DAY, HOUR, Environment

from tests.adapters.email.mail_servers import SCRIPT, Broken, broken_server

PEOPLE = ("ann", "bea", "cyd")


@pytest.fixture
def due(live: Environment) -> dict[str, str]:
    """Three people who are to be asked in the next lap; their contacts by name."""
    live.configure(AFTER_CASE)
    account = live.account("Northwind")
    contacts = {name: live.contact(account, f"{name.title()} Person", f"{name}@nw.example") for name in PEOPLE}
    for contact in contacts.values():
        live.closed_case(account, contact)
    live.lap()
    live.advance(DAY)
    return contacts


def got(env: Environment) -> Counter[str]:
    """Count the mails that each person got."""
    return Counter(mail.to.partition("@")[0] for mail in env.mailbox.mails)


def ask_elsewhere(env: Environment, port: int) -> None:
    """Let mail go through another server."""
    env.mail_port = port
    env.configure(AFTER_CASE)


def test_a_refused_mailbox_is_not_written_to_again_and_the_others_get_theirs(
    live: Environment, due: dict[str, str]
) -> None:
    live.mailbox.refused["bea@nw.example"] = "550 5.1.1 No such user here"
    report = live.lap()
    assert (report.exit_code, report.sent) == (0, 2)
    assert got(live) == {"ann": 1, "cyd": 1}
    (bounced,) = live.status()["bounced"]
    assert bounced["to"] == "bea@nw.example"
    assert "No such user here" in bounced["what"]
    assert "bounced" in live.why(due["bea"])
    live.mailbox.refused.clear()
    live.closed_case(live.record("Contact", due["bea"])["AccountId"], due["bea"])
    assert live.lap().not_invited == {"bad_address": 1}
    live.later(3 * DAY)
    assert got(live) == {"ann": 1, "cyd": 1}
    assert live.status()["queues"]["invitations_due"] == 0


def test_a_corrected_address_is_asked_again(live: Environment, due: dict[str, str]) -> None:
    live.mailbox.refused["bea@nw.example"] = "550 5.1.1 No such user here"
    live.lap()
    live.org.update("Contact", due["bea"], {"Email": "beatrice@nw.example"})
    live.closed_case(live.record("Contact", due["bea"])["AccountId"], due["bea"])
    live.lap()
    live.later(DAY)
    assert got(live) == {"ann": 1, "cyd": 1, "beatrice": 1}


def test_while_the_server_is_down_everything_waits_and_then_goes_out_once(
    live: Environment, due: dict[str, str]
) -> None:
    here = live.mail_port
    ask_elsewhere(live, 9)  # nobody listens there
    report = live.lap()
    assert (report.exit_code, report.sent) == (1, 0)
    assert report.mail_error is not None
    assert report.mail_error.remedy
    assert live.status()["queues"]["invitations_due"] == 3
    assert live.status()["mail_error"]
    live.later(HOUR)
    ask_elsewhere(live, here)
    for _ in range(3):
        live.later(HOUR)
    assert got(live) == dict.fromkeys(PEOPLE, 1)
    assert live.status()["queues"]["invitations_due"] == 0
    assert live.status()["mail_error"] is None
    assert "after" in live.why(due["ann"]) + live.why(due["bea"]) + live.why(due["cyd"])


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_up_before_the_message_has_got_nothing(
    live: Environment, due: dict[str, str], moment: str
) -> None:
    here = live.mail_port
    with broken_server(Broken({**SCRIPT, moment: None})) as port:
        ask_elsewhere(live, port)
        report = live.lap()
        assert (report.exit_code, report.sent) == (1, 0)
        live.close()
    assert live.status()["in_doubt"] == []
    ask_elsewhere(live, here)
    for _ in range(3):
        live.later(HOUR)
    assert got(live) == dict.fromkeys(PEOPLE, 1)


def test_a_server_that_hangs_up_in_the_middle_of_the_message_gets_none_twice(
    live: Environment, due: dict[str, str]
) -> None:
    here = live.mail_port
    with broken_server(Broken({**SCRIPT, "body": None})) as port:
        ask_elsewhere(live, port)
        assert live.lap().sent == 0
        live.close()
    # Whether we had handed over the last byte when it hung up is up to the network: then it is in doubt, else it is sent again.
    doubts = {one["to"].partition("@")[0] for one in live.status()["in_doubt"]}
    ask_elsewhere(live, here)
    for _ in range(3):
        live.later(HOUR)
    assert got(live) == dict.fromkeys(set(PEOPLE) - doubts, 1)


def test_a_server_that_hangs_up_after_the_final_dot_leaves_the_mail_in_doubt_and_it_is_not_sent_again(
    live: Environment, due: dict[str, str]
) -> None:
    here = live.mail_port
    broken = Broken({**SCRIPT, ".": None})
    with broken_server(broken) as port:
        ask_elsewhere(live, port)
        live.lap()
        live.close()
    doubts = [one["to"].partition("@")[0] for one in live.status()["in_doubt"]]
    assert len(doubts) == broken.dots
    assert doubts
    for name in doubts:
        assert "not sent again" in live.why(due[name])
    ask_elsewhere(live, here)
    for _ in range(5):
        live.later(DAY)
    assert got(live) == Counter(set(PEOPLE) - set(doubts))


def test_a_server_that_is_busy_is_asked_again_later(live: Environment, due: dict[str, str]) -> None:
    live.mailbox.refused["bea@nw.example"] = "451 4.7.1 Greylisted, try again in five minutes"
    live.lap()
    live.mailbox.refused.clear()
    live.later(timedelta(minutes=1))
    for _ in range(3):
        live.later(HOUR)
    assert got(live) == dict.fromkeys(PEOPLE, 1)
    assert live.status()["bounced"] == []
