"""What a task hangs on beside account and contact: the interaction that it is about."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from lap_world import LapWorld
from own_fields import PACKAGED, use

from connector.errors import RuleRefused
from connector.ports import Write, WriteResult
from tests.databases import ONE_DATABASE

pytestmark = ONE_DATABASE

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hanging(world: LapWorld) -> LapWorld:
    """Tasks hang on the cases that they are about."""
    use(world, PACKAGED.replace('[task]\nobject = "Task"\n', '[task]\nobject = "Task"\nrelated = ["case"]\n'))
    return world


def refuse_tasks_on(world: LapWorld, object_name: str, monkeypatch: pytest.MonkeyPatch) -> list[Write]:
    """Refuse tasks that hang on records of an object; returns those that were refused."""
    carry_out, refused = world.adapter.write, []

    def is_refused(write: Write) -> bool:
        return object_name in [ref.object for ref in write.related]

    def write(writes: Sequence[Write]) -> list[WriteResult]:
        refused.extend(one for one in writes if is_refused(one))
        taken = {result.write.key: result for result in carry_out([one for one in writes if not is_refused(one)])}
        error = RuleRefused("no tasks here.")
        return [taken.get(one.key) or WriteResult(one, "refused", None, error) for one in writes]

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
