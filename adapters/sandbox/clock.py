"""The one source of time of a pretend CRM: stamps, token expiry and the HTTP Date header all come from here."""

import threading
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A clock that stands still until it is moved, or that follows the real time with an offset.

    Built with `start` (aware) it stands there; built without, it follows the real time. `set` and `advance` work in both
    kinds: a following clock keeps its new offset. The clock may be shared with the program under test, which only calls `now`.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the clock needs an aware datetime")
        self._lock = threading.Lock()
        self._still = start.astimezone(UTC) if start else None
        self._offset = timedelta()

    @property
    def follows_real_time(self) -> bool:
        """Whether time passes by itself."""
        return self._still is None

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        with self._lock:
            return self._still or datetime.now(UTC) + self._offset

    def advance(self, step: timedelta) -> datetime:
        """Moves by `step` and returns the new present."""
        with self._lock:
            if self._still is None:
                self._offset += step
                return datetime.now(UTC) + self._offset
            self._still += step
            return self._still

    def set(self, moment: datetime) -> None:
        """Jumps to `moment` (aware), forwards or backwards."""
        if moment.tzinfo is None:
            raise ValueError("the clock needs an aware datetime")
        with self._lock:
            if self._still is None:
                self._offset = moment - datetime.now(UTC)
            else:
                self._still = moment.astimezone(UTC)
