"""Beside HubSpot, which tells no time zone of its users: our words and its own pages name the same day and hour."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from environment import DAY, RULES, standing
from environment_hubspot import COMPANIES, HubSpotEnvironment

from connector.runtime.clock import SteppedClock


def test_task_and_record_name_the_times_that_the_portal_shows(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing(HubSpotEnvironment, tmp_path, store_address, clock) as env:
        env.configure(f'{RULES}\n[company]\ntimezone = "{env.org.time_zone}"\n')
        assert env.lap().exit_code == 0
        company = env.account("Northwind", owner=env.rep("Anna Koski", "anna@acme.example"))
        contact = env.contact(company, "Maria Virtanen", "maria@nw.example")
        # Late on Monday where the portal is, when it is Tuesday already in Greenwich.
        clock.set(datetime(2026, 11, 17, 2, 0, tzinfo=UTC))
        env.close_case(env.case(company, contact))
        assert env.later(DAY).sent == 1
        env.answer(env.mailbox.mails[0], 1)
        assert env.lap().follow_ups == 1
        (task,) = env.tasks()
        there = ZoneInfo(env.org.time_zone)
        due = datetime.fromisoformat(task["hs_timestamp"]).astimezone(there)
        answered = env.clock.now().astimezone(there)
        assert due.date() != due.astimezone(UTC).date()
        assert f"{due:%H:%M}" in task["hs_task_subject"]
        assert f"{answered.day} Nov" in env.shows(COMPANIES, company)["summary"]
