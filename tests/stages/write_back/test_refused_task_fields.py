"""A field of a task that the CRM refuses is set aside alone: the task is made, changed and completed without it."""

from datetime import timedelta

import pytest
from beginnings import Begin, live
from lap_world import DAY, LapWorld

from connector.errors import BadOption, RuleRefused
from connector.model import Outcome
from connector.stages.follow_up import task_events
from connector.stages.follow_up.states import OutcomeNoted
from connector.store import tables
from connector.store.outbox import retries
from connector.store.results import follow_ups

PRIORITY = "Priority"
OUTCOME = "Afterword_Outcome__c"
MINUTE = timedelta(minutes=1)


def refuse(world: LapWorld, field: str, *values: str) -> None:
    """Let a picklist of tasks take none of these values; without any it takes none at all."""
    error = BadOption(f"bad value for restricted picklist field: {values}", remedy="Add the value.", fields=[field])
    world.crm.faults.refuse(
        error, lambda _row, fields: fields.get(field) is not None and (not values or fields[field] in values)
    )


def try_again(world: LapWorld) -> None:
    with world.store.write() as tx:
        retries.again(tx, "acme")
    world.lap()


@pytest.fixture
def urgent(begin: Begin) -> LapWorld:
    """A follow-up of high priority, in a CRM whose tasks know no such priority."""
    return begin(_urgent)


def _urgent(world: LapWorld) -> None:
    live(world)
    world.configure(
        '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\nreminder_after = "0s"\n'
        '[follow_up.unhappy]\nwhen = "csat <= 2"\npriority = "high"\n'
    )
    refuse(world, PRIORITY, "High")
    world.rated(world.account(), 1)


def test_the_task_is_made_without_it_and_the_field_is_told_with_its_remedy(urgent: LapWorld) -> None:
    (task,) = urgent.tasks()
    assert (task[PRIORITY], task["OwnerId"]) == ("Normal", urgent.rep)
    assert task["Subject"].startswith("Call Person")
    (report,) = urgent.refused()
    assert (PRIORITY in report["what"], report["remedy"]) == (True, "Add the value.")


def test_quiet_laps_neither_look_nor_write(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)

    def calls_of_a_lap() -> int:
        before = len(urgent.crm.log.calls)
        urgent.lap(MINUTE)
        return len(urgent.crm.log.calls) - before

    first, writes = calls_of_a_lap(), urgent.writes()
    urgent.lap(MINUTE)
    with urgent.store.write() as tx:
        tx.execute(tables.refused_record.delete())
        tx.execute(
            tables.follow_up.update().values(
                task_written={**urgent.rows(tables.follow_up)[0].task_written, "priority": "High"}
            )
        )
    assert (calls_of_a_lap(), urgent.writes()) == (first, writes)


def test_it_is_written_as_soon_as_it_is_taken(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)
    urgent.crm.faults.clear()
    try_again(urgent)
    (task,) = urgent.tasks()
    assert (task[PRIORITY], urgent.refused()) == ("High", [])


def test_it_is_tried_again_once_a_day(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)
    urgent.crm.faults.clear()
    urgent.lap(DAY)
    urgent.lap(MINUTE)
    assert ([task[PRIORITY] for task in urgent.tasks()], urgent.refused()) == (["High"], [])


def test_refused_again_it_is_counted_and_stays(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)
    try_again(urgent)
    (report,) = urgent.refused()
    assert report["attempts"] == 2
    assert urgent.tasks()[0][PRIORITY] == "Normal"


def test_what_somebody_chose_meanwhile_stays(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)
    urgent.crm.update(urgent.tasks()[0]["Id"], {PRIORITY: "Low"})
    urgent.crm.faults.clear()
    urgent.lap(MINUTE)
    try_again(urgent)
    assert ([task[PRIORITY] for task in urgent.tasks()], urgent.refused()) == (["Low"], [])


def test_several_are_named_together(world: LapWorld) -> None:
    refuse(world, PRIORITY)
    refuse(world, "Status")
    world.rated(world.account(), 1)
    (task,) = world.tasks()
    (report,) = world.refused()
    assert (PRIORITY in report["what"], "Status" in report["what"], task["Status"]) == (True, True, "Not Started")
    world.lap(MINUTE)
    world.crm.faults.clear()
    try_again(world)
    assert (world.refused(), world.tasks()[0]["Status"]) == ([], "Not Started")
    (follow_up,) = world.rows(tables.follow_up)
    assert (follow_up.state, follow_up.task_state) == ("open", "open")


@pytest.mark.parametrize("field", ["OwnerId", "WhatId"])
def test_without_an_owner_or_an_account_no_task_is_made(world: LapWorld, field: str) -> None:
    refuse(world, field)
    world.rated(world.account(), 1)
    assert world.tasks() == []
    assert [field in report["what"] or "bad value" in report["what"] for report in world.refused()] == [True]


def test_a_rule_that_names_no_field_is_about_the_task(world: LapWorld) -> None:
    world.crm.faults.refuse(RuleRefused("Ask legal."), lambda _row, fields: "WhatId" in fields)
    world.rated(world.account(), 1)
    assert world.tasks() == []


def note(world: LapWorld, outcome: Outcome) -> None:
    """Let somebody note how it ended on our page."""
    (row,) = world.rows(tables.follow_up)
    with world.store.write() as tx:
        follow_up = follow_ups.by_id(tx, row.id)
        noted = OutcomeNoted(outcome.value, None, None)
        task_events.note_outcome(tx, world.installation.settings, follow_up, noted, world.clock.now())
    world.lap(MINUTE)


def test_the_task_is_completed_without_an_outcome_that_the_list_lacks(world: LapWorld) -> None:
    refuse(world, OUTCOME, "Solved")
    world.rated(world.account(), 1)
    world.lap(MINUTE)
    note(world, Outcome.SOLVED)
    (task,) = world.tasks()
    assert (task["Status"], task[OUTCOME]) == ("Completed", None)
    (report,) = world.refused()
    assert OUTCOME in report["what"]
    for _ in range(2):
        world.lap(MINUTE)
    assert len(world.refused()) == 1
    world.crm.faults.clear()
    try_again(world)
    assert ([task[OUTCOME] for task in world.tasks()], world.refused()) == (["Solved"], [])


def test_a_change_is_written_without_what_is_refused_of_it(world: LapWorld) -> None:
    account = world.account()
    first = world.rated(account, 2, who="Maria Virtanen")
    world.lap(MINUTE)
    refuse(world, "Subject")
    before = world.tasks()[0]
    contact = before["WhoId"]
    world.answer(world.ask(account, contact), 1, "Still broken")
    world.lap(MINUTE)
    (task,) = world.tasks()
    assert first
    assert (task["Subject"], "Still broken" in task["Description"]) == (before["Subject"], True)
    assert ["Subject" in report["what"] for report in world.refused()] == [True]
    world.crm.faults.clear()
    try_again(world)
    assert world.tasks()[0]["Subject"] != before["Subject"]
    assert world.refused() == []


def test_of_a_task_that_was_deleted_nothing_stays_set_aside(urgent: LapWorld) -> None:
    urgent.lap(MINUTE)
    urgent.crm.delete(urgent.tasks()[0]["Id"])
    for _ in range(3):
        urgent.lap(MINUTE)
    assert urgent.refused() == []
