"""The limits of calls: by ten seconds and by day for each app, and one of its own for all searches together."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot.errors import HubSpotError

_BURST, _SECOND = timedelta(seconds=10), timedelta(seconds=1)
_OAUTH_BURST = 110


class TooMany(HubSpotError):
    """A limit is reached. There is no Retry-After; `policyName` says which limit it is."""

    def __init__(self, policy: str) -> None:
        super().__init__(f"You have reached your {policy.lower()} limit.", status=429, category=None)
        self.policy = policy

    @property
    def code(self) -> str:
        """The vendor's type of error."""
        return "RATE_LIMIT"

    def body(self) -> dict[str, Any]:
        """The answer to the call."""
        answer = super().body()
        extra = {"errorType": "RATE_LIMIT", "policyName": self.policy, "requestId": answer["correlationId"]}
        return answer | extra


@dataclass
class PortalLimits:
    """How many calls are allowed; None switches a limit off. All windows run by the clock.

    `burst` calls in ten seconds for a private app (the vendor's highest plan without an add-on), `daily` calls of private
    apps until midnight in the account's time zone, `searches` in one second.
    """

    clock: SandboxClock
    zone: ZoneInfo
    burst: int | None = 190
    daily: int | None = 1_000_000
    searches: int | None = 5
    used: int = 0
    _day: str = ""
    _calls: dict[str, deque[datetime]] = field(default_factory=dict)
    _searched: deque[datetime] = field(default_factory=deque)

    def take(self, app: str, *, private: bool, search: bool) -> None:
        """Counts one call of an app; raises TooMany instead when it is one too many."""
        now = self.clock.now()
        self._roll(now)
        if private and self.daily is not None and self.used >= self.daily:
            raise TooMany("DAILY")
        if search:
            _take(self._searched, now, _SECOND, most=self.searches, policy="SECONDLY")
        else:
            most = self._burst(private=private)
            _take(self._calls.setdefault(app, deque()), now, _BURST, most=most, policy="TEN_SECONDLY_ROLLING")
        self.used += private

    def headers(self, app: str, *, private: bool) -> Mapping[str, str]:
        """What an answer tells of the limits; answers of searches tell nothing."""
        most = self._burst(private=private)
        headers: dict[str, str] = {}
        if private and self.daily is not None:
            left = max(0, self.daily - self.used)
            headers |= {"X-HubSpot-RateLimit-Daily": str(self.daily), "X-HubSpot-RateLimit-Daily-Remaining": str(left)}
        if most is not None:
            left = most - len(self._calls.get(app, ()))
            headers |= {
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
                "X-HubSpot-RateLimit-Max": str(most),
                "X-HubSpot-RateLimit-Remaining": str(max(0, left)),
                "X-HubSpot-RateLimit-Secondly": str(most // 10),
                "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, min(left, most // 10))),
            }
        return headers

    def resets_at(self) -> datetime:
        """The next midnight in the account's time zone."""
        local = self.clock.now().astimezone(self.zone)
        return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), self.zone)

    def _burst(self, *, private: bool) -> int | None:
        if self.burst is None:
            return None
        return self.burst if private else min(self.burst, _OAUTH_BURST)

    def _roll(self, now: datetime) -> None:
        day = now.astimezone(self.zone).date().isoformat()
        if day != self._day:
            self._day, self.used = day, 0


def _take(calls: deque[datetime], now: datetime, window: timedelta, *, most: int | None, policy: str) -> None:
    while calls and not now - window < calls[0] <= now:
        calls.popleft()
    if most is not None and len(calls) >= most:
        raise TooMany(policy)
    calls.append(now)
