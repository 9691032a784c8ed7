"""Counts calls, and asks before each whether the account can spare it."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from threading import Lock

from adapters.hubspot.http.parsing import number_of
from connector.ports import Budget, Clock, Usage

_ALLOWED = "X-HubSpot-RateLimit-Daily"
_LEFT = "X-HubSpot-RateLimit-Daily-Remaining"
_BURST = "X-HubSpot-RateLimit-Max"
_BURST_LEFT = "X-HubSpot-RateLimit-Remaining"


class Meter:
    """What this connection has used, as we count it and as HubSpot reports it in the headers of its answers."""

    def __init__(self, clock: Clock, budget: Budget | None) -> None:
        self._clock = clock
        self._budget = budget
        self._lock = Lock()
        self._calls = 0
        self._used: int | None = None
        self._allowed: int | None = None
        self.zone: tzinfo = UTC
        """The account's: its day ends at midnight there."""

    def take(self, *, where: str) -> None:
        """Count one call that is about to be made. `QuotaSpent`: it must not be made."""
        if self._budget is not None:
            self._budget.take(where=where)
        with self._lock:
            self._calls += 1

    def learn(self, headers: Mapping[str, str]) -> tuple[int | None, int | None]:
        """Note what an answer says of the day's use; return how many calls ten seconds may have, and still have, if it says so."""
        allowed, left = _number(headers, _ALLOWED), _number(headers, _LEFT)
        if allowed and left is not None and left <= allowed:
            with self._lock:
                self._used, self._allowed = allowed - left, allowed
            if self._budget is not None:
                self._budget.note_usage(used=allowed - left, allowed=allowed)
        return _number(headers, _BURST), _number(headers, _BURST_LEFT)

    def refused(self, why: str) -> None:
        """Note that the account's calls of the day are used up."""
        if self._budget is not None:
            self._budget.refused(why)

    def usage(self) -> Usage:
        """Return what is known now."""
        with self._lock:
            return Usage(self._calls, self._used, self._allowed)

    def renewed_at(self) -> datetime:
        """Return when the account's allowance of the day begins anew."""
        tomorrow = self._clock.now().astimezone(self.zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), tzinfo=self.zone).astimezone(UTC)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    return number_of(headers.get(name))
