"""The CRM does what it was asked and its answer is lost: asking again makes no second task."""

from environment import HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from incidents import asked
from told_undo import told

from connector.commands import undo


def test_a_task_whose_making_was_never_confirmed_is_there_once(either: Environment) -> None:
    asked(either)
    either.answer(either.mailbox.mails[0], 1, "Nobody called back.")
    writing = r"composite/sobjects" if hasattr(either.org, "rows_per_page") else r"tasks/batch"
    dropped = either.org.faults.drop("after", path=writing, times=50)
    either.lap()
    assert dropped.hits
    either.org.faults.clear()
    for _ in range(3):
        either.later(HOUR)
    assert len(either.tasks()) == 1
    either.mark()
    either.later(12 * HOUR)  # a day later the call is overdue, which the record says
    assert either.writes == []


def test_a_task_whose_associations_failed_gets_them_in_a_later_lap(hub: HubSpotEnvironment) -> None:
    who = asked(hub)
    hub.answer(hub.mailbox.mails[0], 1, "Nobody called back.")
    hub.org.faults.fail(500, {"message": "down"}, path=r"/associations/.*associate", times=None)
    assert hub.lap().exit_code != 0
    hub.org.faults.clear()
    hub.later(HOUR)
    hub.later(HOUR)
    (task,) = hub.tasks()
    assert set(hub.org.associated("tasks", task["id"], "companies")) == {who["account"]}
    assert set(hub.org.associated("tasks", task["id"], "contacts")) == {who["contact"]}
    hub.mark()
    hub.later(HOUR)
    assert hub.writes == []


def test_a_task_that_was_only_associated_is_not_closed_by_undo(hub: HubSpotEnvironment) -> None:
    asked(hub)
    hub.answer(hub.mailbox.mails[0], 1, "Nobody called back.")
    hub.org.faults.fail(500, {"message": "down"}, path=r"/associations/.*associate", times=None)
    hub.lap()
    (task,) = hub.tasks()
    hub.org.update("tasks", task["id"], {"hs_task_subject": "I am on the phone with them"})
    hub.org.faults.clear()
    hub.later(HOUR)
    hub.later(HOUR)
    undone = told(undo.carry_out, hub.installation)
    assert [step.left for step in undone.steps if step.is_task] == [
        {"": "it was there before, and was only associated"}
    ]
    (after,) = hub.tasks()
    assert after["hs_task_status"] == "NOT_STARTED"
