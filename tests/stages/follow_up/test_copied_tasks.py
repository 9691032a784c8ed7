"""Where a CRM lets the key of a task stand twice, a copy that somebody made of it is not our task."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from lap_world import LapWorld

from connector.store import tables

NAMES = ("Subject", "WhatId", "WhoId", "OwnerId", "Status", "Afterword_Key__c")
HOUR = timedelta(hours=1)


@contextmanager
def copies_allowed(world: LapWorld) -> Iterator[None]:
    """Let two tasks have one key meanwhile; where that is so for good, no lap writes, because the key tells nothing."""
    key = world.crm.definition("Task").fields["Afterword_Key__c"]
    world.crm.add_field("Task", replace(key, unique=False))
    yield
    world.crm.add_field("Task", key)


@pytest.mark.parametrize("fate", ["done", "deleted"])
def test_what_becomes_of_a_copy_says_nothing_of_the_follow_up(world: LapWorld, fate: str) -> None:
    account = world.account()
    world.rated(account, 1)
    world.lap()
    (task,) = world.tasks()
    with copies_allowed(world):
        copy = world.crm.insert("Task", {name: task[name] for name in NAMES if task.get(name) is not None})
    world.lap(HOUR)
    with copies_allowed(world):
        if fate == "done":
            world.crm.finish(copy)
        else:
            world.crm.delete(copy)
    world.lap(HOUR)
    assert [row.state for row in world.rows(tables.follow_up)] == ["open"]
    assert world.shows(account)["Attention"]
    with copies_allowed(world):
        world.crm.finish(task["Id"], Afterword_Outcome__c="Solved")
    world.lap(HOUR)
    assert "Attention" not in world.shows(account)
