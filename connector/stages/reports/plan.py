"""When a report to the managers is due, and what time it is about: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from connector.domain.working_time import DAY, WorkingTime
from connector.exports.period import Period, before, month
from connector.settings.value_readers import WeeklyTime

LATEST: Final = timedelta(days=3)
"""A report that could not be sent for so long is left out: by then its news are old, and the next one is near."""
_WEEK: Final = 7 * DAY


class ReportKind(StrEnum):
    """The reports that managers get."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report whose time has come, and the days that it is about; `previous` are the days that it is compared with."""

    kind: ReportKind
    due: datetime
    period: Period
    previous: Period

    def key(self, recipient: str) -> str:
        """Return the name under which somebody is sent this report once."""
        return f"{self.kind.value}:{self.period.name}:{recipient}"


def due_reports(now: datetime, weekly: WeeklyTime | None, working: WorkingTime) -> list[DueReport]:
    """Return the reports whose time has come, and is not long past; none without a time of the week.

    The week's is about the seven days before the day on which it is due, the month's, on the first working day of the next one and
    at the same time of day, about the whole month.
    """
    if weekly is None:
        return []
    candidates = [*_weekly(now, weekly, working), _monthly(now, weekly.at, working)]
    return [report for report in candidates if timedelta() <= now - report.due < LATEST]


def _weekly(now: datetime, weekly: WeeklyTime, working: WorkingTime) -> Iterator[DueReport]:
    today = working.day_of(now)
    for ago in range(LATEST.days + 1):
        day = today - ago * DAY
        if day.weekday() == weekly.day:
            period, previous = _week_before(day, working), _week_before(day - _WEEK, working)
            yield DueReport(ReportKind.WEEKLY, _moment(day, weekly.at, working), period, previous)


def _week_before(end: date, working: WorkingTime) -> Period:
    first = end - _WEEK
    return Period(f"{first.isoformat()}+7", first, end, working.tz)


def _monthly(now: datetime, at: time, working: WorkingTime) -> DueReport:
    this_month = month(working.day_of(now), working.tz)
    period = before(this_month, month)
    first_day = working.day_of(working.next_open(this_month.since))
    return DueReport(ReportKind.MONTHLY, _moment(first_day, at, working), period, before(period, month))


def _moment(day: date, at: time, working: WorkingTime) -> datetime:
    """Return when it is so late there. Of an hour that summer time doubles the first counts; what it skips is an hour later."""
    return datetime.combine(day, at, working.tz).astimezone(UTC)
