"""Counts calls, and reads what Salesforce says of the day's."""

import re
from datetime import UTC, datetime, time, timedelta

from connector.wire.call_meter import CallMeter

_APP_USAGE = re.compile(r"per-app-api-usage=([0-9]{1,9})/")
_USAGE = re.compile(r"(?<![\w-])api-usage=([0-9]{1,9})/([0-9]{1,9})")


def next_midnight(now: datetime) -> datetime:
    """Return the coming midnight in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), tzinfo=UTC)


class SalesforceMeter(CallMeter):
    """What this connection has used, as we count it and as Salesforce reports it in the header Sforce-Limit-Info."""

    def learn(self, limit_info: str | None) -> None:
        """Note what an answer said of the day's use."""
        usage = _USAGE.search(limit_info or "")
        if usage is not None:
            ours = _APP_USAGE.search(limit_info or "")
            self.note_usage(used=int(usage[1]), allowed=int(usage[2]), ours=int(ours[1]) if ours else None)
