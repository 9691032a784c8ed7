"""Counts calls, and holds the connection to its share of the account's calls in a day."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from threading import Lock

from connector.errors import QuotaSpent
from connector.ports import Clock, Usage

_ALLOWED = "X-HubSpot-RateLimit-Daily"
_LEFT = "X-HubSpot-RateLimit-Daily-Remaining"
_BURST = "X-HubSpot-RateLimit-Max"


class Meter:
    """What this connection has used, as we count it and as HubSpot reports it in the headers of its answers.

    `calls_today` are those of the same UTC day that other processes have counted before.
    """

    def __init__(self, clock: Clock, *, calls_today: int = 0) -> None:
        self._clock = clock
        self._lock = Lock()
        self._calls = 0
        self._day = clock.now().astimezone(UTC).date()
        self._calls_today = calls_today
        self._used: int | None = None
        self._allowed: int | None = None
        self.zone: tzinfo = UTC
        """The account's: its day ends at midnight there."""

    def count(self, headers: Mapping[str, str]) -> int | None:
        """Note one call that was answered (or may have been received); return how many ten seconds may have, if it was told."""
        allowed, left = _number(headers, _ALLOWED), _number(headers, _LEFT)
        with self._lock:
            self._turn_day()
            self._calls += 1
            self._calls_today += 1
            if allowed and left is not None:
                self._used, self._allowed = allowed - left, allowed
        return _number(headers, _BURST)

    def usage(self) -> Usage:
        """Return what is known now."""
        with self._lock:
            return Usage(self._calls, self._used, self._allowed)

    def hold_to(self, share: float, *, where: str) -> None:
        """Raise `QuotaSpent` when our calls of today have reached `share` of what the account is allowed in a day."""
        with self._lock:
            self._turn_day()
            own, allowed = self._calls_today, self._allowed
        if allowed is None or own < share * allowed:
            return
        raise QuotaSpent(
            f"our share of the day's calls is used ({own} of {allowed} at a share of {share:g}).",
            where=where,
            remedy="The rest follows tomorrow. Raise daily_call_share if other programs can spare calls.",
            until=_midnight(self._clock.now(), UTC),
        )

    def renewed_at(self) -> datetime:
        """Return when the account's allowance of the day begins anew."""
        return _midnight(self._clock.now(), self.zone)

    def _turn_day(self) -> None:
        today = self._clock.now().astimezone(UTC).date()
        if today != self._day:
            self._day, self._calls_today = today, 0


def _midnight(now: datetime, zone: tzinfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    return int(text) if text and text.isdigit() else None
