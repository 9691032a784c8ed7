"""When something is due, the way people mean it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.domain.durations import parse_duration
from connector.domain.working_time import Window, WorkingTime

HELSINKI = ZoneInfo("Europe/Helsinki")
NEW_YORK = ZoneInfo("America/New_York")
WEEK = Window(frozenset(range(5)), time(8), time(17))
OFFICE = WorkingTime(HELSINKI, WEEK, frozenset({date(2026, 12, 24), date(2026, 12, 25)}))
ANY = WorkingTime(HELSINKI, Window(), frozenset({date(2026, 12, 25)}))


def at(text: str, tz: ZoneInfo = HELSINKI) -> datetime:
    """Return the moment when clocks show this; the week of most tests is that of Monday 23 November 2026."""
    return datetime.fromisoformat(text).replace(tzinfo=tz)


@pytest.mark.parametrize(
    ("start", "after", "due"),
    [
        # A day is a working day, to the same time.
        ("2026-11-20 10:00", "24h", "2026-11-23 10:00"),  # Friday
        ("2026-11-20 17:00", "24h", "2026-11-23 17:00"),
        ("2026-11-23 08:00", "24h", "2026-11-24 08:00"),
        ("2026-11-18 12:30", "3d", "2026-11-23 12:30"),
        ("2026-11-18 12:30", "48h", "2026-11-20 12:30"),
        # Outside working hours it is the end of the last ones.
        ("2026-11-21 10:00", "24h", "2026-11-23 17:00"),  # Saturday
        ("2026-11-22 23:59", "24h", "2026-11-23 17:00"),
        ("2026-11-23 07:59", "24h", "2026-11-23 17:00"),
        ("2026-11-19 22:15", "24h", "2026-11-20 17:00"),
        # A rest counts working minutes.
        ("2026-11-20 15:00", "4h", "2026-11-23 10:00"),
        ("2026-11-20 15:00", "2h", "2026-11-20 17:00"),
        ("2026-11-20 10:00", "28h", "2026-11-23 14:00"),
        ("2026-11-20 15:00", "28h", "2026-11-24 10:00"),
        ("2026-11-21 10:00", "28h", "2026-11-24 12:00"),
        # Alone, it begins with the next working hours.
        ("2026-11-21 10:00", "4h", "2026-11-23 12:00"),
        ("2026-11-20 17:00", "15m", "2026-11-23 08:15"),
        ("2026-11-23 03:00", "90s", "2026-11-23 08:01:30"),
        ("2026-11-21 10:00", "0s", "2026-11-23 08:00"),
        ("2026-11-20 11:11", "0s", "2026-11-20 11:11"),
        # Less than a day is never later than a day.
        ("2026-11-20 15:00", "23h", "2026-11-23 15:00"),
        ("2026-11-20 15:00", "47h", "2026-11-24 15:00"),
        # Holidays are no working days: Thursday 24 and Friday 25 December.
        ("2026-12-23 10:00", "24h", "2026-12-28 10:00"),
        ("2026-12-24 10:00", "24h", "2026-12-28 17:00"),
        ("2026-12-23 16:00", "2h", "2026-12-28 09:00"),
        # Summer time: the same time of day, and minutes that pass.
        ("2026-03-27 10:00", "24h", "2026-03-30 10:00"),
        ("2026-10-23 16:00", "2h", "2026-10-26 09:00"),
    ],
)
def test_due_times_are_what_people_mean(start: str, after: str, due: str) -> None:
    result = OFFICE.due(at(start), parse_duration(after))
    assert result == at(due)
    assert result.tzinfo is UTC


def test_a_start_is_the_same_in_every_zone() -> None:
    assert OFFICE.due(at("2026-11-20 15:00").astimezone(NEW_YORK), timedelta(hours=4)) == at("2026-11-23 10:00")


@pytest.mark.parametrize("after", ["0s", "4h", "24h", "7d"])
def test_any_time_is_plain_arithmetic(after: str) -> None:
    start, span = at("2026-12-24 22:00"), parse_duration(after)
    assert ANY.due(start, span) == start + span
    assert ANY.is_open(start)
    assert ANY.next_open(start) == start
    assert ANY.add_working_days(start, 10) == start + timedelta(days=10)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-20 07:59:59", "2026-11-20 08:00"),
        ("2026-11-20 08:00", "2026-11-20 08:00"),
        ("2026-11-20 16:59:59", "2026-11-20 16:59:59"),
        ("2026-11-20 17:00", "2026-11-23 08:00"),
        ("2026-11-22 12:00", "2026-11-23 08:00"),
        ("2026-12-24 09:00", "2026-12-28 08:00"),
    ],
)
def test_it_opens_on_working_days_alone(moment: str, opens: str) -> None:
    assert OFFICE.next_open(at(moment)) == at(opens)
    assert OFFICE.is_open(at(moment)) is (moment == opens)


def test_ten_working_days_are_two_weeks() -> None:
    assert OFFICE.add_working_days(at("2026-11-20 10:00"), 10) == at("2026-12-04 10:00")
    assert OFFICE.add_working_days(at("2026-11-21 10:00"), 10) == at("2026-12-04 17:00")
    assert OFFICE.add_working_days(at("2026-11-21 10:00"), 0) == at("2026-11-20 17:00")


def test_the_day_is_that_of_the_place() -> None:
    assert OFFICE.day_of(datetime(2026, 11, 20, 22, 30, tzinfo=UTC)) == date(2026, 11, 21)


def test_hours_that_summer_time_skips_are_no_working_day() -> None:
    night = WorkingTime(NEW_YORK, Window(frozenset({6}), time(2), time(3)), frozenset())
    before = at("2026-03-01 02:30", NEW_YORK)
    assert night.due(before, timedelta(days=1)) == at("2026-03-15 02:30", NEW_YORK)


def test_a_time_that_summer_time_skips_is_when_clocks_have_moved_on() -> None:
    early = WorkingTime(NEW_YORK, Window(frozenset(range(7)), time(1), time(5)), frozenset())
    assert early.due(at("2026-03-07 02:30", NEW_YORK), timedelta(days=1)) == at("2026-03-08 03:30", NEW_YORK)


def test_many_holidays_in_a_row_are_passed_over() -> None:
    shut = frozenset(date(2026, 7, 1) + timedelta(days=n) for n in range(62))
    resort = WorkingTime(HELSINKI, WEEK, shut)
    assert resort.due(at("2026-06-30 10:00"), timedelta(days=1)) == at("2026-09-01 10:00")
    assert resort.next_open(at("2026-07-15 10:00")) == at("2026-09-01 08:00")


# ── whatever the place, the hours and the moment ─────────────────────────────────────────────────────────────────────


MOMENTS = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001 - made aware by the strategy
    max_value=datetime(2028, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=12))


@st.composite
def places(draw: st.DrawFn) -> WorkingTime:
    """Any days, hours of at least a minute, some holidays."""
    tz = ZoneInfo(draw(st.sampled_from(["UTC", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"])))
    start, end = sorted(draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=2, unique=True)))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    shut = draw(st.frozensets(st.dates(date(2025, 1, 1), date(2028, 1, 1)), max_size=20))
    return WorkingTime(tz, Window(days, time(*divmod(start, 60)), time(*divmod(end, 60))), shut)


def is_repeated(place: WorkingTime, moment: datetime) -> bool:
    """Whether clocks show this time for the second time on this day, so that an earlier moment has a later time of day."""
    return moment.astimezone(place.tz).fold == 1


@given(places(), MOMENTS, SPANS)
def test_what_is_due_lies_in_working_hours_or_at_their_end(
    place: WorkingTime, start: datetime, span: timedelta
) -> None:
    due = place.due(start, span)
    assert place.is_open(due) or place.is_open(due - timedelta(microseconds=1))
    local = due.astimezone(place.tz)
    assert local.weekday() in place.window.days
    assert local.date() not in place.holidays
    assert due >= start


@given(places(), MOMENTS, SPANS, SPANS)
def test_more_time_is_never_due_sooner(place: WorkingTime, start: datetime, span: timedelta, more: timedelta) -> None:
    assert place.due(start, span) <= place.due(start, span + more)


@given(places(), MOMENTS, SPANS, SPANS)
def test_what_begins_later_is_never_due_sooner(
    place: WorkingTime, start: datetime, later: timedelta, span: timedelta
) -> None:
    assume(not is_repeated(place, place.add_working_days(start + later, 0)))
    assert place.due(start, span) <= place.due(start + later, span)


@given(places(), MOMENTS, st.integers(0, 9), st.integers(0, 9))
def test_working_days_add_up(place: WorkingTime, start: datetime, one: int, other: int) -> None:
    halfway = place.add_working_days(start, one)
    local = halfway.astimezone(place.tz).time()
    assume(local == place.add_working_days(start, 0).astimezone(place.tz).time())  # no clock was moved there
    assert place.add_working_days(halfway, other) == place.add_working_days(start, one + other)


@given(places(), MOMENTS)
def test_what_opens_is_open_and_never_past(place: WorkingTime, moment: datetime) -> None:
    opens = place.next_open(moment)
    assert opens >= moment
    assert place.is_open(opens)
