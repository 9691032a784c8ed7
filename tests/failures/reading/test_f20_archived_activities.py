"""Salesforce archives old activities; an ordinary query no longer shows them."""

from datetime import timedelta

from environment import Environment
from incidents import rows

from connector.store import tables


def test_a_call_that_was_archived_is_read_like_any_other(new_acme: Environment) -> None:
    account = new_acme.account("Northwind")
    contact = new_acme.contact(account, "Maria Virtanen", "maria@nw.example")
    ended = new_acme.clock.now() - timedelta(days=500)
    values = {"Status": "Completed", "TaskSubtype": "Call", "WhoId": contact, "WhatId": account, "Subject": "Call"}
    call = new_acme.org.insert("Task", {**values, "IsArchived": True}, at=ended)
    new_acme.lap()
    assert [row.ref for row in rows(new_acme, tables.interaction)] == [f"Task/{call}"]
