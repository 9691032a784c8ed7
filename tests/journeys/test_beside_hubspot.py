"""The same story beside HubSpot: from a ticket that is closed to what the rep sees, and the quiet after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import DAY, HOUR, standing
from house_hubspot import HubSpotHouse

from connector import checking
from connector.clock import SteppedClock

NOTHING = {"created": 0, "updated": 0, "refused": 0}


@pytest.fixture
def live(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[HubSpotHouse]:
    """An installation that went live on an empty account a minute ago."""
    with standing(HubSpotHouse, tmp_path, store_address, clock) as house:
        assert house.lap().exit_code == 0
        house.mark()
        yield house


def test_a_closed_ticket_leads_to_one_mail_fields_and_one_task_and_then_to_nothing(live: HubSpotHouse) -> None:
    rep = live.org.add_owner("Ritva Laine", "ritva@acme.example")
    live.advance(2 * HOUR)
    company = live.account("Northwind", owner=rep)
    maria = live.contact(company, "Maria Virtanen", "maria@nw.example")
    ticket = live.case(company, maria)
    live.advance(HOUR)
    live.close_case(ticket)
    assert live.later(HOUR).sent == 0
    assert live.later(DAY).sent == 1
    (mail,) = live.mailbox.mails
    live.advance(HOUR)
    live.answer(mail, 1, "Nobody called back.")
    assert live.lap().follow_ups == 1

    shown = live.shows("companies", company)
    assert shown["people"] == "1"
    assert shown["mood"] == "Too few answers"
    assert 0 <= int(shown["satisfaction_from"]) <= int(shown["satisfaction"]) <= int(shown["satisfaction_to"]) <= 100
    assert "Nobody called back." in shown["summary"]
    assert "Maria Virtanen" in shown["attention"]
    assert live.shows("contacts", maria)["last_rating"].startswith(f"1 of 5, ticket {ticket}")

    (task,) = live.tasks()
    assert task["hubspot_owner_id"] == rep
    assert task["hs_task_priority"] == "HIGH"
    assert "Maria Virtanen" in task["hs_task_subject"]
    assert set(live.org.associated("tasks", task["id"], "companies")) == {company}
    assert set(live.org.associated("tasks", task["id"], "contacts")) == {maria}

    live.mark()
    for _ in range(3):
        quiet = live.later(HOUR)
        written = quiet.as_json()["crm"]["acme"]["written"]
        assert (quiet.exit_code, quiet.sent, quiet.follow_ups) == (0, 0, 0)
        assert {name: written[name] for name in NOTHING} == NOTHING
    assert live.writes == []


def test_a_usual_portal_has_everything_that_the_usual_mapping_names(live: HubSpotHouse) -> None:
    found = checking.check(live.installation).problems
    assert [problem for problem in found if "hubspot.toml" in problem.where] == []


def test_a_completed_task_closes_the_follow_up(live: HubSpotHouse) -> None:
    company = live.account("Northwind")
    maria = live.contact(company, "Maria Virtanen", "maria@nw.example")
    ticket = live.case(company, maria)
    live.close_case(ticket)
    live.lap()
    live.later(DAY + HOUR)
    live.answer(live.mailbox.mails[0], 1)
    live.lap()
    (task,) = live.tasks()
    assert live.shows("companies", company)["attention"]
    live.org.update("tasks", task["id"], {"hs_task_status": "COMPLETED", "afterword_outcome": "Solved"})
    live.later(HOUR)
    live.later(HOUR)
    assert not live.shows("companies", company).get("attention")


def test_a_reopened_ticket_is_not_asked_about(live: HubSpotHouse) -> None:
    company = live.account("Northwind")
    ticket = live.case(company, live.contact(company, "Maria Virtanen", "maria@nw.example"))
    live.close_case(ticket)
    live.later(HOUR)
    live.reopen(ticket)
    live.later(2 * DAY)
    assert live.mailbox.mails == []


def test_a_company_that_is_associated_later_is_noticed(live: HubSpotHouse) -> None:
    company = live.account("Northwind")
    maria = live.contact(company, "Maria Virtanen", "maria@nw.example")
    ticket = live.org.insert("tickets", {"subject": "x", "hs_pipeline": "0", "hs_pipeline_stage": "4"})
    live.later(HOUR)
    live.org.configure(activities_touch=False)
    live.org.associate("tickets", ticket, "companies", company)
    live.org.associate("tickets", ticket, "contacts", maria)
    live.later(2 * HOUR)
    live.later(DAY)
    assert [mail.to for mail in live.mailbox.mails] == ["maria@nw.example"]


def test_merged_companies_keep_their_answers(live: HubSpotHouse) -> None:
    one, two = live.account("Northwind"), live.account("Northwind Ltd")
    for company, name in ((one, "Maria"), (two, "Pekka")):
        person = live.contact(company, f"{name} Virtanen", f"{name}@nw.example")
        live.close_case(live.case(company, person))
    live.lap()
    live.later(DAY + HOUR)
    for mail in list(live.mailbox.mails):
        live.answer(mail, 5)
    live.lap()
    assert live.shows("companies", one)["people"] == "1"
    survivor = live.org.merge("companies", one, [two])
    live.later(HOUR)
    live.later(HOUR)
    assert live.shows("companies", survivor)["people"] == "2"
