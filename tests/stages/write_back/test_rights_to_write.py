"""Nobody is asked while what they answer could not be written: rights to write are proven before anything is sent."""

from datetime import timedelta

from lap_world import DAY, LapWorld

from connector.commands import plan
from connector.store.ops import connections


def due(world: LapWorld) -> str:
    """Leave an interaction about which somebody is to be asked."""
    account = world.account()
    world.crm.close(world.crm.case(account, world.crm.contact(account)))
    world.clock.advance(timedelta(minutes=1))
    return account


def asks(world: LapWorld) -> int:
    return len(world.mailbox.messages)


def fresh(world: LapWorld) -> None:
    """As for a store that has never seen this CRM's rights, or has not asked for a day."""
    with world.store.write() as tx:
        connections.forget_schema(tx, "acme")


def test_nothing_is_sent_while_a_right_to_write_is_missing_and_it_is_named(world: LapWorld) -> None:
    due(world)
    world.crm.withhold("Task", "create")
    fresh(world)
    for _ in range(2):
        report = world.lap()
        assert (report.exit_code, asks(world), world.tasks()) == (3, 0, [])
        assert world.writes() <= 1, "at most the installation's mark, which is refused"
        (failure,) = report.failures["acme"]
        assert "the right to create Task" in failure.what
        assert failure.remedy == "Grant it."
    assert report.pulled["acme"].counts["account"].read >= 0  # reading goes on


def test_it_goes_on_in_the_lap_after_the_right_was_given(world: LapWorld) -> None:
    due(world)
    world.crm.withhold("Account", "update")
    fresh(world)
    world.lap()
    world.crm.withhold("Account")
    assert world.lap().exit_code == 0
    assert asks(world) == 1


def test_a_right_that_is_taken_away_later_is_noticed_within_a_day(world: LapWorld) -> None:
    world.crm.withhold("Contact", "update")
    assert world.lap().exit_code == 0  # not asked for in each lap
    due(world)
    assert world.lap(DAY).exit_code == 3
    assert asks(world) == 0


def test_a_right_that_nothing_needs_keeps_nobody_from_asking(world: LapWorld) -> None:
    due(world)
    world.crm.withhold("Case", "create", "update")
    fresh(world)
    assert (world.lap().exit_code, asks(world)) == (0, 1)


def test_a_plan_says_so_too(world: LapWorld) -> None:
    due(world)
    world.crm.withhold("Task", "update")
    fresh(world)
    planned = plan.next_lap(world.installation)
    assert planned.noted.messages == []
    assert ["update Task" in str(error) for error in planned.report.failures["acme"]] == [True]
