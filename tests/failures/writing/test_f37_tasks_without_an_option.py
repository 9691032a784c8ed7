"""A list that lacks the word for a task's priority: the task is made without it, and gets it when the admin has added the word."""

from dataclasses import replace
from typing import Any

from environment import DAY, HOUR, Environment
from incidents import asked

HIGH = {"salesforce": "High", "hubspot": "HIGH"}
FIELD = {"salesforce": "Priority", "hubspot": "hs_task_priority"}


def offer(env: Environment, *, high: bool) -> None:
    """Let the admin take the word for high out of the list, or add it again."""
    org: Any = env.org
    fields = org.object("tasks" if env.ADAPTER == "hubspot" else "Task")
    if env.ADAPTER == "hubspot":
        priority = fields.properties[FIELD["hubspot"]]
        low = tuple(one for one in priority.options if one.value != "HIGH")
        options = (*low, replace(low[0], value="HIGH", label="High")) if high else low
        fields.properties[FIELD["hubspot"]] = replace(priority, options=options)
        return
    priority = fields.fields["Priority"]
    fields.fields["Priority"] = replace(priority, values=() if high else ("Normal", "Low"), restricted=not high)


def test_the_task_is_made_without_its_priority_and_gets_it_later(either: Environment) -> None:
    asked(either)
    offer(either, high=False)
    either.answer(either.mailbox.mails[0], 1, "Nobody called back.")
    either.later(HOUR)
    crm = either.ADAPTER
    (task,) = either.tasks()
    assert task.get(FIELD[crm]) != HIGH[crm]
    (refused,) = either.status()["refused"]
    assert FIELD[crm].lower() in refused["what"].lower() or "priority" in refused["what"].lower()
    assert refused["remedy"]
    either.mark_writes()
    either.later(HOUR)
    assert either.writes == []
    offer(either, high=True)
    assert either.command("retry", "acme").code == 0
    (task,) = either.tasks()
    assert task[FIELD[crm]] == HIGH[crm]
    assert either.status()["refused"] == []


def test_once_a_day_is_enough_of_a_reason(either: Environment) -> None:
    asked(either)
    offer(either, high=False)
    either.answer(either.mailbox.mails[0], 1)
    either.later(HOUR)
    either.later(HOUR)
    offer(either, high=True)
    either.later(DAY)
    either.later(HOUR)
    assert [task[FIELD[either.ADAPTER]] for task in either.tasks()] == [HIGH[either.ADAPTER]]
