"""Several people in one interaction, and people who are their own account, on a whole pretend Salesforce."""

from datetime import timedelta
from typing import Any

from environment import DAY, HOUR, UNHAPPY, Environment

from adapters.sandbox.salesforce.org import persons
from connector.store import tables

RULES = "".join(
    f'[surveys.after-{kind}]\non = "{event}"\ndelay = "0s"\n'
    for kind, event in (
        ("case", "case.closed"),
        ("call", "call.held"),
        ("meeting", "meeting.held"),
        ("deal", "deal.won"),
    )
)


def stored(env: Environment, ref: str) -> list[str]:
    with env.installation.store.read() as tx:
        row: Any = tx.execute(tables.interaction.select().where(tables.interaction.c.ref == ref)).one()
    return list(row.contact_refs)


def test_everybody_who_took_part_is_kept_and_the_first_who_may_be_is_asked(live: Environment) -> None:
    live.configure(RULES + UNHAPPY)
    live.lap()
    account = live.account("Northwind")
    who = [live.contact(account, name, f"{name.lower()}@nw.example") for name in ("Ann", "Bea", "Cid")]
    live.org.update("Contact", who[2], {"Email": None})
    live.advance(HOUR)
    values = {"Subject": "Check-in", "TaskSubtype": "Call", "Status": "Completed", "WhoId": who[2], "WhatId": account}
    call = live.org.insert("Task", values)
    for one in (who[1], who[0]):
        live.org.insert("TaskRelation", {"TaskId": call, "RelationId": one})
    live.later(timedelta(minutes=10))
    assert stored(live, f"Task/{call}") == [f"Contact/{one}" for one in (who[2], who[0], who[1])]
    assert [mail.to for mail in live.mailbox.mails] == ["ann@nw.example"]
    live.later(DAY)
    assert len(live.mailbox.mails) == 1


def test_a_person_account_is_an_account_and_its_contact_in_one(live: Environment) -> None:
    persons.switch_on(live.org)
    live.configure(RULES + UNHAPPY)
    live.lap()
    account, contact = persons.add(live.org, "Maria", "Virtanen", email="maria@home.example")
    live.advance(HOUR)
    case = live.org.insert("Case", {"AccountId": account, "Subject": "It does not start"})
    live.close_case(case)
    live.later(timedelta(minutes=10))
    assert stored(live, f"Case/{case}") == [f"Contact/{contact}"]
    assert [mail.to for mail in live.mailbox.mails] == ["maria@home.example"]
    live.answer(live.mailbox.mails[0], 1, "Nobody called back.")
    live.later(timedelta(minutes=10))
    assert live.shows("Account", account)["People"] == 1
    assert live.shows("Contact", contact)["Last_Rating"].startswith("1 of 5")
    assert [(task["WhatId"], task["WhoId"]) for task in live.tasks()] == [(account, contact)]


def test_after_a_deal_its_primary_contact_is_asked_though_the_role_came_later(live: Environment) -> None:
    live.configure(RULES + UNHAPPY)
    live.lap()
    account = live.account("Northwind")
    who = [live.contact(account, name, f"{name.lower()}@nw.example") for name in ("Ann", "Bea")]
    live.advance(HOUR)
    values = {"AccountId": account, "Name": "Renewal", "StageName": "Prospecting", "CloseDate": "2026-12-01"}
    deal = live.org.insert("Opportunity", values)
    live.org.update("Opportunity", deal, {"StageName": "Closed Won"})
    live.later(timedelta(minutes=10))
    assert live.mailbox.mails == []
    live.org.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": who[0]})
    live.org.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": who[1], "IsPrimary": True})
    live.later(timedelta(hours=2))
    assert stored(live, f"Opportunity/{deal}") == [f"Contact/{who[1]}", f"Contact/{who[0]}"]
    assert [mail.to for mail in live.mailbox.mails] == ["bea@nw.example"]
