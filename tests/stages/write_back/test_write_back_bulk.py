"""`write_back` gives a CRM many changes as one order where it takes that, and few of them call by call."""

from collections.abc import Callable, Sequence

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld

from connector.errors import RuleRefused, Unavailable
from connector.ports import Write, WriteResult


class Orders:
    """Takes three changes and more as one order, and at most four."""

    least = 3
    most = 4

    def __init__(self, world: LapWorld) -> None:
        self.world = world
        self.sizes: list[int] = []

    def write(self, writes: Sequence[Write], stopping: Callable[[], bool]) -> list[WriteResult]:
        self.sizes.append(len(writes))
        if stopping():
            raise Unavailable("stopped")
        return self.world.adapter.write(writes)


@pytest.fixture
def orders(world: LapWorld) -> Orders:
    orders = Orders(world)
    world.adapter.bulk = orders
    return orders


def answered(world: LapWorld, count: int) -> list[str]:
    """Let somebody of each of some accounts answer, all in one lap."""
    made = [world.account(f"Account {number}") for number in range(count)]
    people = [world.ask(account, world.crm.contact(account, f"Person of {account}")) for account in made]
    for invitation in people:
        world.answer(invitation, 5)
    return made


@BOTH_DATABASES
def test_many_changes_are_orders_and_few_are_calls(world: LapWorld, orders: Orders) -> None:
    many = answered(world, 5)
    world.lap()
    assert orders.sizes == [4, 4]  # of accounts and of contacts; the fifth of each is not worth an order
    assert [world.shows(account)["People"] for account in many] == [1] * 5
    orders.sizes.clear()
    world.rated(many[0], 4)
    assert orders.sizes == []
    assert world.shows(many[0])["People"] == 2


@BOTH_DATABASES
def test_a_refusal_in_an_order_is_its_records_alone(world: LapWorld, orders: Orders) -> None:
    many = answered(world, 3)
    world.crm.faults.refuse(RuleRefused("legal alone"), lambda row_id, _values: row_id == many[1])
    report = world.lap()
    assert (orders.sizes, report.written["acme"].refused) == ([3, 3], 1)
    (refused,) = world.refused()
    assert "legal alone" in refused["what"]
    assert [world.shows(account).get("People") for account in many] == [1, None, 1]


@BOTH_DATABASES
def test_a_lap_that_is_stopped_meanwhile_is_no_failure_and_the_next_one_writes(
    world: LapWorld, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = answered(world, 3)

    def stopped(writes: Sequence[Write], _stopping: Callable[[], bool]) -> list[WriteResult]:
        world.adapter.write(writes)
        world.installation.stop.set()
        raise Unavailable("the lap was stopped while the CRM was still writing.")

    with monkeypatch.context() as patched:
        patched.setattr(orders, "write", stopped)
        assert world.lap().exit_code == 0
    world.installation.stop.clear()
    assert world.lap().exit_code == 0
    assert [world.shows(account)["People"] for account in many] == [1] * 3
    assert world.refused() == []
