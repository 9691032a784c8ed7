"""What a task hangs on beside account and contact: the interaction that it is about."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from lap_world import LapWorld
from own_fields import PACKAGED, use

from connector.commands.check.checks import check
from connector.errors import RuleRefused
from connector.ports import Write, WriteResult
from connector.store import tables
from connector.store.results import follow_ups

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hanging(world: LapWorld) -> LapWorld:
    """Tasks hang on the cases that they are about."""
    use(world, PACKAGED.replace('[task]\nobject = "Task"\n', '[task]\nobject = "Task"\nrelated = ["case"]\n'))
    return world


@pytest.fixture
def not_on_cases(hanging: LapWorld) -> LapWorld:
    """In this CRM no task can hang on a case."""
    hanging.crm.unrelatable.add(("Task", "Case"))
    return hanging


def refuse_tasks_on(world: LapWorld, object_name: str, monkeypatch: pytest.MonkeyPatch) -> list[Write]:
    """Refuse tasks that hang on records of an object; returns those that were refused."""
    carry_out, refused = world.adapter.write, []

    def is_refused(write: Write) -> bool:
        return object_name in [ref.object for ref in write.related]

    def write(writes: Sequence[Write]) -> list[WriteResult]:
        refused.extend(write for write in writes if is_refused(write))
        taken = {result.write.key: result for result in carry_out([write for write in writes if not is_refused(write)])}
        error = RuleRefused("no tasks here.")
        return [taken.get(write.key) or WriteResult(write, "refused", None, error) for write in writes]

    monkeypatch.setattr(world.adapter, "write", write)
    return refused


def test_a_task_refused_for_what_it_hangs_on_is_made_once_it_hangs_on_something_else(
    hanging: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse_tasks_on(hanging, "Case", monkeypatch)
    hanging.rated(hanging.account(), 1)
    hanging.lap(MINUTE)
    assert (hanging.tasks(), len(refused)) == ([], 1)
    (case,) = hanging.crm.all("Case")
    hanging.crm.delete(case["Id"])
    hanging.lap()
    assert (len(hanging.tasks()), hanging.refused()) == (1, [])


def test_where_a_task_cannot_hang_on_what_it_is_about_it_is_made_without(not_on_cases: LapWorld) -> None:
    for name in ("Northwind", "Southwind"):
        not_on_cases.rated(not_on_cases.account(name), 1)
    assert len(not_on_cases.tasks()) == 2
    (report,) = not_on_cases.refused()
    assert (report["record"], report["code"]) == ("related:Case", "not_associated")
    assert "Task records cannot be associated with Case records" in report["what"]
    assert "[task] related" in report["remedy"]


def test_a_task_that_was_deleted_is_made_again_without_what_it_cannot_hang_on(not_on_cases: LapWorld) -> None:
    not_on_cases.rated(not_on_cases.account(), 1)
    (task,) = not_on_cases.tasks()
    not_on_cases.crm.delete(task["Id"])
    not_on_cases.lap()
    (follow_up,) = not_on_cases.rows(tables.follow_up)
    with not_on_cases.store.write() as tx:
        follow_ups.change(tx, follow_up.id, {"state": "open", "waiting_since": None})
    assert not_on_cases.lap().exit_code == 0
    (again,) = not_on_cases.tasks()
    assert again["Id"] != task["Id"]


def test_it_is_counted_once_and_leaves_the_list_when_it_can(not_on_cases: LapWorld) -> None:
    not_on_cases.rated(not_on_cases.account("Northwind"), 1)
    assert not_on_cases.lap(MINUTE).exit_code == 0
    not_on_cases.rated(not_on_cases.account("Southwind"), 1)
    assert not_on_cases.lap(MINUTE).exit_code == 0
    not_on_cases.crm.unrelatable.clear()
    not_on_cases.rated(not_on_cases.account("Eastwind"), 1)
    assert (len(not_on_cases.tasks()), not_on_cases.refused()) == (3, [])


def test_check_names_the_line_of_the_mapping(not_on_cases: LapWorld) -> None:
    (problem,) = [problem for problem in check(not_on_cases.installation).problems if "related" in problem.where]
    assert (problem.where, problem.severity) == ("m: task.related", "warning")
    assert "Task records cannot be associated with Case records" in problem.what
