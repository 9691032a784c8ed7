"""The time that an export or a report is about: a year, a quarter, a month, or a week of the company's calendar."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_FORMS: Final = re.compile(r"(?P<year>[0-9]{4})(?:-(?:Q(?P<quarter>[1-4])|W(?P<week>[0-9]{2})|(?P<month>[0-9]{2})))?")


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to, and without, `end`, by the clocks of `tz`."""

    name: str
    """As people write it: ``2026-10``, ``2026-Q4``, ``2026-W45``, ``2026``."""
    first: date
    end: date
    tz: ZoneInfo

    @property
    def since(self) -> datetime:
        """The moment at which it begins, in UTC."""
        return datetime.combine(self.first, time(), self.tz).astimezone(UTC)

    @property
    def until(self) -> datetime:
        """The moment at which it is over, in UTC."""
        return datetime.combine(self.end, time(), self.tz).astimezone(UTC)

    @property
    def last_moment(self) -> datetime:
        """A moment of its last day, in UTC."""
        return self.until - timedelta(seconds=1)


def parse_period(text: str, tz: ZoneInfo) -> Period:
    """Read ``2026``, ``2026-Q4``, ``2026-10`` or ``2026-W45`` (a week by ISO 8601). Raises ValueError for anything else."""
    parts = _FORMS.fullmatch(text.strip().upper())
    if parts is None:
        raise ValueError(f"{text!r} is no period")
    year = int(parts["year"])
    if not date.min.year < year < date.max.year:
        raise ValueError(f"{text!r} is no period")
    if parts["quarter"]:
        return months(year, 3 * int(parts["quarter"]) - 2, count=3, tz=tz, name=f"{year}-Q{parts['quarter']}")
    if parts["week"]:
        return week(date.fromisocalendar(year, int(parts["week"]), 1), tz)
    if parts["month"]:
        return month(date(year, int(parts["month"]), 1), tz)
    return Period(f"{year}", date(year, 1, 1), date(year + 1, 1, 1), tz)


def months(year: int, first: int, *, count: int, tz: ZoneInfo, name: str) -> Period:
    """Return so many months from one of a year on."""
    begins = date(year, first, 1)
    ends = date(year + (first + count - 1) // 12, (first + count - 1) % 12 + 1, 1)
    return Period(name, begins, ends, tz)


def month(day: date, tz: ZoneInfo) -> Period:
    """Return the month that a day lies in."""
    return months(day.year, day.month, count=1, tz=tz, name=f"{day:%Y-%m}")


def week(day: date, tz: ZoneInfo) -> Period:
    """Return the week, Monday to Sunday, that a day lies in."""
    monday = day - timedelta(days=day.weekday())
    year, number, _ = monday.isocalendar()
    return Period(f"{year}-W{number:02d}", monday, monday + timedelta(days=7), tz)


def before(period: Period, of: Callable[[date, ZoneInfo], Period]) -> Period:
    """Return the period of the same kind that ended when this one began."""
    return of(period.first - timedelta(days=1), period.tz)
