"""Marks on addresses can be seen, and taken off: what the mail server refused is sent after all, once."""

import json
from datetime import timedelta

import pytest
from databases import BOTH_DATABASES
from environment import Environment

from connector.store.surveys import bounces

CASES = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\n'
NO_MAILBOX = "550 5.1.1 No such user here"


@pytest.fixture
def marked(today: Environment) -> Environment:
    """Three people were asked; the mail server said of two that they do not exist."""
    today.configure(CASES)
    assert today.command("sync").code == 0
    account = today.account("Northwind")
    for name in ("ann", "bea", "cyd"):
        today.closed_case(account, today.contact(account, f"{name.title()} Person", f"{name}@nw.example"))
    today.mailbox.refused |= {"bea@nw.example": NO_MAILBOX, "cyd@nw.example": NO_MAILBOX}
    assert today.command("sync").code == 0
    today.mailbox.refused.clear()
    today.mailbox.mails.clear()
    return today


def listed(env: Environment) -> dict[str, str]:
    """Return the reasons by address, as `bounces list --json` has them."""
    done = env.command("bounces", "list", "--json")
    assert done.code == 0, done.err
    return {one["addresses"][0]: one["reason"] for one in json.loads(done.out)["bounces"]}


def test_a_mark_is_listed_and_taken_off_one_address(marked: Environment) -> None:
    assert set(listed(marked)) == {"bea@nw.example", "cyd@nw.example"}
    assert all(NO_MAILBOX in reason for reason in listed(marked).values())
    shown = marked.command("bounces", "list").out
    assert "bea@nw.example (Bea Person), since" in shown
    assert marked.command("sync").code == 0
    assert marked.mailbox.mails == []
    assert marked.command("bounces", "lift", "Bea@NW.example").out == "1 mark taken off.\n"
    assert set(listed(marked)) == {"cyd@nw.example"}
    marked.command("sync")
    marked.command("sync")
    assert [mail.to for mail in marked.mailbox.mails] == ["bea@nw.example"]


@BOTH_DATABASES
def test_all_marks_since_a_time_are_taken_off(marked: Environment) -> None:
    assert marked.command("bounces", "lift", "--since", "1h").out == "2 marks taken off.\n"
    assert listed(marked) == {}
    assert marked.command("bounces", "list").out == "No address is marked.\n"
    marked.command("sync")
    marked.command("sync")
    assert sorted(mail.to for mail in marked.mailbox.mails) == ["bea@nw.example", "cyd@nw.example"]


def test_marks_that_are_older_stay(marked: Environment) -> None:
    now = marked.clock.now()
    with marked.installation.store.write() as tx:
        assert bounces.lift_since(tx, now + timedelta(minutes=1), now, ended_since=now) == 0
    assert len(listed(marked)) == 2


def test_what_cannot_be_taken_off_is_said(marked: Environment) -> None:
    for words in (
        ("nobody@nw.example",),
        ("ann@nw.example",),
        (),
        ("bea@nw.example", "--since", "1h"),
        ("--since", "soon"),
    ):
        done = marked.command("bounces", "lift", *words)
        assert done.code == 2, words
        assert "bounces lift" in done.err or "--since" in done.err
        assert "Traceback" not in done.err
    assert len(listed(marked)) == 2
