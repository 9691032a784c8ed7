"""Counts calls, and holds the connection to its share of the org's calls in a day."""

import re
from datetime import UTC, datetime, time, timedelta
from threading import Lock

from connector.errors import QuotaSpent
from connector.ports import Clock, Usage

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
_APP_USAGE = re.compile(r"per-app-api-usage=(\d+)/(\d+)")


def next_midnight(now: datetime) -> datetime:
    """Return the coming midnight in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), tzinfo=UTC)


class Meter:
    """What this connection has used, as we count it and as Salesforce reports it in the header Sforce-Limit-Info.

    `calls_today` are those of the same UTC day that other processes have counted before.
    """

    def __init__(self, clock: Clock, *, calls_today: int = 0) -> None:
        self._clock = clock
        self._lock = Lock()
        self._calls = 0
        self._day = clock.now().astimezone(UTC).date()
        self._calls_today = calls_today
        self._app_used = 0
        self._used: int | None = None
        self._allowed: int | None = None

    def count(self, limit_info: str | None) -> None:
        """Note one call that was answered (or may have been received), and what its answer said of the day's use."""
        with self._lock:
            self._turn_day()
            self._calls += 1
            self._calls_today += 1
            if limit_info:
                self._read(limit_info)

    def usage(self) -> Usage:
        """Return what is known now."""
        with self._lock:
            return Usage(self._calls, self._used, self._allowed)

    def hold_to(self, share: float, *, where: str) -> None:
        """Raise `QuotaSpent` when our calls of today have reached `share` of what the org is allowed in a day."""
        with self._lock:
            self._turn_day()
            own = max(self._calls_today, self._app_used)
            allowed = self._allowed
        if allowed is None or own < share * allowed:
            return
        raise QuotaSpent(
            f"our share of the day's calls is used ({own} of {allowed} at a share of {share:g}).",
            where=where,
            remedy="The rest follows tomorrow. Raise daily_call_share if other programs can spare calls.",
            until=next_midnight(self._clock.now()),
        )

    def _turn_day(self) -> None:
        today = self._clock.now().astimezone(UTC).date()
        if today != self._day:
            self._day, self._calls_today, self._app_used = today, 0, 0

    def _read(self, limit_info: str) -> None:
        if whole := _USAGE.search(limit_info):
            self._used, self._allowed = int(whole[1]), int(whole[2])
        if app := _APP_USAGE.search(limit_info):
            self._app_used = int(app[1])
