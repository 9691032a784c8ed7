"""What a follow-up's task says stays true: it leads with what the record leads with, names no past time, and says why it ended."""

from datetime import timedelta
from typing import Any

import pytest
from beginnings import Begin, live
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld

from connector.model import Ref
from connector.sentences.catalogue import catalogue
from connector.stages.follow_up.texts import MOST
from connector.store import tables
from connector.store.results import follow_ups

OUTCOME = "Afterword_Outcome__c"


def only(world: LapWorld) -> Any:
    (row,) = world.rows(tables.follow_up)
    return row


def task(world: LapWorld) -> dict[str, Any]:
    (found,) = world.tasks()
    return found


def again(world: LapWorld, account: str, contact: str, value: float, about: str) -> None:
    """Let somebody be asked about a case of this subject, and answer."""
    invitation = world.ask(account, contact)
    (case,) = (row for row in world.crm.all("Case") if row["Subject"] == "It does not start")
    world.crm.update(case["Id"], {"Subject": about})
    world.answer(invitation, value, f"About {about}.")
    world.lap()


@pytest.fixture
def twice(begin: Begin) -> LapWorld:
    """Somebody has given the worst answer twice, about different cases, on two days."""
    return begin(_twice)


@pytest.fixture
def maria(twice: LapWorld) -> tuple[str, str]:
    """Return the account and who has answered there."""
    account, contact = (row["Id"] for name in ("Account", "Contact") for row in twice.crm.all(name))
    return account, contact


def _twice(world: LapWorld) -> None:
    live(world)
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    for about in ("Printer offline", "Door will not close"):
        world.lap(DAY)
        again(world, account, contact, 1, about)


def test_of_two_equally_bad_answers_subject_text_and_record_lead_with_the_same(
    twice: LapWorld, maria: tuple[str, str]
) -> None:
    account, _ = maria
    found, attention = task(twice), twice.shows(account)["Attention"]
    assert "Door will not close" in found["Subject"]
    assert "Door will not close" in attention
    assert found["Description"].index("About Door") < found["Description"].index("About Printer")


def test_what_it_was_about_leads_to_the_case_of_the_answer_that_leads(twice: LapWorld, maria: tuple[str, str]) -> None:
    (case,) = (row["Id"] for row in twice.crm.all("Case") if row["Subject"] == "Door will not close")
    address = twice.adapter.record_url(Ref("acme", "Case", case))
    assert f"What it was about: {address}\n" in task(twice)["Description"]


def test_a_time_to_call_by_that_is_over_stands_in_no_subject(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen")
    assert "Maria Virtanen by " in task(world)["Subject"]
    world.lap(3 * DAY)
    due = only(world).due_at
    words = catalogue("en")
    zone = world.installation.settings.company.timezone
    assert task(world)["Subject"].startswith(f"Call Maria Virtanen, overdue since {words.day(due, zone)}: 1 of 5")
    before = world.writes()
    for _ in range(3):
        world.lap(DAY)
    assert world.writes() == before
    world.crm.update(task(world)["Id"], {"Status": "Completed", OUTCOME: "Not reached"})
    world.lap(HOUR)
    assert "Maria Virtanen by " in task(world)["Subject"]


def test_a_task_that_a_later_good_answer_ends_says_so(twice: LapWorld, maria: tuple[str, str]) -> None:
    account, contact = maria
    twice.crm.update(task(twice)["Id"], {"Status": "Completed", OUTCOME: "Reached, not solved yet"})
    twice.lap(HOUR)
    assert task(twice)["Status"] != "Completed"
    twice.lap(timedelta(hours=2))
    again(twice, account, contact, 5, "Opening hours")
    task_row = task(twice)
    assert (task_row["Status"], task_row[OUTCOME]) == ("Completed", "No action needed")
    assert task_row["Description"].startswith("Needs no call any more: Maria Virtanen gave 5 of 5 (very satisfied) on ")
    assert "choose one" not in task_row["Description"]


def test_what_somebody_noted_before_is_not_told_as_what_ended_it(twice: LapWorld, maria: tuple[str, str]) -> None:
    account, contact = maria
    with twice.store.write() as tx:
        follow_ups.change(tx, only(twice).id, {"note": "Left a message."})
    again(twice, account, contact, 5, "Opening hours")
    assert task(twice)["Description"].startswith("Needs no call any more: Maria Virtanen gave 5 of 5 ")
    assert only(twice).note == "Left a message."


def test_why_it_is_whose_it_is_stands_in_the_companys_language(world: LapWorld) -> None:
    world.configure('[company]\nlanguage = "fi"\n' + CSAT + UNHAPPY)
    world.lap()
    world.rated(world.account(), 1, owner=world.rep)
    body = task(world)["Description"]
    assert "vaikka arvio koskee vastuuhenkilöä itseään (Ritva Laine): muita ei ole." in body
    assert "Assigned to" not in body


def test_a_task_that_quotes_not_all_answers_says_how_many_more_there_are(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    for _ in range(12):
        world.crm.close(world.crm.case(account, contact))
    world.lap()
    for number, invitation in enumerate(world.rows(tables.invitation)):
        world.answer(invitation.id, 1, f"Words {number}.")
    world.lap()
    body = task(world)["Description"]
    assert body.count("> Words") == MOST
    assert "And 2 more answers: the first link leads to all of them." in body


def test_a_task_that_another_one_takes_over_says_which(world: LapWorld) -> None:
    account = world.account()
    contacts = [world.crm.contact(account, f"Maria {n}", Email=f"maria{n}@customer.example") for n in (1, 2)]
    for n, contact in enumerate(contacts):
        again(world, account, contact, 1, f"Door {n}")
    world.crm.update(contacts[1], {"Email": "maria1@customer.example"})
    world.lap()
    world.lap()
    (done,) = (one for one in world.tasks() if one["Status"] == "Completed")
    (kept,) = (one for one in world.tasks() if one["Status"] != "Completed")
    first, _, _ = done["Description"].partition("\n")
    assert first == f"Another task about the same person has everything that stood here: {kept['Subject']}"
