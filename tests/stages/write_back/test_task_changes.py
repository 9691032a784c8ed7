"""What has changed about a follow-up reaches its task, and nothing that somebody else wrote there is written over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import beginnings
import pytest
from beginnings import Begin
from lap_world import HOUR, LapWorld
from own_fields import PACKAGED, use

from connector.commands import plan as commands_plan
from connector.errors import RecordRejected, Unavailable
from connector.model import ClosedBy
from connector.ports import Record
from connector.stages import lap
from connector.stages.order import AFTER_AN_ANSWER
from connector.store import tables
from connector.store.results import follow_ups

OUTCOME = "Afterword_Outcome__c"
NEW = {"subject": "Call Maria by Fri 15:00: 1 of 5, twice", "body": "Two answers.\n> Still broken", "priority": "high"}


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


def task(world: LapWorld) -> dict[str, Any]:
    (found,) = world.tasks()
    return found


def change(world: LapWorld, **columns: Any) -> None:
    """Let the follow-up say something else."""
    with world.store.write() as tx:
        follow_ups.change(tx, only(world).id, columns)


def close(world: LapWorld, by: ClosedBy, **columns: Any) -> None:
    """Let the follow-up be closed by something that happened elsewhere."""
    change(world, state="closed", closed_by=by.value, closed_at=world.clock.now(), **columns)


def writes_in(world: LapWorld, do: Callable[[], object]) -> int:
    """Count the writing calls that something leads to."""
    before = world.writes()
    do()
    return world.writes() - before


# ── changed while it still is ours ───────────────────────────────────────────────────────────────────────────────────


def test_a_changed_follow_up_changes_its_task_in_one_call(world: LapWorld, unhappy: str) -> None:
    due = only(world).due_at + timedelta(days=3)
    change(world, **NEW, due_at=due)
    assert writes_in(world, world.lap) == 1
    found = task(world)
    assert (found["Subject"], found["Description"], found["Priority"]) == (NEW["subject"], NEW["body"], "High")
    assert found["ActivityDate"] == due.date().isoformat()
    assert writes_in(world, lambda: (world.lap(HOUR), world.lap(HOUR))) == 0
    assert only(world).task_left_at is None


@pytest.mark.parametrize("field", ["Subject", "Description", "ActivityDate", "Priority"])
def test_what_somebody_else_wrote_is_left_alone_and_told_once(world: LapWorld, unhappy: str, field: str) -> None:
    theirs = {"Subject": "Mine", "Description": "My notes", "ActivityDate": "2026-12-24", "Priority": "Low"}[field]
    world.crm.update(task(world)["Id"], {field: theirs})
    change(world, **NEW, due_at=only(world).due_at + timedelta(days=3))
    world.lap()
    found = task(world)
    assert found[field] == theirs
    assert found["Subject"] == ("Mine" if field == "Subject" else NEW["subject"])
    left_at = only(world).task_left_at
    assert left_at is not None
    assert writes_in(world, lambda: (world.lap(HOUR), world.lap(HOUR))) == 0
    assert only(world).task_left_at == left_at
    change(world, subject="Again", body="Again", priority="normal", due_at=only(world).due_at + timedelta(days=1))
    world.lap()
    assert task(world)[field] == theirs
    assert only(world).task_left_at > left_at


def test_what_somebody_wrote_a_moment_ago_and_we_have_not_read_is_left_alone_too(world: LapWorld, unhappy: str) -> None:
    change(world, **NEW)
    task_id = task(world)["Id"]
    world.crm.update(task_id, {"Subject": "Mine"})
    lap.run(world.installation, stages=AFTER_AN_ANSWER)  # which reads nothing
    assert task(world)["Subject"] == "Mine"
    assert task(world)["Description"] == NEW["body"]


def test_nothing_is_asked_where_nothing_differs(world: LapWorld, unhappy: str) -> None:
    world.lap(HOUR)
    world.crm.log.clear()
    world.lap(timedelta(minutes=1))
    assert {call.method for call in world.crm.log.calls if call.object == "Task"} == {"changes"}


def test_a_task_of_an_earlier_version_is_changed_by_what_the_log_says(world: LapWorld, unhappy: str) -> None:
    change(world, task_written=None, task_seen=None, **NEW)
    world.lap()
    assert task(world)["Subject"] == NEW["subject"]


def test_a_refused_change_is_set_aside(world: LapWorld, unhappy: str) -> None:
    task_id = task(world)["Id"]
    refusal = RecordRejected("no changes on Mondays", code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    world.crm.faults.refuse(refusal, lambda row_id, _values: row_id == task_id)
    change(world, **NEW)
    report = world.lap()
    assert report.written["acme"].refused == 1
    (refused,) = world.refused()
    assert (refused["record"], "no changes on Mondays" in refused["what"]) == (only(world).id, True)
    world.crm.faults.clear()
    change(world, subject="Call her again")
    world.lap()
    assert task(world)["Subject"] == "Call her again"
    assert world.refused() == []


@pytest.mark.parametrize("done", [True, False])
def test_a_change_whose_answer_is_lost_is_made_once(world: LapWorld, unhappy: str, done: bool) -> None:
    faults = world.crm.faults
    faults.drop_after(nth=1) if done else faults.fail(Unavailable("down"), kind="write", nth=1)
    change(world, **NEW)
    world.lap()
    faults.clear()
    world.lap(HOUR)
    assert (task(world)["Subject"], task(world)["Description"]) == (NEW["subject"], NEW["body"])
    assert only(world).task_left_at is None


# ── opened again ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("complete", [True, False])
def test_an_attempt_that_settled_nothing_opens_the_same_task_again(
    world: LapWorld, unhappy: str, complete: bool
) -> None:
    task_id, due = task(world)["Id"], only(world).due_at
    noted = {OUTCOME: "Not reached"} | ({"Status": "Completed"} if complete else {})
    for attempt in (1, 2):
        world.clock.advance(timedelta(days=2))
        world.crm.update(task_id, noted)
        world.lap(HOUR)
        found, row = task(world), only(world)
        assert (found["Id"], found["Status"], found[OUTCOME]) == (task_id, "Not Started", None)
        assert found["ActivityDate"] == row.due_at.date().isoformat()
        assert (row.state, row.attempts, row.task_state) == ("open", attempt, "open")
        assert row.due_at > due
        assert writes_in(world, lambda: (world.lap(HOUR), world.lap(HOUR))) == 0


def test_a_deleted_task_is_made_again_when_the_follow_up_is_open_again(world: LapWorld, unhappy: str) -> None:
    first = task(world)["Id"]
    world.crm.delete(first)
    world.lap(HOUR)
    assert (world.tasks(), only(world).state) == ([], "waiting_for_outcome")
    change(world, state="open", waiting_since=None)
    world.lap(HOUR)
    assert task(world)["Id"] != first
    assert task(world)["Afterword_Key__c"] == only(world).id
    world.lap(HOUR)
    assert len(world.tasks()) == 1


# ── completed by us ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_whose_account_is_gone_is_left_alone(world: LapWorld, unhappy: str) -> None:
    close(world, ClosedBy.ACCOUNT_GONE)
    assert writes_in(world, lambda: (world.lap(), world.lap(HOUR))) == 0


@pytest.mark.parametrize("by", [ClosedBy.LATER_ANSWER, ClosedBy.JOINED])
def test_what_is_closed_elsewhere_completes_its_task_once(world: LapWorld, unhappy: str, by: ClosedBy) -> None:
    close(world, by)
    assert writes_in(world, world.lap) == 1
    found = task(world)
    assert (found["Status"], found[OUTCOME]) == ("Completed", "No action needed")
    assert writes_in(world, lambda: (world.lap(HOUR), world.lap(HOUR))) == 0
    row = only(world)
    assert (row.state, row.closed_by, row.outcome) == ("closed", by.value, None)


def test_a_task_that_somebody_is_at_is_not_completed_for_them(world: LapWorld, unhappy: str) -> None:
    world.crm.update(task(world)["Id"], {"Status": "In Progress"})
    world.lap(HOUR)
    close(world, ClosedBy.LATER_ANSWER)
    assert writes_in(world, world.lap) == 0
    assert task(world)["Status"] == "In Progress"


def test_an_outcome_that_stands_there_stays(world: LapWorld, unhappy: str) -> None:
    close(world, ClosedBy.LATER_ANSWER)
    world.crm.update(task(world)["Id"], {OUTCOME: "Solved"})
    world.lap()
    world.lap()
    assert (task(world)["Status"], task(world)[OUTCOME]) == ("Completed", "Solved")


def test_an_outcome_noted_elsewhere_stands_on_its_task(world: LapWorld, unhappy: str) -> None:
    close(world, ClosedBy.OUTCOME, outcome="Solved")
    world.lap()
    assert (task(world)["Status"], task(world)[OUTCOME]) == ("Completed", "Solved")


# ── before it is done ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plan_shows_the_change_and_makes_none(world: LapWorld, unhappy: str) -> None:
    before = task(world)["Subject"]
    change(world, **NEW)
    plan = commands_plan.next_lap(world.installation).as_json()
    (write,) = [one for one in plan["writes"] if one["object"] == "Task"]
    assert (write["action"], write["record"]) == ("update", NEW["subject"])
    assert write["fields"]["Subject"] | {"label": ""} == {"before": before, "after": NEW["subject"], "label": ""}
    assert task(world)["Subject"] == before


def test_a_task_that_cannot_be_understood_for_the_moment_was_not_changed_by_somebody_else(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.adapter.fetch

    def fetch(object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        found = honest(object_name, ids, fields)
        return {id_: replace(one, fields={}, fault="no time of change.") for id_, one in found.items()}

    change(world, task_seen=None, **NEW)
    with monkeypatch.context() as odd:
        odd.setattr(world.adapter, "fetch", fetch)
        lap.run(world.installation, stages=[lap.Stage.WRITE_BACK])
    assert only(world).task_left_at is None
    lap.run(world.installation, stages=[lap.Stage.WRITE_BACK])
    assert task(world)["Subject"] == NEW["subject"]


def test_a_field_that_is_mapped_no_more_keeps_no_task_from_being_changed(world: LapWorld, unhappy: str) -> None:
    outcome = next(one for one in PACKAGED.partition("[write.task]\n")[2].split("\n") if one.startswith("outcome = "))
    use(world, PACKAGED.replace(f"{outcome}\n", ""))
    change(world, **NEW)
    lap.run(world.installation, stages=[lap.Stage.WRITE_BACK])
    assert task(world)["Subject"] == NEW["subject"]
