"""What config.toml says of the company and its people."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from connector.commands.check.checks import calendar_gaps
from connector.domain.working_time import Window, WorkingTime
from connector.errors import Problem
from connector.settings import Settings, Superior, WeeklyTime

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "pat-na1-0123456789"\n'

Read = Callable[..., Settings]
Refused = Callable[..., tuple[Problem, ...]]


def test_nothing_said_of_the_company_means_any_time_in_utc(read: Read) -> None:
    settings = read(HUB)
    assert settings.company.working_time == WorkingTime(ZoneInfo("UTC"), Window(), frozenset())
    assert (settings.company.language, settings.company.name, settings.admin.email) == ("en", None, None)
    assert (settings.reports.weekly, dict(settings.causes), settings.web.managers) == (None, {}, ())
    assert settings.schedule.timezone == ZoneInfo("UTC")


def test_the_company_says_when_its_people_work(read: Read) -> None:
    text = """
[company]
name = "Acme Oy"
language = "fi-FI"
timezone = "Europe/Helsinki"
working_hours = "Mon-Fri 8:00-17:00"
holidays = ["2026-12-24", 2026-12-25]
"""
    company = read(HUB + text).company
    hours = Window(frozenset(range(5)), time(8), time(17))
    holidays = frozenset({date(2026, 12, 24), date(2026, 12, 25)})
    assert company.working_time == WorkingTime(ZoneInfo("Europe/Helsinki"), hours, holidays)
    assert (company.name, company.language) == ("Acme Oy", "fi")


@pytest.mark.parametrize(
    ("text", "company", "schedule"),
    [
        ('[company]\ntimezone = "Europe/Helsinki"\n', "Europe/Helsinki", "Europe/Helsinki"),
        ('[schedule]\ntimezone = "Europe/Helsinki"\n', "Europe/Helsinki", "Europe/Helsinki"),
        ('[schedule]\ntimezone = "UTC"\n[company]\ntimezone = "Asia/Tokyo"\n', "Asia/Tokyo", "UTC"),
    ],
)
def test_company_and_schedule_take_each_others_time_zone(read: Read, text: str, company: str, schedule: str) -> None:
    settings = read(HUB + text)
    assert (settings.company.timezone.key, settings.schedule.timezone.key) == (company, schedule)
    assert "timezone" in settings.company.model_fields_set


def test_a_wrong_time_zone_is_named_where_it_stands(problems: Refused) -> None:
    assert [one.where for one in problems(HUB + '[company]\ntimezone = "Nowhere"\n')] == [
        "config.toml: company.timezone"
    ]


def test_mail_can_keep_to_the_companys_working_hours(read: Read) -> None:
    text = """
[limits]
sending_window = "working_hours"
[company]
timezone = "Europe/Helsinki"
working_hours = "mon-fri 08:00-17:00"
holidays = ["2026-12-24", "2026-12-25"]
"""
    window = read(HUB + text).limits.sending_window
    evening = datetime(2026, 12, 23, 15, 0, tzinfo=UTC)  # Wednesday 17:00 in Helsinki
    assert not window.always
    assert window.next_open(evening, ZoneInfo("America/New_York")) == datetime(2026, 12, 28, 6, 0, tzinfo=UTC)
    assert read(HUB + '[limits]\nsending_window = "working_hours"\n').limits.sending_window.always


def test_deputies_stand_in_while_somebody_is_away(read: Read) -> None:
    text = """
[deputies]
"Jonas@acme.example" = "anna@acme.example"
"anna@acme.example" = "Maria@acme.example"
[away]
"jonas@acme.example" = "2026-12-10"
"anna@acme.example" = 2026-12-04
"""
    settings, first, last = read(HUB + text), date(2026, 12, 4), date(2026, 12, 10)
    assert settings.is_away("JONAS@acme.example", last)
    assert not settings.is_away("jonas@acme.example", last + timedelta(days=1))
    assert not settings.is_away("maria@acme.example", first)
    assert settings.stand_in("jonas@acme.example", first) == "maria@acme.example"
    assert settings.stand_in("jonas@acme.example", last) == "anna@acme.example"
    assert settings.stand_in("maria@acme.example", first) is None


def test_who_is_told_of_late_ones_can_be_said_and_be_nobody(read: Read) -> None:
    rule = HUB + '[follow_up.f]\nwhen = "csat <= 2"\n'
    assert read(rule).follow_up["f"].escalate == (Superior.OWNER_MANAGER, Superior.MANAGERS)
    assert read(rule).follow_up["f"].escalate_after == timedelta(days=1)
    assert read(rule + "escalate = []\n").follow_up["f"].escalate == ()
    people = read(rule + 'escalate = ["managers", "Boss@acme.example"]\n').follow_up["f"].escalate
    assert people == (Superior.MANAGERS, "boss@acme.example")


def test_a_report_comes_at_a_time_of_the_week_or_never(read: Read) -> None:
    assert read(HUB + '[reports]\nweekly = "Mon 08:00"\n').reports.weekly == WeeklyTime(0, time(8))
    assert read(HUB + '[reports]\nweekly = "off"\n').reports.weekly is None


def test_tables_whose_keys_are_the_admins_own_are_one_variable_each(read: Read) -> None:
    environ = {
        "AFTERWORD_DEPUTIES": '{"jonas@acme.example" = "anna@acme.example"}',
        "AFTERWORD_AWAY": '{"jonas@acme.example" = 2026-12-10}',
        "AFTERWORD_CAUSES": '{late = "Came late"}',
        "AFTERWORD_COMPANY__HOLIDAYS": "2026-12-24, 2026-12-25",
        "AFTERWORD_WEB__MANAGERS": "cx@acme.example, Boss@acme.example",
        "AFTERWORD_FOLLOW_UP__F__ESCALATE": "managers",
    }
    settings = read(HUB + '[away]\n"anna@acme.example" = "2026-12-01"\n[follow_up.f]\nwhen = "csat <= 2"\n', environ)
    assert settings.deputies == {"jonas@acme.example": "anna@acme.example"}
    assert settings.away == {"jonas@acme.example": date(2026, 12, 10)}
    assert settings.causes == {"late": "Came late"}
    assert settings.company.holidays == (date(2026, 12, 24), date(2026, 12, 25))
    assert settings.web.managers == ("cx@acme.example", "boss@acme.example")
    assert settings.follow_up["f"].escalate == (Superior.MANAGERS,)


def test_a_variable_that_holds_no_table_is_named(problems: Refused) -> None:
    (problem,) = problems(HUB, {"AFTERWORD_DEPUTIES": "jonas@acme.example"})
    assert (problem.where, problem.remedy) == ("environment: AFTERWORD_DEPUTIES", "Write keys and values.")


GAPS = [
    ("", ["company.timezone"]),
    ('[company]\ntimezone = "Europe/Helsinki"\n', []),
    ('[schedule]\ntimezone = "UTC"\n', []),
    (
        '[company]\ntimezone = "UTC"\nholidays = ["2026-12-25"]\n[limits]\nsending_window = "working_hours"\n',
        ["limits.sending_window", "company.holidays"],
    ),
    (
        '[company]\ntimezone = "UTC"\nworking_hours = "mon-fri 08:00-17:00"\nholidays = ["2026-12-25"]\n'
        '[limits]\nsending_window = "working_hours"\n',
        [],
    ),
    ('[company]\ntimezone = "UTC"\n[away]\n"j@acme.example" = "2026-12-25"\n', ["away.j@acme.example"]),
    (
        '[company]\ntimezone = "UTC"\n[away]\n"J@acme.example" = "2026-12-25"\n'
        '[deputies]\n"j@acme.example" = "a@acme.example"\n',
        [],
    ),
]


@pytest.mark.parametrize(("text", "places"), GAPS)
def test_what_comes_to_nothing_is_a_warning(read: Read, text: str, places: list[str]) -> None:
    gaps = list(calendar_gaps(read(HUB + text)))
    assert [gap.where.removeprefix("config.toml: ") for gap in gaps] == places
    assert all(gap.severity == "warning" for gap in gaps)
