"""An access token may end between any two calls of a lap: whichever call meets with it is made again with a new one."""

import pytest
from environment import Environment
from environment_renewing import Renewing
from incidents import asked, names, rows, tiny_pages

from adapters.salesforce.records import bulk_reader
from connector.store import tables

SIDE_CALLS = {"salesforce": r"/query/", "hubspot": r"associations/.*/batch/read"}
"""Calls that follow from others: the next page of a listing, and what belongs to the records of a page."""


def test_a_side_call_of_a_reader_renews_the_token_and_nothing_is_left_out(renewing: Renewing) -> None:
    env = renewing.env
    for number in range(3):
        env.contact(env.account(f"Account {number}"), f"P{number}", f"p{number}@nw.example")
    tiny_pages(env)
    ended = env.org.faults.expire_token(path=SIDE_CALLS[renewing.kind])
    report = env.lap()
    assert (ended.hits, report.exit_code) == (1, 0)
    assert renewing.exchanges == 2
    assert len(names(env)) == 3
    assert len([row for row in rows(env, tables.contact) if row.account_ref]) == 3


def test_a_write_that_met_an_ended_token_is_made_once(acme: Environment) -> None:
    who = asked(acme)
    acme.answer(acme.mailbox.mails[0], 1, "Nobody called back.")
    ended = acme.org.faults.expire_token(path=r"composite/sobjects")
    report = acme.lap()
    assert (ended.hits, report.exit_code) == (1, 0)
    assert acme.figures("Account", who["account"])["people"] == 1
    assert len(acme.tasks()) == 1


def test_the_file_of_an_order_is_fetched_with_a_new_token(acme: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_reader, "LEAST", 2)  # as with many thousands, in less time
    monkeypatch.setattr(bulk_reader, "SCARCE", 0)
    tiny_pages(acme)
    made = {f"Account {number}" for number in range(6)}
    for name in made:
        acme.account(name)
    ended = acme.org.faults.expire_token(path=r"jobs/query/.*/results")
    report = acme.lap()
    assert (ended.hits, report.exit_code) == (1, 0)
    assert names(acme) == made
    assert report.pulled["acme"].counts["account"].read == 6
