"""Beside HubSpot, which tells no time zone of its users: our words and its own pages name the same day and hour."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from house import DAY, RULES, standing
from house_hubspot import COMPANIES, HubSpotHouse

from connector.clock import SteppedClock


def test_task_and_record_name_the_times_that_the_portal_shows(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing(HubSpotHouse, tmp_path, store_address, clock) as house:
        house.configure(f'{RULES}\n[company]\ntimezone = "{house.org.time_zone}"\n')
        assert house.lap().exit_code == 0
        company = house.account("Northwind", owner=house.rep("Anna Koski", "anna@acme.example"))
        contact = house.contact(company, "Maria Virtanen", "maria@nw.example")
        # Late on Monday where the portal is, when it is Tuesday already in Greenwich.
        clock.set(datetime(2026, 11, 17, 2, 0, tzinfo=UTC))
        house.close_case(house.case(company, contact))
        assert house.later(DAY).sent == 1
        house.answer(house.mailbox.mails[0], 1)
        assert house.lap().follow_ups == 1
        (task,) = house.tasks()
        there = ZoneInfo(house.org.time_zone)
        due = datetime.fromisoformat(task["hs_timestamp"]).astimezone(there)
        answered = house.clock.now().astimezone(there)
        assert due.date() != due.astimezone(UTC).date()
        assert f"{due:%H:%M}" in task["hs_task_subject"]
        assert f"{answered.day} Nov" in house.shows(COMPANIES, company)["summary"]
