"""A record that was deleted or archived in the CRM is gone for us too: its people are not asked, its answers are kept."""

import pytest
from environment import DAY, HOUR, Environment
from incidents import asked, delete, names, rows

from connector.store import tables


@pytest.mark.parametrize("kind", ["Contact", "Case"])
def test_nobody_is_asked_about_what_was_deleted(either: Environment, kind: str) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    case = either.case(account, contact)
    either.close_case(case)
    either.later(2 * HOUR)
    delete(either, kind, contact if kind == "Contact" else case)
    either.later(2 * HOUR)
    gone = tables.contact if kind == "Contact" else tables.interaction
    assert [row.deleted_at is not None for row in rows(either, gone)] == [True]
    either.later(2 * DAY)
    assert either.mailbox.mails == []


def test_a_deleted_account_is_not_there_any_more_and_is_not_written(either: Environment) -> None:
    who = asked(either, 4)
    assert names(either) == {"Northwind"}
    either.advance(2 * HOUR)
    delete(either, "Case", who["case"])  # Salesforce keeps an account that has cases
    delete(either, "Account", who["account"])
    either.mark()
    for _ in range(3):
        assert either.later(2 * HOUR).exit_code == 0
    assert names(either) == set()
    assert either.writes == []
