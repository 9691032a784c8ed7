"""What ends on a day of which no time is known is over when that day is over, where its owner is."""

from datetime import UTC, datetime, timedelta

import pytest
from lap_world import CONFIG, LapWorld
from sqlalchemy import select

from connector.store import tables

RULES = '[surveys.after-meeting]\non = "meeting.held"\ndelay = "0s"\nreminder_after = "0s"\n'
DEALS = '[surveys.after-deal]\non = "deal.won"\ndelay = "0s"\nreminder_after = "0s"\n'
HELSINKI = '[company]\ntimezone = "Europe/Helsinki"\n'
TOMORROW = datetime(2026, 11, 17, tzinfo=UTC)


def end_of(world: LapWorld, record: str) -> datetime:
    with world.store.read() as tx:
        found = tx.execute(select(tables.interaction.c.ended_at).where(tables.interaction.c.ref.endswith(record)))
        moment: datetime = found.scalar_one()
        return moment


@pytest.mark.parametrize(
    ("zone", "over"),
    [
        ("America/New_York", datetime(2026, 11, 18, 5, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2026, 11, 17, 15, tzinfo=UTC)),
        (None, datetime(2026, 11, 17, 22, tzinfo=UTC)),  # the company's
    ],
)
def test_an_all_day_event_is_asked_about_when_its_day_is_over(
    world: LapWorld, zone: str | None, over: datetime
) -> None:
    world.configure(HELSINKI + RULES, config=CONFIG)
    owner = world.crm.user("Rick")
    world.crm.update(owner, {"TimeZoneSidKey": zone})
    account = world.account()
    world.lap()
    contact = world.crm.contact(account, "Maria Virtanen")
    meeting = world.crm.meeting(account, contact, start=TOMORROW, length=timedelta(), owner=owner, IsAllDayEvent=True)
    world.lap()
    assert end_of(world, meeting) == over
    world.clock.advance(over - timedelta(minutes=6) - world.clock.now())
    assert world.lap().invited == 0
    assert world.lap(timedelta(minutes=2)).invited == 1


def test_a_deal_of_which_the_day_is_known_is_over_with_its_day(world: LapWorld) -> None:
    world.configure(HELSINKI + DEALS, config=CONFIG)
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    world.lap()
    deal = world.crm.deal(account, contact=contact, owner=world.rep)
    world.crm.update(deal, {"StageName": "Closed Won", "CloseDate": TOMORROW.date()})
    world.crm.update(deal, {"LastStageChangeDate": None})
    world.lap()
    assert end_of(world, deal) == datetime(2026, 11, 17, 22, tzinfo=UTC)
