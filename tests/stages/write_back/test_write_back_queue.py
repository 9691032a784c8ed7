"""`write_back`: nobody waits behind what is refused, and what is reported is true now."""

import pytest
from databases import BOTH_DATABASES
from lap_world import CSAT, UNHAPPY, LapWorld

from connector.errors import RuleRefused, Unavailable
from connector.stages.write_back import tasks
from connector.store import tables


def contest(world: LapWorld, account: str) -> str:
    """Overwrite the summary until it is left alone; returns what it should say."""
    wanted: str = world.shows(account)["Summary"]
    for _ in range(4):
        world.crm.update(account, {"Afterword_Summary__c": "written by a flow"})
        world.lap()
    assert [one["code"] for one in world.refused()] == ["contested"]
    return wanted


@BOTH_DATABASES
def test_a_field_left_to_others_stays_reported_while_the_others_are_written(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    contest(world, account)
    world.crm.update(account, {"Afterword_Mood__c": "Happy"})
    world.lap()
    assert world.shows(account)["Mood"] == "Last answer good"
    assert world.shows(account)["Summary"] == "written by a flow"
    assert [one["code"] for one in world.refused()] == ["contested"]


@BOTH_DATABASES
def test_a_report_goes_when_the_record_says_what_it_should(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    wanted = contest(world, account)
    world.crm.update(account, {"Afterword_Summary__c": wanted})
    world.lap()
    assert world.refused() == []


@BOTH_DATABASES
def test_a_task_does_not_wait_behind_those_that_are_refused(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PAGE", 1)
    refused = [world.account(f"Refused {number}") for number in range(3)]
    accepted = world.account("Accepted")
    world.crm.faults.refuse(RuleRefused("no"), lambda _id, values: values.get("WhatId") in refused)
    world.rate_all([(account, 1) for account in (*refused, accepted)])
    assert [task["WhatId"] for task in world.tasks()] == [accepted]
    assert len(world.refused()) == 3


def leave_before_the_task(world: LapWorld) -> dict[str, object]:
    """Let a follow-up be opened, its owner leave while the CRM takes no tasks, and return the task that is made at last."""
    world.crm.faults.fail(Unavailable("down"), kind="write", object="Task", times=1)
    world.rated(world.account(), 1)
    assert world.tasks() == []
    world.crm.update(world.rep, {"IsActive": False})
    world.lap()
    (task,) = world.tasks()
    return task


@BOTH_DATABASES
def test_a_task_of_somebody_who_has_left_meanwhile_is_made_all_the_same_and_says_so(world: LapWorld) -> None:
    task = leave_before_the_task(world)
    assert task.get("OwnerId") != world.rep
    assert "Nobody could be assigned: Ritva Laine is no longer active." in str(task["Description"])


@BOTH_DATABASES
def test_a_task_of_somebody_who_has_left_meanwhile_goes_to_whom_the_rule_names_next(world: LapWorld) -> None:
    boss = world.crm.user("Mika Aho")
    world.configure(CSAT + UNHAPPY + 'assign = ["account_owner", "mika.aho@northwind.example"]\n')
    task = leave_before_the_task(world)
    assert task["OwnerId"] == boss
    assert "Passed over: Ritva Laine is no longer active." in str(task["Description"])
    world.lap()
    (row,) = world.rows(tables.follow_up)
    assert row.owner_ref == f"User/{boss}"
