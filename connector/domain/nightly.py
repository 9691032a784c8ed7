"""When nightly work is due: once for each day of the calendar, whatever happens to the clocks."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger


class Nightly(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A time of day in one zone, once a day.

    By a plain clock the hour that comes twice when summer time ends would bring the work twice, an hour apart. A time that is skipped
    when summer time begins is as much later.
    """

    def __init__(self, at: time, zone: ZoneInfo) -> None:
        self._at: Final = at
        self._zone: Final = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next moment not before `now`, on a later day than the one before."""
        day = now.astimezone(self._zone).date()
        if previous_fire_time is not None:
            day = max(day, previous_fire_time.astimezone(self._zone).date() + timedelta(days=1))
        # By way of UTC: a time that is skipped is none of this zone's times before.
        due = datetime.combine(day, self._at, self._zone).astimezone(UTC)
        if due < now:
            due = datetime.combine(day + timedelta(days=1), self._at, self._zone).astimezone(UTC)
        return due.astimezone(self._zone)
