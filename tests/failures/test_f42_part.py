from house import HOUR
from house_hubspot import HubSpotHouse
from incidents import asked


def test_a_task_whose_associations_failed_gets_them_in_a_later_lap(hub: HubSpotHouse) -> None:
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
