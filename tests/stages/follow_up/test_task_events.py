"""What people do to a follow-up's task in the CRM, and what becomes of the follow-up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import beginnings
import pytest
from beginnings import Begin
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld

from connector.model import NotedResult
from connector.stages.follow_up.outcome_links import note_by_link
from connector.stages.follow_up.states import OutcomeNoted
from connector.stages.follow_up.task_events import note_outcome
from connector.store import tables
from connector.store.results import follow_ups

OUTCOME = "Afterword_Outcome__c"


@pytest.fixture
def world(begin: Begin) -> LapWorld:
    """One open follow-up, whose task is in the CRM and was read."""
    return begin(beginnings.unhappy)


@pytest.fixture
def unhappy(world: LapWorld) -> str:
    """Return the account of the follow-up."""
    (account,) = world.crm.all("Account")
    return str(account["Id"])


def only(world: LapWorld) -> Any:
    (row,) = world.rows(tables.follow_up)
    return row


def task_of(world: LapWorld) -> str:
    (task,) = world.tasks()
    return str(task["Id"])


@pytest.mark.parametrize("outcome", ["Solved", "No action needed"])
def test_a_settling_outcome_closes_the_follow_up(world: LapWorld, unhappy: str, outcome: str) -> None:
    world.crm.finish(task_of(world), **{OUTCOME: outcome})
    world.lap(HOUR)
    row = only(world)
    assert (row.state, row.closed_by, row.outcome) == ("closed", "outcome", outcome)
    assert "Attention" not in world.shows(unhappy)


@pytest.mark.parametrize("how", ["completed", "deleted"])
def test_without_an_outcome_it_waits_and_the_record_goes_on_showing_it(world: LapWorld, unhappy: str, how: str) -> None:
    before = world.clock.now()
    if how == "completed":
        world.crm.finish(task_of(world))
    else:
        world.crm.delete(task_of(world))
    world.lap(HOUR)
    row = only(world)
    assert row.state == "waiting_for_outcome"
    assert before <= row.waiting_since <= world.clock.now()
    assert world.shows(unhappy)["Attention"]


def test_what_nobody_says_the_end_of_leaves_the_record_after_ten_working_days(world: LapWorld, unhappy: str) -> None:
    world.configure(CSAT + UNHAPPY + '[company]\nworking_hours = "mon-fri 08:00-17:00"\n')
    world.crm.finish(task_of(world))
    world.lap(13 * DAY)
    assert world.shows(unhappy)["Attention"]
    world.lap(2 * DAY)
    assert "Attention" not in world.shows(unhappy)
    assert only(world).state == "waiting_for_outcome"


@pytest.mark.parametrize("outcome", ["Not reached", "Reached, not solved yet"])
def test_an_attempt_that_settled_nothing_is_counted_and_due_again(world: LapWorld, unhappy: str, outcome: str) -> None:
    due = only(world).due_at
    world.crm.finish(task_of(world), **{OUTCOME: outcome})
    world.lap(HOUR)
    row = only(world)
    assert (row.state, row.attempts, row.outcome) == ("open", 1, outcome)
    assert row.due_at > due
    assert world.shows(unhappy)["Attention"]


def test_a_task_is_taken_up_again_in_the_crm(world: LapWorld, unhappy: str) -> None:
    task = task_of(world)
    world.crm.finish(task, **{OUTCOME: "Solved"})
    world.lap(HOUR)
    world.crm.update(task, {"Status": "In Progress"})
    world.lap(HOUR)
    row = only(world)
    assert (row.state, row.closed_at, row.closed_by) == ("open", None, None)
    assert world.shows(unhappy)["Attention"]


def test_a_deleted_task_is_restored(world: LapWorld, unhappy: str) -> None:
    task = task_of(world)
    world.crm.delete(task)
    world.lap(HOUR)
    assert only(world).state == "waiting_for_outcome"
    world.crm.restore(task)
    world.lap(HOUR)
    assert (only(world).state, only(world).task_ref) == ("open", f"Task/{task}")
    assert world.shows(unhappy)["Attention"]


def test_an_outcome_alone_is_enough(world: LapWorld, unhappy: str) -> None:
    world.crm.update(task_of(world), {OUTCOME: "Solved"})
    world.lap(HOUR)
    assert only(world).state == "closed"
    assert "Attention" not in world.shows(unhappy)


def test_an_outcome_noted_after_the_task_was_completed(world: LapWorld, unhappy: str) -> None:
    task = task_of(world)
    world.crm.finish(task)
    world.lap(HOUR)
    world.crm.update(task, {OUTCOME: "Solved"})
    world.lap(HOUR)
    assert (only(world).state, only(world).outcome) == ("closed", "Solved")
    assert "Attention" not in world.shows(unhappy)


def test_an_edit_of_something_else_repeats_no_event(world: LapWorld, unhappy: str) -> None:
    task = task_of(world)
    world.crm.update(task, {OUTCOME: "Not reached"})
    world.lap(HOUR)
    world.crm.update(task, {"Priority": "Low"})
    world.lap(HOUR)
    assert only(world).attempts == 1
    assert world.shows(unhappy)["Attention"]


def test_an_option_of_an_earlier_version_is_understood(world: LapWorld, unhappy: str) -> None:
    _add_option(world, "Reached, still open")
    world.crm.finish(task_of(world), **{OUTCOME: "Reached, still open"})
    world.lap(HOUR)
    assert (only(world).state, only(world).outcome) == ("open", "Reached, not solved yet")
    assert world.shows(unhappy)["Attention"]


def test_a_word_that_says_nothing_to_us_closes_nothing(world: LapWorld, unhappy: str) -> None:
    _add_option(world, "Handed over")
    world.crm.finish(task_of(world), **{OUTCOME: "Handed over"})
    world.lap(HOUR)
    assert (only(world).state, only(world).outcome) == ("waiting_for_outcome", "Handed over")
    assert world.shows(unhappy)["Attention"]


def _add_option(world: LapWorld, option: str) -> None:
    field = world.crm.definition("Task").fields[OUTCOME]
    world.crm.add_field("Task", replace(field, options=(*field.options, option)))


def test_a_task_that_somebody_else_is_given_is_theirs(world: LapWorld, unhappy: str) -> None:
    deputy = world.crm.user("Aino Koski")
    world.lap()
    world.crm.update(task_of(world), {"OwnerId": deputy})
    world.lap(HOUR)
    assert only(world).owner_ref == f"User/{deputy}"
    assert "Aino Koski" in world.shows(unhappy)["Attention"]


def test_what_another_has_taken_over_is_not_opened_again(world: LapWorld, unhappy: str) -> None:
    first = task_of(world)
    world.crm.finish(first, **{OUTCOME: "Solved"})
    world.lap(HOUR)
    (contact,) = world.crm.all("Contact")
    world.answer(world.ask(unhappy, contact["Id"]), 1)
    world.lap()
    assert sorted(row.state for row in world.rows(tables.follow_up)) == ["closed", "open"]
    world.crm.update(first, {"Status": "In Progress"})
    assert world.lap(HOUR).exit_code == 0
    assert sorted(row.state for row in world.rows(tables.follow_up)) == ["closed", "open"]


def test_the_task_of_another_installation_is_none_of_ours(world: LapWorld, unhappy: str) -> None:
    stranger = world.crm.insert("Task", {"Subject": "Call", "WhatId": unhappy, "Afterword_Key__c": "not ours"})
    world.lap(HOUR)
    world.crm.finish(stranger, **{OUTCOME: "Solved"})
    world.lap(HOUR)
    world.crm.delete(stranger)
    world.lap(HOUR)
    assert only(world).state == "open"
    assert f"Task/{stranger}" not in {row.ref for row in world.rows(tables.binding)}


def test_an_outcome_of_a_follow_up_that_is_gone_is_noted_nowhere(world: LapWorld) -> None:
    settings, noted, now = world.installation.settings, OutcomeNoted("Solved"), world.clock.now()
    assert note_by_link(world.store, settings, "gone", noted, attempts=None, now=now) is NotedResult.UNKNOWN


def test_an_outcome_noted_by_its_link_settles_it(world: LapWorld, unhappy: str) -> None:
    noted = OutcomeNoted("Solved", "late", "Sent a new printer")
    with world.store.write() as tx:
        follow_up = follow_ups.by_id(tx, only(world).id)
        note_outcome(tx, world.installation.settings, follow_up, noted, world.clock.now())
    world.lap(timedelta(minutes=1))
    row = only(world)
    assert (row.state, row.outcome, row.cause, row.note) == ("closed", "Solved", "late", "Sent a new printer")
    assert "Attention" not in world.shows(unhappy)
