"""Keeping below HubSpot's limits of speed, so that the account's other programs are not slowed down."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from connector.ports import Clock

BURST_SPAN = timedelta(seconds=10.5)
"""HubSpot's ten seconds, and how much later than others a call may arrive: so all that is allowed can be used, and no more arrives."""
SLOWEST_BURST = 90
"""Calls in that time, until HubSpot has said how many: every edition allows 100."""
_NOTHING_LEFT = timedelta(seconds=1)
"""How long to hold off when HubSpot says that nothing is left: another process uses the same key."""
SEARCHES = 4
"""Searches in `SEARCH_SPAN`; HubSpot allows five in a second to all programs of the account together."""
SEARCH_SPAN = timedelta(seconds=1.25)
"""A second, and how much later than others a call may arrive: HubSpot counts arrivals, and a first call has a connection to make.
Without it the late ones of one second and the early ones of the next are too many together."""


class CallWindow:
    """At most `most` calls within any `span` of time; a call waits on the clock until there is room."""

    def __init__(self, clock: Clock, *, most: int, span: timedelta) -> None:
        self._clock = clock
        self._lock = Lock()
        self._span = span
        self._most = most
        self._calls: deque[datetime] = deque()
        self._latest = self._rests_until = clock.now()

    def wait(self) -> None:
        """Take a place, as soon as there is one."""
        while (pause := self._take()) > 0:
            self._clock.sleep(pause)

    def allow(self, most: int) -> None:
        """Take over what the CRM says that it allows."""
        with self._lock:
            self._most = max(1, most)

    def rest(self, pause: timedelta) -> None:
        """Let no call be made for so long: the CRM has refused one as too fast, and would refuse the others."""
        with self._lock:
            self._rests_until = max(self._rests_until, self._now() + pause)

    def _now(self) -> datetime:
        """Return the present moment. Where the clock was put back, what it had told before is put back with it."""
        now = self._clock.now()
        if (back := self._latest - now) > timedelta():
            self._rests_until -= back
            self._calls = deque(at - back for at in self._calls)
        self._latest = now
        return now

    def _take(self) -> float:
        with self._lock:
            now = self._now()
            if now < self._rests_until:
                return (self._rests_until - now).total_seconds()
            while self._calls and self._calls[0] <= now - self._span:
                self._calls.popleft()
            if len(self._calls) < self._most:
                self._calls.append(now)
                return 0.0
            return (self._calls[0] + self._span - now).total_seconds()


class Throttle:
    """The two speeds: searches, of which HubSpot gives no account, and all other calls."""

    def __init__(self, clock: Clock) -> None:
        self._searches = CallWindow(clock, most=SEARCHES, span=SEARCH_SPAN)
        self._calls = CallWindow(clock, most=SLOWEST_BURST, span=BURST_SPAN)

    def wait(self, *, search: bool) -> None:
        """Wait until the next call of this sort is welcome."""
        (self._searches if search else self._calls).wait()

    def learn(self, most: int | None, left: int | None) -> None:
        """Take over how many calls HubSpot allows in ten seconds (to this key alone), and how many of them it sees left."""
        if most:
            self._calls.allow(most)
        if left == 0:
            self._calls.rest(_NOTHING_LEFT)

    def refused(self, pause: timedelta | None, *, search: bool) -> None:
        """Let all threads wait that the CRM finds too fast, not only the one that was told."""
        if pause is not None:
            (self._searches if search else self._calls).rest(pause)
