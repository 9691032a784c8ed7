"""A CRM that does not say which record it has written: it is known as soon as it was read, and is not sent in every lap."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from lap_world import LapWorld

from connector.ports import Write, WriteResult
from connector.stages.write_back import tasks
from connector.store import tables


def test_a_task_whose_id_was_not_told_is_sent_no_more_once_it_was_read(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, sent = world.adapter.write, []

    def silent(writes: Sequence[Write]) -> list[WriteResult]:
        sent.extend(one for one in writes if one.object == "Task")
        return [replace(one, id=None) if one.write.object == "Task" else one for one in write(writes)]

    monkeypatch.setattr(world.adapter, "write", silent)
    # As with a CRM that keeps associations apart: a task that was seen is sent once more, to be associated.
    monkeypatch.setattr(tasks, "_is_whole", lambda *_: False)
    world.rated(world.account(), 1)
    for _ in range(4):
        world.lap()
    (task,) = world.tasks()
    (follow_up,) = world.rows(tables.follow_up)
    assert (len(sent), follow_up.task_ref) == (2, f"Task/{task['Id']}")
