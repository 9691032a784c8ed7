"""Mail that waits is decided on anew where what it asks about was given to another account meanwhile."""

import pytest
from lap_world import HOUR, LapWorld

from connector.errors import MailUnavailable
from connector.store import tables


@pytest.fixture
def case(world: LapWorld) -> str:
    """A closed case of Maria's at Northwind, about which the mail could not leave yet."""
    account = world.account("Northwind")
    case: str = world.crm.case(account, world.crm.contact(account, "Maria Virtanen"))
    world.lap()
    world.crm.close(case)
    world.mailbox.failing = [MailUnavailable("down")]
    world.lap()
    assert world.mailbox.recipients == []
    return case


def later(world: LapWorld) -> list[str]:
    for _ in range(3):
        world.lap(HOUR)
    return world.mailbox.recipients


def test_nobody_is_asked_about_a_case_that_is_no_customers_any_more(world: LapWorld, case: str) -> None:
    world.crm.update(case, {"AccountId": world.account("A prospect", Type="Prospect")})
    assert later(world) == []


def test_an_answer_counts_for_the_account_that_the_case_was_given_to(world: LapWorld, case: str) -> None:
    other = world.account("Northwind Oy")
    world.crm.update(case, {"AccountId": other})
    assert later(world) == ["maria.virtanen@customer.example"]
    (sent,) = (row for row in world.rows(tables.invitation) if row.state == "sent")
    world.answer(sent.id, 4)
    world.lap()
    assert world.shows(other)["People"] == 1


def test_a_merge_of_its_account_or_contact_asks_once(world: LapWorld, case: str) -> None:
    before = world.crm.get(case)
    address = world.crm.get(before["ContactId"])["Email"]
    world.crm.merge(world.crm.contact(before["AccountId"], "Maria V.", Email=address), before["ContactId"])
    world.crm.merge(world.account("Northwind Oy"), before["AccountId"])
    assert later(world) == ["maria.virtanen@customer.example"]
