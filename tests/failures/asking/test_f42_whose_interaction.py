"""An interaction counts for the account that it names, else for its person's first one; and nothing of that is ever changed."""

from environment import DAY, HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from incidents import people, rows

from connector.store import tables


def test_a_persons_first_company_stays_first_and_counts_only_where_nothing_else_is_said(
    hub: HubSpotEnvironment,
) -> None:
    other = hub.account("Southwind")
    first = hub.account("Northwind")
    contact = hub.org.insert("contacts", {"firstname": "Maria", "lastname": "Virtanen", "email": "maria@nw.example"})
    hub.org.associate("contacts", contact, "companies", other, 279)
    hub.org.associate("contacts", contact, "companies", first, 1)
    before = hub.org.associated("contacts", contact, "companies")
    named = hub.org.insert("tickets", {"hs_pipeline": "0", "hs_pipeline_stage": "1", "subject": "Named"})
    hub.org.associate("tickets", named, "contacts", contact)
    hub.org.associate("tickets", named, "companies", other)
    bare = hub.org.insert("tickets", {"hs_pipeline": "0", "hs_pipeline_stage": "1", "subject": "Bare"})
    hub.org.associate("tickets", bare, "contacts", contact)
    hub.close_case(named)
    hub.later(HOUR)
    hub.later(DAY)
    hub.answer(hub.mailbox.mails[0], 1)
    hub.close_case(bare)
    hub.later(2 * HOUR)
    assert {row.ref.partition("/")[2]: row.account_ref for row in rows(hub, tables.interaction)} == {
        named: f"companies/{other}",
        bare: f"companies/{first}",
    }
    assert (people(hub, other), people(hub, first)) == (1, 0)
    assert len(hub.tasks()) == 1
    assert hub.org.associated("contacts", contact, "companies") == before


def test_a_case_counts_for_its_own_account_and_not_for_that_of_its_contact(either: Environment) -> None:
    names = ("Northwind", "Northwind")
    at_home, named = (either.account(name) for name in names)
    contact = either.contact(at_home, "Maria Virtanen", "maria@nw.example")
    either.close_case(either.case(named, contact))
    either.later(HOUR)
    either.later(DAY)
    either.answer(either.mailbox.mails[0], 4)
    either.lap()
    assert (people(either, named), people(either, at_home)) == (1, 0)


def test_everybody_who_took_part_is_kept(acme: Environment) -> None:
    account = acme.account("Northwind")
    who = [acme.contact(account, name, f"{name.lower()}@nw.example") for name in ("Ann", "Bea", "Cid")]
    values = {"Subject": "Check-in", "TaskSubtype": "Call", "Status": "Completed", "WhoId": who[2], "WhatId": account}
    call = acme.org.insert("Task", values)
    for one in who[:2]:
        acme.org.insert("TaskRelation", {"TaskId": call, "RelationId": one})
    acme.later(HOUR)
    (row,) = rows(acme, tables.interaction)
    assert list(row.contact_refs) == [f"Contact/{one}" for one in (who[2], who[0], who[1])]
