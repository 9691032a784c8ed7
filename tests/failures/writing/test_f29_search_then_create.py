"""A search that does not know yet what was just made must not lead to making it again."""

from datetime import timedelta

from environment_hubspot import HubSpotEnvironment
from incidents import asked


def test_tasks_are_not_doubled_while_the_index_is_behind(hub: HubSpotEnvironment) -> None:
    hub.org.configure(search_lag_s=60)
    asked(hub)
    hub.answer(hub.mailbox.mails[0], 1, "Nobody called back.")
    hub.org.faults.drop("after", path=r"tasks/batch", times=50)
    hub.lap()
    hub.org.faults.clear()
    for _ in range(4):
        hub.later(timedelta(seconds=10))
    assert len(hub.tasks()) == 1
