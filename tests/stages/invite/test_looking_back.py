"""`plan --since` tells what the rules would have done, at whatever hour it is asked."""

from datetime import UTC, datetime, timedelta

from lap_world import CSAT, LapWorld

from connector.commands import plan, status
from connector.store import tables

OFFICE = """[company]
timezone = "America/New_York"
working_hours = "mon-fri 08:00-17:00"
"""


def closed_case(world: LapWorld) -> None:
    account = world.account()
    world.crm.close(world.crm.case(account, world.crm.contact(account)))


def test_looked_at_in_the_evening_it_shows_what_would_have_been_asked_by_day(world: LapWorld) -> None:
    world.clock.set(datetime(2026, 11, 17, 15, 0, tzinfo=UTC))
    closed_case(world)
    world.clock.set(datetime(2026, 11, 22, 1, 0, tzinfo=UTC))  # Saturday evening
    for window in ("working_hours", "mon-fri 09:00-17:00"):
        # The last table of what stands before the rules is [limits].
        world.configure(f'sending_window = "{window}"\n{OFFICE}{CSAT}')
        assert plan.look_back(world.installation, timedelta(days=10)).would_ask == {"after-case": 1}


def test_weeks_and_days_are_the_companys(world: LapWorld) -> None:
    """Closed on a Sunday evening in New York, when it is Monday in Greenwich."""
    world.configure(OFFICE + CSAT)
    world.clock.set(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))
    closed_case(world)
    world.clock.set(datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
    seen = plan.look_back(world.installation, timedelta(days=3))
    assert seen.by_week == {"2026-11-16": 1}
    assert [example["on"] for example in seen.examples] == ["2026-11-22"]


def test_calls_of_today_are_those_since_the_companys_midnight(world: LapWorld) -> None:
    world.configure(OFFICE + CSAT)
    evening = datetime(2026, 11, 17, 4, 30, tzinfo=UTC)  # half an hour before New York's midnight
    with world.store.write() as tx:
        tx.execute(tables.call_count.delete())
        tx.execute(tables.call_count.insert().values(connection="acme", at=evening, calls=7))
    for minutes, calls in ((10, 7), (40, 0)):
        world.clock.set(evening + timedelta(minutes=minutes))
        assert status.status(world.installation)["crm"]["acme"]["calls_today"] == calls
