"""What people do to the records that Afterword knows: delete, merge, close."""

from datetime import timedelta

import pytest
from environment import DAY, HOUR, Environment


@pytest.fixture
def unhappy(live: Environment) -> dict[str, str]:
    """A customer who answered 1 of 5, and is to be called."""
    rep = live.org.add_user("Ritva Laine", "ritva@acme.example")
    account = live.account("Northwind", owner=rep)
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    case = ask(live, account, maria)
    live.answer(live.mailbox.mails[-1], 1, "Nobody called back.")
    live.lap()
    (task,) = live.tasks()
    assert live.shows("Account", account)["Attention"]
    live.mark()
    return {"account": account, "contact": maria, "case": case, "task": task["Id"]}


def ask(env: Environment, account: str, contact: str) -> str:
    """Let a case be closed, and its contact be asked."""
    case = env.closed_case(account, contact)
    env.later(HOUR)
    assert env.later(DAY).sent == 1
    return case


def test_a_merged_accounts_answers_count_for_the_survivor(live: Environment) -> None:
    loser, winner = live.account("Nordwind"), live.account("Northwind")
    for account, who, rating in ((loser, "ann", 2), (winner, "bea", 5)):
        ask(live, account, live.contact(account, who.title(), f"{who}@nw.example"))
        live.answer(live.mailbox.to(f"{who}@nw.example")[0], rating, f"{who} says so")
    live.lap()
    assert live.shows("Account", winner)["People"] == 1
    live.advance(HOUR)
    live.org.merge("Account", winner, [loser])
    live.lap()
    shown = live.shows("Account", winner)
    assert shown["People"] == 2
    assert "ann says so" in shown["Summary"] or "bea says so" in shown["Summary"]
    live.mark()
    live.later(HOUR)
    assert live.writes == []


def test_an_answer_after_the_merge_is_written_to_the_survivor(live: Environment) -> None:
    loser, winner = live.account("Nordwind"), live.account("Northwind")
    ask(live, loser, live.contact(loser, "Ann", "ann@nw.example"))
    live.advance(HOUR)
    live.org.merge("Account", winner, [loser])
    live.later(HOUR)
    live.answer(live.mailbox.mails[0], 1, "Slow.")
    live.lap()
    assert live.shows("Account", winner)["People"] == 1
    assert [task["WhatId"] for task in live.tasks()] == [winner]


def test_the_open_task_of_a_merged_account_is_the_survivors_and_the_only_one(
    live: Environment, unhappy: dict[str, str]
) -> None:
    winner = live.account("Northwind Group")
    live.later(HOUR)
    live.org.merge("Account", winner, [unhappy["account"]])
    live.later(HOUR)
    assert [task["Id"] for task in live.tasks()] == [unhappy["task"]]
    assert live.shows("Account", winner)["Attention"]
    live.mark()
    live.later(HOUR)
    assert live.writes == []


def test_a_deleted_contact_is_not_asked(live: Environment) -> None:
    account = live.account("Northwind")
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    live.closed_case(account, maria)
    live.later(HOUR)
    live.org.delete("Contact", maria)
    live.later(HOUR)
    live.later(2 * DAY)
    assert live.mailbox.mails == []
    assert "deleted" in live.why(maria)


def test_a_contact_deleted_just_before_the_mail_goes_out_is_not_asked(live: Environment) -> None:
    account = live.account("Northwind")
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    live.closed_case(account, maria)
    live.later(HOUR)
    live.advance(DAY)
    live.org.delete("Contact", maria)
    live.lap()
    live.later(DAY)
    assert live.mailbox.mails == []


def test_a_deleted_case_is_not_asked_about(live: Environment) -> None:
    account = live.account("Northwind")
    case = live.closed_case(account, live.contact(account, "Maria Virtanen", "maria@nw.example"))
    live.later(HOUR)
    live.org.delete("Case", case)
    live.later(HOUR)
    live.later(2 * DAY)
    assert live.mailbox.mails == []


def test_a_task_deleted_in_the_crm_is_not_made_again(live: Environment, unhappy: dict[str, str]) -> None:
    live.advance(HOUR)
    live.org.delete("Task", unhappy["task"])
    for _ in range(3):
        live.later(HOUR)
    assert live.tasks() == []
    assert live.status()["queues"]["follow_ups_waiting_for_outcome"] == 1
    assert live.shows("Account", unhappy["account"]).get("Attention")


@pytest.mark.parametrize("outcome", ["Solved", "No action needed"])
def test_a_task_closed_in_the_crm_closes_the_follow_up(
    live: Environment, unhappy: dict[str, str], outcome: str | None
) -> None:
    live.advance(HOUR)
    live.org.update("Task", unhappy["task"], {"Status": "Completed", "Afterword_Outcome__c": outcome})
    live.later(timedelta(minutes=10))
    assert live.status()["queues"]["follow_ups_open"] == 0
    assert not live.shows("Account", unhappy["account"]).get("Attention")
    assert len(live.tasks()) == 1
    live.mark()
    live.later(HOUR)
    assert live.writes == []


def test_a_deleted_account_is_left_alone(live: Environment, unhappy: dict[str, str]) -> None:
    live.advance(HOUR)
    live.org.delete("Case", unhappy["case"])  # Salesforce keeps an account that has cases
    live.org.delete("Account", unhappy["account"])
    live.mark()
    for _ in range(3):
        assert live.later(DAY).exit_code == 0
    assert (live.writes, live.mailbox.mails) == ([], [])
