"""The daily allocation of calls."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.salesforce.errors import RequestError

_DAY = timedelta(hours=24)


@dataclass
class OrgLimits:
    """Calls used of the daily allocation `most`; the window is 24 hours and then begins anew.

    The next `crowded` calls are refused as if too many long ones were under way.
    """

    clock: SandboxClock
    most: int = 15_000
    used: int = 0
    crowded: int = 0
    _since: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> None:
        """Counts one call."""
        with self._lock:
            self._roll()
            self.used += 1

    def check(self) -> None:
        """Raises RequestError (REQUEST_LIMIT_EXCEEDED, 403) when the allocation is used up, or too many are under way."""
        with self._lock:
            self._roll()
            if self.crowded:
                self.crowded -= 1
                words = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
                raise RequestError("REQUEST_LIMIT_EXCEEDED", words, status=403)
            if self.used >= self.most:
                raise RequestError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)

    def header(self) -> str:
        """The value of Sforce-Limit-Info."""
        return f"api-usage={self.used}/{self.most}"

    def as_json(self) -> dict[str, Any]:
        """The answer of GET limits."""
        left = max(0, self.most - self.used)
        return {
            "DailyApiRequests": {"Max": self.most, "Remaining": left},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DataStorageMB": {"Max": 10_240, "Remaining": 10_000},
            "SingleEmail": {"Max": 5_000, "Remaining": 5_000},
        }

    def _roll(self) -> None:
        now = self.clock.now()
        if self._since is None or now >= self._since + _DAY:
            self._since, self.used = now, 0
