"""Keeping below HubSpot's limits of speed, so that the account's other programs are not slowed down."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from connector.ports import Clock

_SPAN = timedelta(seconds=10)
SLOWEST_BURST = 90
"""Calls in ten seconds that every edition allows (100), less a margin; what HubSpot reports is used as soon as it does."""
SEARCHES = 4
"""Searches in `SEARCH_SPAN`; HubSpot allows five in a second to all programs of the account together."""
SEARCH_SPAN = timedelta(seconds=1.25)
"""A second, and how much later than others a call may arrive: HubSpot counts arrivals, and a first call has a connection to make.
Without it the late ones of one second and the early ones of the next are too many together."""


class Window:
    """At most `most` calls within any `span` of time; a call waits on the clock until there is room."""

    def __init__(self, clock: Clock, *, most: int, span: timedelta) -> None:
        self._clock = clock
        self._lock = Lock()
        self._span = span
        self._most = most
        self._calls: deque[datetime] = deque()

    def wait(self) -> None:
        """Take a place, as soon as there is one."""
        while (pause := self._take()) > 0:
            self._clock.sleep(pause)

    def allow(self, most: int) -> None:
        """Take over what the CRM says that it allows."""
        with self._lock:
            self._most = max(1, most)

    def _take(self) -> float:
        with self._lock:
            now = self._clock.now()
            while self._calls and self._calls[0] <= now - self._span:
                self._calls.popleft()
            if len(self._calls) < self._most:
                self._calls.append(now)
                return 0.0
            return (self._calls[0] + self._span - now).total_seconds()


class Throttle:
    """The two speeds: searches, of which HubSpot gives no account, and all other calls."""

    def __init__(self, clock: Clock) -> None:
        self._searches = Window(clock, most=SEARCHES, span=SEARCH_SPAN)
        self._calls = Window(clock, most=SLOWEST_BURST, span=_SPAN)

    def wait(self, *, search: bool) -> None:
        """Wait until the next call of this sort is welcome."""
        (self._searches if search else self._calls).wait()

    def learn(self, most: int | None) -> None:
        """Take over how many calls HubSpot allows in ten seconds, and leave a tenth of them to others."""
        if most:
            self._calls.allow(most * 9 // 10)
