"""The last write-back can be taken back: our fields alone, and only where nobody has changed them since."""

from datetime import datetime

import pytest
from lap_world import LapWorld
from told_undo import Told, told

from connector.commands import undo as commands_undo
from connector.errors import RuleRefused, StoreError, Unavailable
from connector.stages.write_back.undo import SAID_NO
from connector.store import tables
from connector.store.ops import connections
from connector.store.ops.leases import held
from connector.store.results import follow_ups
from connector.store.surveys import answers


def plan(world: LapWorld, since: datetime | None = None) -> Told:
    return told(commands_undo.plan, world.installation, since)


def undo(world: LapWorld, since: datetime | None = None) -> Told:
    return told(commands_undo.carry_out, world.installation, since)


def resume(world: LapWorld) -> None:
    with world.store.write() as tx:
        connections.resume(tx, "acme")


def test_a_plan_says_what_it_would_do_and_changes_nothing(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1)
    before, writes = world.shows(account), world.writes()
    planned = plan(world)
    assert (world.shows(account), world.writes()) == (before, writes)
    assert not planned.done
    assert {step.ref.object for step in planned.due} == {"Account", "Contact", "Task"}
    found = {one["object"]: one for one in planned.records}
    assert found["Account"]["record"] == "Northwind"
    assert found["Account"]["fields"]["Afterword_People__c"] == {"before": 1, "after": None}


def test_fields_get_the_values_from_before_and_nothing_else_is_touched(world: LapWorld) -> None:
    account, other = world.account(), world.account("Other")
    world.rated(other, 5)
    world.rated(account, 5)
    first = world.shows(account)
    world.rated(account, 1)
    assert world.shows(account)["People"] == 2
    world.crm.update(account, {"Industry": "Banking"})
    untouched = world.shows(other)
    assert undo(world).exit_code == 0
    assert world.shows(account) == first
    assert world.crm.get(account)["Industry"] == "Banking"
    assert world.shows(other) == untouched


def test_what_somebody_has_changed_since_is_left(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    world.crm.update(account, {"Afterword_Mood__c": "Happy"})
    undone = undo(world)
    assert world.shows(account) == {"Mood": "Happy"}
    (step,) = [step for step in undone.steps if step.ref.id == account]
    assert step.left == {"Afterword_Mood__c": "somebody has changed it since"}


def test_the_next_lap_does_not_write_the_same_again_until_it_is_let(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    shown = world.shows(account)
    undo(world)
    for _ in range(2):
        world.lap()
    assert world.shows(account) == {}
    resume(world)
    world.lap()
    assert world.shows(account) == shown
    assert world.refused() == []


def test_a_task_that_nobody_has_touched_is_closed(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    undo(world)
    (task,) = world.tasks()
    assert (task["Status"], task["Afterword_Outcome__c"]) == ("Completed", "No action needed")


@pytest.mark.parametrize("touch", [{"Status": "In Progress"}, {"Subject": "Called, no answer"}])
def test_a_task_that_somebody_is_at_is_left_to_them(world: LapWorld, touch: dict[str, str]) -> None:
    world.rated(world.account(), 1)
    (task,) = world.tasks()
    world.crm.update(task["Id"], touch)
    undone = undo(world)
    (after,) = world.tasks()
    assert (after.get("Afterword_Outcome__c"), after["Status"]) == (None, touch.get("Status", "Not Started"))
    assert [step.left for step in undone.steps if step.is_task] == [{"": "somebody has taken it up"}]


def test_it_is_done_once(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    undo(world)
    writes = world.writes()
    assert undo(world).at is None
    assert world.writes() == writes


def test_a_record_that_is_gone_keeps_no_other_back(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    contact = next(row["Id"] for row in world.crm.all("Contact"))
    world.crm.delete(contact)
    undone = undo(world)
    assert world.shows(account) == {}
    assert {step.ref.id: step.left for step in undone.steps}[contact] == {"": "the record is not there any more"}


def test_a_refused_record_is_told_and_can_be_tried_again(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    world.crm.faults.refuse(RuleRefused("legal alone"), lambda row_id, _values: row_id == account)
    first = undo(world)
    assert first.exit_code == 1
    assert ["legal alone" in str(result.error) for result in first.refused] == [True]
    world.crm.faults.clear()
    again = undo(world)
    assert (again.exit_code, len(again.due)) == (0, 1)
    assert world.shows(account) == {}


def test_a_crm_that_goes_down_meanwhile_lets_the_rest_be_done_later(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1)
    world.crm.faults.fail(Unavailable("down"), kind="write", object="Account", times=1)
    assert undo(world).exit_code == 3
    assert undo(world).exit_code == 0
    assert world.shows(account) == {}
    assert all(task["Status"] == "Completed" for task in world.tasks())


def test_two_do_not_work_on_one_crm(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    with held(world.store, "write:acme") as lease:
        assert lease is not None
        with pytest.raises(StoreError, match="another process"):
            undo(world)


def test_the_no_of_a_customer_is_not_taken_back(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    invitation = world.ask(account, contact)
    with world.store.write() as tx:
        assert answers.stop_surveys(tx, invitation, now=world.clock.now())
    world.lap()
    found = undo(world)
    assert world.shows(contact)["No_Surveys"] is True
    assert [step.left for step in found.steps] == [{"Afterword_No_Surveys__c": SAID_NO}]
    assert (found.exit_code, undo(world).at) == (0, None)


def test_a_changed_task_gets_its_text_back_and_is_changed_again_once_it_may(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    world.lap()
    (row,) = world.rows(tables.follow_up)
    (before,) = world.tasks()
    with world.store.write() as tx:
        follow_ups.change(tx, row.id, {"subject": "Call her now", "body": "Now"})
    world.lap()
    assert undo(world).exit_code == 0
    (task,) = world.tasks()
    assert (task["Subject"], task["Description"], task["Status"]) == (row.subject, before["Description"], "Not Started")
    resume(world)
    world.lap()
    (task,) = world.tasks()
    assert (task["Subject"], task["Description"]) == ("Call her now", "Now")
    assert world.rows(tables.follow_up)[0].task_left_at is None


def test_a_task_that_was_completed_is_open_again_and_its_follow_up_is_not(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    world.lap()
    (row,) = world.rows(tables.follow_up)
    with world.store.write() as tx:
        closed = {"state": "closed", "closed_by": "later_answer", "closed_at": world.clock.now()}
        follow_ups.change(tx, row.id, closed)
    world.lap()
    undo(world)
    (task,) = world.tasks()
    assert (task["Status"], task["Afterword_Outcome__c"]) == ("Not Started", None)
    resume(world)
    world.lap()
    assert world.rows(tables.follow_up)[0].closed_by == "later_answer"
    assert world.tasks()[0]["Status"] == "Completed"


def test_a_follow_up_whose_making_is_taken_back_is_over(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    undo(world)
    (row,) = world.rows(tables.follow_up)
    assert (row.state, row.closed_by) == ("closed", "undo")
