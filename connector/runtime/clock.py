"""Clocks: the system's, and one that is set by hand."""

import threading
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of real time."""
        time.sleep(seconds)


class SteppedClock:
    """A clock that stands still until somebody moves it, so that months pass in a moment. May be shared between threads."""

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._now = _utc(start)

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        with self._lock:
            return self._now

    def advance(self, step: timedelta) -> datetime:
        """Let time pass, and return the new present. Time never runs backwards: `ValueError`."""
        if step < timedelta():
            raise ValueError(f"a clock cannot be moved back by {-step}")
        with self._lock:
            self._now += step
            return self._now

    def set(self, moment: datetime) -> None:
        """Move on to an aware moment, not before the present one: `ValueError`."""
        target = _utc(moment)
        with self._lock:
            if target < self._now:
                raise ValueError(f"a clock at {self._now} cannot be moved back to {target}")
            self._now = target

    def sleep(self, seconds: float) -> None:
        """Wait by moving on: no real time passes."""
        self.advance(timedelta(seconds=seconds))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a clock needs an aware datetime")
    return moment.astimezone(UTC)
