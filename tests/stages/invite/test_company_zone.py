"""Days and times are those of whoever reads them, or else the company's: never, without a word, those of Greenwich."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from asking import DAY, SITE, START, World, limits
from asking import world as asking_world
from lap_world import CSAT, UNHAPPY, LapWorld

from connector.commands.check.checks import check
from connector.commands.check.crm import CrmCheck
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store, tables
from mappings.converters import dates

COMPANY = '[company]\nname = "Northwind"\ntimezone = "America/New_York"\n'
NEW_YORK = ZoneInfo("America/New_York")
HELSINKI = ZoneInfo("Europe/Helsinki")


def evening(world: LapWorld) -> None:
    """Let it be Monday evening in New York, and Tuesday in Greenwich."""
    world.clock.set(datetime(2026, 11, 17, 1, 30, tzinfo=UTC))


def task_of(world: LapWorld) -> tuple[str, str, str]:
    """Return subject, body and day of the only task."""
    (task,) = world.tasks()
    return task["Subject"], task["Description"], task["ActivityDate"]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Mars/Olympus", NEW_YORK),
        (" europe/helsinki ", HELSINKI),
        ("FLE Standard Time", HELSINKI),
    ],
)
def test_task_and_record_show_the_owners_days_or_the_companys(world: LapWorld, zone: str, day: ZoneInfo) -> None:
    world.configure(COMPANY + CSAT + UNHAPPY)
    world.rep = world.crm.user("Anna Koski", TimeZoneSidKey=zone)
    evening(world)
    account = world.account()
    world.rated(account, 1)
    (row,) = world.rows(tables.follow_up)
    due, answered = row.due_at.astimezone(day), world.rows(tables.response)[0].at.astimezone(day)
    subject, body, date = task_of(world)
    assert f"by {due:%a %H:%M}" in subject
    assert f"{answered.day} Nov 2026" in body
    assert date == due.date().isoformat()
    assert f"{answered.day} Nov 2026" in world.shows(account)["Summary"]


def test_nobodys_task_shows_the_companys_days(world: LapWorld) -> None:
    world.configure(COMPANY + CSAT + UNHAPPY)
    world.rep = world.crm.user("Anna Koski", IsActive=False)
    evening(world)
    world.rated(world.account(), 1)
    (row,) = world.rows(tables.follow_up)
    assert f"by {row.due_at.astimezone(NEW_YORK):%a %H:%M}" in task_of(world)[0]


def test_when_somebody_was_asked_is_kept_with_the_companys_day(world: LapWorld) -> None:
    world.configure(COMPANY + CSAT)
    evening(world)
    account = world.account()
    world.ask(account, world.crm.contact(account))
    world.lap()
    (asked,) = [row.desired["last_asked"] for row in world.rows(tables.outbox_record) if "last_asked" in row.desired]
    assert dates.write(datetime.fromisoformat(asked)) == "2026-11-16"


@pytest.fixture
def here(store: Store) -> World:
    """A customer with one contact, whom we may ask; it is mid-morning in Greenwich, and night where the company is."""
    here = asking_world(store)
    here.zone = NEW_YORK
    return here


def test_mails_of_a_day_are_counted_from_the_companys_midnight(here: World) -> None:
    here.person("pekka")
    here.case("c1")
    here.case("c2", ["pekka"])
    here.limits = limits(daily_sends=1)
    assert invite.run(here.context()).invited == 1
    assert deliver.run(here.context(), SITE).sent == 1
    (waiting,) = [row for row in here.rows(tables.decision) if row.state == "waiting"]
    midnight = START.replace(hour=5) + DAY
    assert waiting.due_at == midnight
    here.clock.set(midnight - timedelta(seconds=1))
    assert invite.run(here.context()).invited == 0
    here.clock.set(midnight)
    assert invite.run(here.context()).invited == 1
    assert deliver.run(here.context(), SITE).sent == 1


def test_mail_for_somebody_of_whom_nothing_is_known_keeps_to_the_companys_hours(here: World) -> None:
    here.limits = limits(sending_window="mon-fri 09:00-17:00")
    here.case("c1")
    assert invite.run(here.context()).invited == 0
    here.clock.set(START.replace(hour=14))
    assert invite.run(here.context()).invited == 1
    here.limits = limits(sending_window="mon-fri 10:00-17:00")
    assert deliver.run(here.context(), SITE).sent == 0
    here.clock.set(START.replace(hour=15))
    assert deliver.run(here.context(), SITE).sent == 1


def test_figures_hold_for_the_start_of_the_companys_day(world: LapWorld) -> None:
    world.configure(COMPANY + CSAT)
    evening(world)
    world.rated(world.account(), 4)
    (score,) = world.rows(tables.customer_score)
    assert score.as_of == datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    assert {row.day for row in world.rows(tables.prior)} == {"2026-11-16"}


def test_check_names_whose_zone_cannot_be_read(world: LapWorld) -> None:
    world.configure(COMPANY + CSAT)
    for name, zone in (("Anna Koski", "Mars/Olympus"), ("Bo Ek", "Mars/Olympus"), ("Cilla Ro", "europe/helsinki")):
        world.crm.user(name, TimeZoneSidKey=zone)
    world.crm.user("Dan Ny", TimeZoneSidKey="Venus/North", IsActive=False)
    world.lap()
    (problem,) = CrmCheck(world.installation, world.installation.endpoints[0]).problems()
    assert (problem.where, problem.severity) == ("config.toml: crm.acme", "warning")
    assert "'Mars/Olympus' of Anna Koski and 1 more is not known" in problem.what
    assert "America/New_York" in problem.what


def test_check_offers_the_crms_own_zone_where_the_company_says_none(world: LapWorld) -> None:
    (problem,) = [
        problem for problem in check(world.installation).problems if problem.where.endswith("company.timezone")
    ]
    assert 'timezone = "Europe/Helsinki"' in problem.remedy
    world.configure(COMPANY + CSAT)
    assert [problem for problem in check(world.installation).problems if "company" in problem.where] == []
