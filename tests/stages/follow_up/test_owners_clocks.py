"""What somebody has to do is due while they work, by their own clocks, whichever of two CRMs tells where they are."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from lap_world import CSAT, HOUR, UNHAPPY, LapWorld
from two_worlds import TwoWorlds

from connector.store import tables

COMPANY = '[company]\nname = "Northwind"\ntimezone = "Europe/Helsinki"\nworking_hours = "mon-fri 08:00-17:00"\n'
NEW_YORK = ZoneInfo("America/New_York")
TUESDAY_MORNING = datetime(2026, 11, 17, 6, 0, tzinfo=UTC)


def only(world: LapWorld) -> Any:
    (row,) = world.rows(tables.follow_up)
    return row


def local_due(world: LapWorld) -> datetime:
    due: datetime = only(world).due_at.astimezone(NEW_YORK)
    return due


def test_nobody_is_to_call_in_their_own_night(world: LapWorld) -> None:
    world.configure(COMPANY + CSAT + UNHAPPY)
    world.rep = world.crm.user("Anna Koski", TimeZoneSidKey="America/New_York")
    world.clock.set(TUESDAY_MORNING)
    world.rated(world.account(), 1)
    assert time(8) <= local_due(world).time() <= time(17)
    (task,) = world.tasks()
    world.crm.update(task["Id"], {"Status": "Completed", "Afterword_Outcome__c": "Not reached"})
    world.clock.set(datetime(2026, 11, 19, 6, 0, tzinfo=UTC))
    world.lap(HOUR)
    assert only(world).attempts == 1
    assert time(8) <= local_due(world).time() <= time(17)


def test_whoever_is_a_user_of_two_crms_reads_both_in_the_zone_that_one_tells(
    tmp_path: Any, clock: Any, store: Any
) -> None:
    world = TwoWorlds(tmp_path, clock, store)
    world.configure(COMPANY + CSAT + UNHAPPY)
    world.rep = world.crm.user("Anna Koski", TimeZoneSidKey="")
    world.other.user("Anna Koski", TimeZoneSidKey="America/New_York")
    world.clock.set(datetime(2026, 11, 17, 15, 0, tzinfo=UTC))
    world.lap()
    world.rated(world.account(), 1)
    (task,) = world.tasks()
    assert f"by {local_due(world):%a %H:%M}" in task["Subject"]
