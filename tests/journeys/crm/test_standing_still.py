"""Scores move only when something happened, and only where it happened. Nobody but a person answers."""

import random
from typing import Any

import pytest
import requests
from databases import BOTH_DATABASES
from environment import AFTER_CASE, DAY, HOUR, RULES, UNHAPPY, Environment
from sqlalchemy import func, select

from connector.store import tables

ACCOUNTS = 6
RECORDED = (tables.response, tables.rating, tables.follow_up, tables.person, tables.interaction)


@pytest.fixture
def book(live: Environment) -> Environment:
    """A few accounts, each with answers of two people, all of it in the CRM."""
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    for number in range(ACCOUNTS):
        account = live.account(f"Account {number:02}")
        for person in range(2):
            live.closed_case(account, live.contact(account, f"P{person} Of{number}", f"p{person}.{number}@nw.example"))
    live.lap()
    live.later(DAY)
    assert len(live.mailbox.mails) == 2 * ACCOUNTS
    live.advance(HOUR)
    for mail in live.mailbox.mails:
        live.answer(mail, dice.choice([1, 2, 3, 4, 4, 5, 5, 5]), "What I think.")
    assert live.lap().scored == ACCOUNTS
    return live


def shown(env: Environment) -> dict[str, dict[str, Any]]:
    return {row["Id"]: env.shows("Account", row["Id"]) for row in env.org.rows("Account")}


@BOTH_DATABASES
def test_one_answer_changes_its_own_account_and_no_other(book: Environment) -> None:
    mine = book.org.rows("Account", Name="Account 04")[0]["Id"]
    somebody = book.contact(mine, "Nina New", "nina@nw.example")
    book.closed_case(mine, somebody)
    book.lap()
    book.later(DAY)
    (mail,) = book.mailbox.to("nina@nw.example")
    book.advance(HOUR)
    book.lap()
    before = shown(book)
    book.mark()
    book.answer(mail, 5, "Good at last.")
    report = book.lap()
    after = shown(book)
    assert [account for account in after if after[account] != before[account]] == [mine]
    assert after[mine]["People"] == before[mine]["People"] + 1
    assert after[mine]["Last_Answer"] > before[mine]["Last_Answer"]
    assert report.scored == 1
    assert {(call.sobject, call.rows) for call in book.writes} == {("Account", 1), ("Contact", 1)}


def test_ten_quiet_days_with_a_lap_each_write_nothing(book: Environment) -> None:
    # No number comes or goes because its range does, and in the first night there are answers to fit a prior on.
    book.configure(RULES + "[scoring]\nwidest = 100\n")
    # Whoever looks after the unhappy is told that the calls are overdue, once.
    for _ in range(5):
        book.later(DAY)
    before = shown(book)
    book.mark()
    for _ in range(10):
        assert book.later(DAY).exit_code == 0
    assert shown(book) == before
    assert (book.writes, book.mailbox.mails) == ([], [])


def test_no_scanner_that_follows_every_link_records_anything(live: Environment) -> None:
    live.configure(AFTER_CASE + 'reminder_after = "4d"\n' + UNHAPPY + 'notify = ["account_owner"]\n')
    rep = live.org.add_user("Ritva Laine", "ritva@acme.example")
    account = live.account("Northwind", owner=rep)
    live.closed_case(account, live.contact(account, "Ann", "ann@nw.example"))
    live.lap()
    live.later(DAY)
    live.later(5 * DAY)
    live.answer(live.mailbox.mails[0], 1, "Slow.")
    live.lap()
    mails = live.mailbox.mails
    assert [mail.to for mail in mails] == ["ann@nw.example", "ann@nw.example", "ritva@acme.example"]
    links = sorted({link for mail in mails for link in mail.links if link.startswith(live.web)})
    assert len([link for link in links if "rating=" in link]) == 5
    assert any(link.endswith("/unsubscribe") for link in links)
    assert any("/accounts/" in link for link in links)
    before = counts(live)
    with requests.Session() as scanner:
        for number in range(8):
            method = "HEAD" if number % 4 == 3 else "GET"
            for link in links:
                answer = scanner.request(method, link, timeout=300)
                assert answer.status_code < 500
    assert counts(live) == before
    assert len(live.answered) == 1
    live.mark()
    live.lap()
    assert (live.writes, live.mailbox.mails) == ([], [])


def counts(env: Environment) -> list[Any]:
    """Return all that an answer, or a stop, would have left behind."""
    with env.installation.store.read() as tx:
        counts: list[Any] = [tx.execute(select(func.count()).select_from(table)).scalar_one() for table in RECORDED]
        people = tables.person
        outs = select(func.count()).select_from(people).where(people.c.opted_out_at.is_not(None))
        return [*counts, tx.execute(outs).scalar_one()]
