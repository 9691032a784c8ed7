"""Date literals of the query language (TODAY, LAST_N_DAYS:30, THIS_MONTH …) as half-open ranges of days."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.sandbox.salesforce.org.field_values import stamp

Days = tuple[date, date]
_QUARTER = 90


def days_of(literal: str, today: date) -> Days:
    """The first day of a literal's range and the day after its last; `literal` is in lower case."""
    name, _, count = literal.partition(":")
    if count:
        return _counted(name, int(count), today)
    return _NAMED[name](today)


def as_stamps(days: Days, zone: ZoneInfo) -> tuple[str, str]:
    """A range of days as stamps, days beginning at midnight in the user's time zone."""
    start, end = (stamp(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in days)
    return start, end


def _counted(name: str, count: int, today: date) -> Days:
    if name == "n_days_ago":
        return today - timedelta(count), today - timedelta(count - 1)
    back = name.startswith("last")
    if name.endswith("days"):
        return (
            (today - timedelta(count), today + timedelta(1))
            if back
            else (today + timedelta(1), today + timedelta(count + 1))
        )
    if name.endswith("weeks"):
        week = _week(today)
        return (
            (week - timedelta(weeks=count), week) if back else (week + timedelta(7), week + timedelta(weeks=count + 1))
        )
    months = count * (12 if name.endswith("years") else 1)
    start = today.replace(day=1, month=1) if name.endswith("years") else today.replace(day=1)
    own = 12 if name.endswith("years") else 1
    return (_month(start, -months), start) if back else (_month(start, own), _month(start, own + months))


def _week(day: date) -> date:
    """The Sunday that begins the week."""
    return day - timedelta((day.weekday() + 1) % 7)


def _month(start: date, months: int) -> date:
    total = start.year * 12 + start.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _weeks(offset: int) -> Callable[[date], Days]:
    return lambda today: (_week(today) + timedelta(7 * offset), _week(today) + timedelta(7 * offset + 7))


def _months(offset: int) -> Callable[[date], Days]:
    return lambda today: (_month(today.replace(day=1), offset), _month(today.replace(day=1), offset + 1))


def _years(offset: int) -> Callable[[date], Days]:
    return lambda today: (date(today.year + offset, 1, 1), date(today.year + offset + 1, 1, 1))


_NAMED: dict[str, Callable[[date], Days]] = {
    "today": lambda today: (today, today + timedelta(1)),
    "yesterday": lambda today: (today - timedelta(1), today),
    "tomorrow": lambda today: (today + timedelta(1), today + timedelta(2)),
    "last_week": _weeks(-1),
    "this_week": _weeks(0),
    "next_week": _weeks(1),
    "last_month": _months(-1),
    "this_month": _months(0),
    "next_month": _months(1),
    "last_year": _years(-1),
    "this_year": _years(0),
    "next_year": _years(1),
    "last_90_days": lambda today: (today - timedelta(_QUARTER), today + timedelta(1)),
    "next_90_days": lambda today: (today + timedelta(1), today + timedelta(_QUARTER + 1)),
}
