"""Counts calls, and asks before each whether the org can spare it."""

import re
from datetime import UTC, datetime, time, timedelta
from threading import Lock

from connector.ports import Budget, Usage

_APP_USAGE = re.compile(r"per-app-api-usage=([0-9]{1,9})/")
_USAGE = re.compile(r"(?<![\w-])api-usage=([0-9]{1,9})/([0-9]{1,9})")


def next_midnight(now: datetime) -> datetime:
    """Return the coming midnight in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), tzinfo=UTC)


class Meter:
    """What this connection has used, as we count it and as Salesforce reports it in the header Sforce-Limit-Info."""

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._lock = Lock()
        self._calls = 0
        self._used: int | None = None
        self._allowed: int | None = None

    def take(self, *, where: str) -> None:
        """Count one call that is about to be made. `QuotaSpent`: it must not be made."""
        if self._budget is not None:
            self._budget.take(where=where)
        with self._lock:
            self._calls += 1

    def learn(self, limit_info: str | None) -> None:
        """Note what an answer said of the day's use."""
        found = _USAGE.search(limit_info or "")
        if found is None:
            return
        used, allowed = int(found[1]), int(found[2])
        ours = _APP_USAGE.search(limit_info or "")
        with self._lock:
            self._used, self._allowed = used, allowed
        if self._budget is not None:
            self._budget.note_usage(used=used, allowed=allowed, ours=int(ours[1]) if ours else None)

    def refused(self, why: str) -> None:
        """Note that the org's calls of the day are used up."""
        if self._budget is not None:
            self._budget.refused(why)

    def usage(self) -> Usage:
        """Return what is known now."""
        with self._lock:
            return Usage(self._calls, self._used, self._allowed)
