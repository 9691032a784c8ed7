"""Counts the calls of a connection, and asks before each whether it can be spared."""

from threading import Lock

from connector.ports import Budget, Usage


class CallMeter:
    """What a connection has used: as we count it, and as the CRM tells it. Safe to use from several threads."""

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

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        """Note what the CRM says of the day's calls, see `Budget.note_usage`."""
        with self._lock:
            self._used, self._allowed = used, allowed
        if self._budget is not None:
            self._budget.note_usage(used=used, allowed=allowed, ours=ours)

    def refused(self, why: str) -> None:
        """Note that the day's calls are used up."""
        if self._budget is not None:
            self._budget.refused(why)

    def usage(self) -> Usage:
        """Return what is known now."""
        with self._lock:
            return Usage(self._calls, self._used, self._allowed)
