"""Working time: when people are there, and when something is due the way people mean it. Pure; all results are in UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the week and local times of day. Without days it never closes."""

    days: frozenset[int] = frozenset()
    """Monday is 0."""
    start: time = time(0)
    end: time = time(0)

    @property
    def always(self) -> bool:
        """Whether the window never closes."""
        return not self.days


@dataclass(frozen=True, slots=True)
class _Hours:
    """The working hours of one day, in UTC."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The hours at which people of one place work. Where `window` never closes, holidays close nothing either."""

    tz: ZoneInfo
    window: Window
    holidays: frozenset[date]

    def due(self, start: datetime, after: timedelta) -> datetime:
        """Return when something is due that may take so long from `start` (aware), in UTC.

        Each full 24 hours is a working day, to the same time of day: Friday 17:00 and 24 h come to Monday 17:00. A start outside
        working hours counts as the end of the last ones before it. What is left over is counted in working minutes, from
        the next working hours on where it starts outside, and never comes later than a whole working day would.
        """
        if self.window.always:
            return start.astimezone(UTC) + after
        days, rest = divmod(after, DAY)
        soonest = self.add_working_days(start, days) if days else start.astimezone(UTC)
        if days and not rest:
            return soonest
        return min(self._after_minutes(soonest, rest), self.add_working_days(start, days + 1))

    def is_open(self, at: datetime) -> bool:
        """Whether `at` (aware) lies in working hours; their end does not."""
        return self.next_open(at) == at

    def next_open(self, at: datetime) -> datetime:
        """Return the first moment not before `at` (aware) that lies in working hours, in UTC."""
        if self.window.always:
            return at.astimezone(UTC)
        return max(at.astimezone(UTC), next(self._hours_from(at)).opens)

    def add_working_days(self, at: datetime, days: int) -> datetime:
        """Return the same time of day so many working days later, in UTC; for `at` outside working hours see `due`."""
        if self.window.always:
            return at.astimezone(UTC) + days * DAY
        begin = self._begin(at).astimezone(self.tz)
        hours = next(islice(self._days(begin.date()), days, None))
        return min(max(hours.opens, self._at(hours.day, begin.time())), hours.closes)

    def working_day_before(self, day: date) -> date:
        """Return the last day before `day` on which people work."""
        if self.window.always:
            return day - DAY
        return next(self._days(day - DAY, step=-1)).day

    def day_of(self, at: datetime) -> date:
        """Return the date that people here have at `at` (aware)."""
        return at.astimezone(self.tz).date()

    # ── days and their hours ─────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, at: datetime) -> datetime:
        """Return `at`, or, outside working hours, the end of the last ones before it."""
        moment = at.astimezone(UTC)
        last = next(hours for hours in self._days(self.day_of(at), step=-1) if hours.opens <= moment)
        return min(moment, last.closes)

    def _after_minutes(self, at: datetime, rest: timedelta) -> datetime:
        """Return the moment by which so much working time has passed; with none, the next one in working hours."""
        begins, coming = self.next_open(at), self._hours_from(at)
        hours = next(coming)
        while rest > hours.closes - begins:
            rest -= hours.closes - begins
            hours = next(coming)
            begins = hours.opens
        return begins + rest

    def _hours_from(self, at: datetime) -> Iterator[_Hours]:
        """Yield the working hours that end after `at`, one day's after another's."""
        return (hours for hours in self._days(self.day_of(at)) if hours.closes > at)

    def _days(self, day: date, *, step: int = 1) -> Iterator[_Hours]:
        """Yield the hours of each working day from `day` on, or back from it."""
        while True:
            opens, closes = self._at(day, self.window.start), self._at(day, self.window.end)
            # A window in the hour that summer time skips does not open on that day.
            if day.weekday() in self.window.days and day not in self.holidays and opens < closes:
                yield _Hours(day, opens, closes)
            day += step * DAY

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.tz).astimezone(UTC)
