"""When reports are due, and which days they are about: pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from connector.domain.working_time import Window, WorkingTime
from connector.settings import WeeklyTime
from connector.stages.reports.plan import DueReport, ReportKind, due_reports

HELSINKI = ZoneInfo("Europe/Helsinki")
MONDAY_8 = WeeklyTime(0, time(8))
OFFICE = WorkingTime(HELSINKI, Window(frozenset(range(5)), time(8), time(17)), frozenset())


def local(text: str, tz: ZoneInfo = HELSINKI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC)


def due(text: str, weekly: WeeklyTime | None = MONDAY_8, working: WorkingTime = OFFICE) -> list[DueReport]:
    return due_reports(local(text, working.tz), weekly, working)


def weeks(text: str, weekly: WeeklyTime | None = MONDAY_8, working: WorkingTime = OFFICE) -> list[tuple[date, date]]:
    """Return the first day and the day after the last of the weekly reports that are due."""
    found = due(text, weekly, working)
    return [(report.period.first, report.period.end) for report in found if report.kind is ReportKind.WEEKLY]


def months(text: str, working: WorkingTime = OFFICE) -> list[str]:
    return [report.period.name for report in due(text, working=working) if report.kind is ReportKind.MONTHLY]


def closed_on(*days: date) -> WorkingTime:
    return WorkingTime(HELSINKI, OFFICE.window, frozenset(days))


WEEK = (date(2026, 11, 16), date(2026, 11, 23))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T07:59:59", []),
        ("2026-11-23T08:00", [WEEK]),
        ("2026-11-26T07:59:59", [WEEK]),
        ("2026-11-26T08:00", []),
        ("2026-11-29T23:00", []),
    ],
)
def test_the_week_is_reported_from_its_time_on_and_for_three_days(now: str, expected: list[tuple[date, date]]) -> None:
    assert weeks(now) == expected


def test_a_report_at_the_end_of_the_week_is_about_the_seven_days_before_it() -> None:
    friday = WeeklyTime(4, time(15))
    assert weeks("2026-11-27T15:00", friday) == [(date(2026, 11, 20), date(2026, 11, 27))]
    assert weeks("2026-11-30T14:00", friday) == [(date(2026, 11, 20), date(2026, 11, 27))], "late, over a weekend"


def test_no_day_is_reported_twice_or_left_out() -> None:
    ends = [date(2026, 1, 5) + timedelta(days=7 * number) for number in range(60)]
    for end in ends:
        assert weeks(f"{end.isoformat()}T08:00") == [(end - timedelta(days=7), end)]
        (report, *_) = due(f"{end.isoformat()}T08:00")
        assert report.previous.end == report.period.first
        assert report.previous.first == report.period.first - timedelta(days=7)


def test_without_a_time_there_are_no_reports() -> None:
    assert due("2026-12-01T09:00", weekly=None) == []


@pytest.mark.parametrize(
    ("now", "working", "expected"),
    [
        ("2026-12-01T07:59", OFFICE, []),
        ("2026-12-01T08:00", OFFICE, ["2026-11"]),
        ("2026-12-04T07:59", OFFICE, ["2026-11"]),
        ("2026-12-04T08:00", OFFICE, []),
        # 1 August 2026 is a Saturday.
        ("2026-08-01T09:00", OFFICE, []),
        ("2026-08-03T08:00", OFFICE, ["2026-07"]),
        ("2026-08-06T07:00", OFFICE, ["2026-07"]),
        # New Year's Day 2027 is a Friday.
        ("2027-01-01T09:00", closed_on(date(2027, 1, 1)), []),
        ("2027-01-04T08:00", closed_on(date(2027, 1, 1)), ["2026-12"]),
        ("2027-01-01T08:00", OFFICE, ["2026-12"]),
        # Where working hours never end, every day is one.
        ("2026-08-01T08:00", WorkingTime(HELSINKI, Window(), frozenset()), ["2026-07"]),
    ],
)
def test_the_month_is_reported_on_the_first_working_day_of_the_next(
    now: str, working: WorkingTime, expected: list[str]
) -> None:
    assert months(now, working) == expected


def test_the_month_is_compared_with_the_one_before_also_over_new_year() -> None:
    (report,) = [one for one in due("2027-01-01T08:00") if one.kind is ReportKind.MONTHLY]
    assert (report.period.name, report.previous.name) == ("2026-12", "2026-11")
    (report,) = [one for one in due("2026-02-02T08:00") if one.kind is ReportKind.MONTHLY]
    assert (report.period.name, report.previous.name) == ("2026-01", "2025-12")


# On 25 October 2026 the hour from 3 to 4 comes twice in Helsinki; on 29 March 2026 it does not come at all.
NIGHT = WeeklyTime(6, time(3, 30))
ANY = WorkingTime(HELSINKI, Window(), frozenset())


def every_quarter(first: datetime, last: datetime) -> list[DueReport]:
    moments = [first + timedelta(minutes=15 * number) for number in range(int((last - first) / timedelta(minutes=15)))]
    return [report for now in moments for report in due_reports(now, NIGHT, ANY)]


@pytest.mark.parametrize("day", ["2026-10-25", "2026-03-29"])
def test_a_change_of_clocks_neither_doubles_a_report_nor_loses_it(day: str) -> None:
    midnight = local(f"{day}T00:00")
    found = [one for one in every_quarter(midnight, midnight + timedelta(days=1)) if one.kind is ReportKind.WEEKLY]
    assert {report.key("cx@acme.example") for report in found} == {
        f"weekly:{(date.fromisoformat(day) - timedelta(days=7)).isoformat()}+7:cx@acme.example"
    }
    assert len({report.due for report in found}) == 1


def test_the_days_of_a_report_are_those_of_the_company() -> None:
    (report,) = [one for one in due("2026-03-30T08:00") if one.kind is ReportKind.WEEKLY]
    assert report.period.since == datetime(2026, 3, 22, 22, tzinfo=UTC), "winter time"
    assert report.period.until == datetime(2026, 3, 29, 21, tzinfo=UTC), "summer time"


def test_each_report_has_its_own_key() -> None:
    reports = [*due("2026-11-30T08:00"), *due("2026-12-01T08:00"), *due("2026-12-07T08:00")]
    keys = [report.key(address) for report in reports for address in ("a@acme.example", "b@acme.example")]
    assert [report.kind.value for report in reports] == ["weekly", "weekly", "monthly", "weekly"]
    assert len(set(keys)) == 6, "the week of 23 November is the same one on Monday and on Tuesday"
