"""The same story beside HubSpot: from a ticket that is closed to what the rep sees, and the quiet after it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from databases import BOTH_DATABASES
from environment import DAY, HOUR, RULES, standing
from environment_hubspot import HubSpotEnvironment
from told_undo import told

from connector.commands import plan, undo
from connector.commands.check import checks
from connector.runtime.clock import SteppedClock

NOTHING = {"created": 0, "updated": 0, "refused": 0}


@pytest.fixture
def live(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[HubSpotEnvironment]:
    """An installation that went live on an empty account a minute ago."""
    with standing(HubSpotEnvironment, tmp_path, store_address, clock) as env:
        assert env.lap().exit_code == 0
        env.mark()
        yield env


@BOTH_DATABASES
def test_a_closed_ticket_leads_to_one_mail_fields_and_one_task_and_then_to_nothing(live: HubSpotEnvironment) -> None:
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
    assert shown["mood"] == "Last answer bad"
    # One answer is no number: the range would be wider than anybody could use.
    assert {"satisfaction", "satisfaction_from", "satisfaction_to"}.isdisjoint(shown)
    assert "Nobody called back." in shown["summary"]
    assert "Maria Virtanen" in shown["attention"]
    assert live.shows("contacts", maria)["last_rating"].startswith(f"1 of 5, very dissatisfied, ticket {ticket}")

    (task,) = live.tasks()
    assert task["hubspot_owner_id"] == rep
    assert task["hs_task_priority"] == "HIGH"
    assert "Maria Virtanen" in task["hs_task_subject"]
    assert set(live.org.associated("tasks", task["id"], "companies")) == {company}
    assert set(live.org.associated("tasks", task["id"], "contacts")) == {maria}
    assert set(live.org.associated("tasks", task["id"], "tickets")) == {ticket}
    assert task["hs_task_type"] == "CALL"
    assert f"/record/0-5/{ticket}" in task["hs_task_body"]

    live.mark()
    for _ in range(3):
        quiet = live.later(HOUR)
        written = quiet.as_json()["crm"]["acme"]["written"]
        assert (quiet.exit_code, quiet.sent, quiet.follow_ups) == (0, 0, 0)
        assert {name: written[name] for name in NOTHING} == NOTHING
    assert live.writes == []


def test_a_usual_portal_has_everything_that_the_usual_mapping_names(live: HubSpotEnvironment) -> None:
    problems = checks.check(live.installation).problems
    assert [problem for problem in problems if "hubspot.toml" in problem.where] == []


def test_a_ticket_is_closed_by_what_its_stage_means_in_any_pipeline_and_reopened_likewise(
    live: HubSpotEnvironment,
) -> None:
    stages = {"Closed": {"ticketState": "OPEN"}, "Waiting for us": {"ticketState": "CLOSED"}}
    pipeline, ids = live.org.new_pipeline("tickets", "Repairs", stages)
    company = live.account("Northwind")

    def ticket(who: str, stage: str) -> str:
        person = live.contact(company, f"{who} Virtanen", f"{who}@nw.example")
        made = live.case(company, person, hs_pipeline=pipeline, hs_pipeline_stage=ids["Closed"])
        live.org.update("tickets", made, {"hs_pipeline_stage": ids[stage]})
        return made

    ticket("called-closed", "Closed")
    ticket("done", "Waiting for us")
    again = ticket("again", "Waiting for us")
    assert live.later(HOUR).not_invited == {"delay": 2}
    live.org.update("tickets", again, {"hs_pipeline_stage": ids["Closed"]})
    assert live.later(HOUR).not_invited == {"reopened": 1}
    live.later(2 * DAY)
    assert [mail.to for mail in live.mailbox.mails] == ["done@nw.example"]
    live.org.update("tickets", again, {"hs_pipeline_stage": ids["Waiting for us"]})
    live.lap()
    live.later(DAY)
    assert [mail.to for mail in live.mailbox.mails] == ["done@nw.example", "again@nw.example"]


def test_observing_sends_and_writes_nothing_a_plan_shows_it_and_live_asks_only_about_what_ends_then(
    live: HubSpotEnvironment,
) -> None:
    live.configure(RULES.replace("after-case", "not-live-before"), mode="observe")
    company = live.account("Northwind")
    past = live.contact(company, "Past Person", "past@nw.example")
    live.close_case(live.case(company, past))
    for _ in range(2):
        report = live.later(DAY)
        assert (report.exit_code, report.sent) == (0, 0)
    assert (live.writes, live.mailbox.mails) == ([], [])
    seen = plan.look_back(live.installation, 90 * DAY).as_json()["surveys"]["not-live-before"]
    assert (seen["ended"], seen["would_ask"]) == (1, 1)

    live.configure(RULES.replace("after-case", "not-live-before"))
    assert live.lap().not_invited == {"before_go_live": 1}
    live.advance(HOUR)
    nina = live.contact(company, "Nina New", "nina@nw.example")
    live.close_case(live.case(company, nina))
    live.later(HOUR)
    live.advance(DAY)
    live.mark()
    planned = plan.next_lap(live.installation).as_json()
    assert (live.writes, live.mailbox.mails) == ([], [])
    live.lap()
    assert planned["mails"] == [{"to": mail.to, "subject": mail.subject} for mail in live.mailbox.mails]
    assert [mail.to for mail in live.mailbox.mails] == ["nina@nw.example"]
    live.answer(live.mailbox.mails[0], 1, "Nobody called back.")
    live.mark()
    writes = plan.next_lap(live.installation).as_json()["writes"]
    assert live.writes == []
    written = live.lap().as_json()["crm"]["acme"]["written"]
    actions = Counter(write["action"] for write in writes)
    assert (actions["create"], actions["update"]) == (written["created"], written["updated"])
    assert {write["object"] for write in writes} == {"companies", "contacts", "tasks"}


def test_a_quiet_lap_searches_once_for_each_object_and_writes_nothing(live: HubSpotEnvironment) -> None:
    live.org.configure(searches_per_s=0)  # a search that is refused and asked again would count twice
    for number in range(30):
        company = live.account(f"Account {number}")
        live.closed_case(company, live.contact(company, f"Person {number}", f"p{number}@nw.example"))
    live.later(HOUR)
    live.later(timedelta(minutes=5))
    live.advance(timedelta(minutes=5))
    mark = live.org.log.mark()
    report = live.lap()
    calls = live.org.log.since(mark)
    assert report.exit_code == 0
    asked = Counter(call.path.split("/")[-2] for call in calls if call.path.endswith("/search"))
    assert asked == dict.fromkeys(("companies", "contacts", "tickets", "calls", "meetings", "deals", "tasks"), 1)
    assert len(calls) == len(asked)


def test_with_a_search_that_lags_nothing_is_missed_and_no_task_is_made_twice(live: HubSpotEnvironment) -> None:
    live.org.configure(search_lag_s=10)
    company = live.account("Northwind")
    people = [live.contact(company, f"Person {number}", f"p{number}@nw.example") for number in range(3)]
    step = timedelta(seconds=4)
    for person in people:  # laps run while the searches do not show yet what happened
        live.close_case(live.case(live.account(f"Of {person}"), person))
        live.later(step)
    live.later(3 * step)
    live.later(DAY + HOUR)
    mails = list(live.mailbox.mails)
    assert sorted(mail.to for mail in mails) == [f"p{number}@nw.example" for number in range(3)]
    for mail in mails:
        live.answer(mail, 1, f"Thoughts of {mail.to}")
        live.org.faults.drop("after", path="/tasks/batch/create")  # it is made, and we are not told
        live.lap()
        live.org.faults.clear()
        live.later(step)
    for _ in range(4):
        live.later(timedelta(minutes=10))
    keys = [task.key for task in live.follow_ups()]
    assert len(keys) == len(set(keys)) == len(people)
    live.mark()
    live.later(HOUR)
    assert live.writes == []


def test_a_completed_task_closes_the_follow_up(live: HubSpotEnvironment) -> None:
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


def test_a_reopened_ticket_is_not_asked_about(live: HubSpotEnvironment) -> None:
    company = live.account("Northwind")
    ticket = live.case(company, live.contact(company, "Maria Virtanen", "maria@nw.example"))
    live.close_case(ticket)
    live.later(HOUR)
    live.reopen(ticket)
    live.later(2 * DAY)
    assert live.mailbox.mails == []


def test_a_company_that_is_associated_later_is_noticed(live: HubSpotEnvironment) -> None:
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


def test_merged_companies_keep_their_answers(live: HubSpotEnvironment) -> None:
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


def test_the_last_write_back_is_taken_back_here_too(live: HubSpotEnvironment) -> None:
    company = live.account("Northwind", owner=live.org.add_owner("Ritva Laine", "ritva@acme.example"))
    live.advance(HOUR)
    live.close_case(live.case(company, live.contact(company, "Maria Virtanen", "maria@nw.example")))
    live.later(DAY)
    live.later(DAY)
    live.answer(live.mailbox.mails[0], 1, "Nobody called back.\nTwice.")
    live.lap()
    assert live.shows("companies", company)["people"] == "1"
    undone = told(undo.carry_out, live.installation)
    assert (undone.exit_code, [step.left for step in undone.steps if step.left]) == (0, [])
    assert not any(live.shows("companies", company).values())
    (task,) = live.tasks()
    assert (task["hs_task_status"], task["afterword_outcome"]) == ("COMPLETED", "No action needed")
