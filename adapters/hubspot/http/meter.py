"""Counts calls, and reads what HubSpot says of the day's."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo

from connector.ports import Budget, Clock
from connector.wire.call_meter import CallMeter
from connector.wire.headers import number_of

_ALLOWED = "X-HubSpot-RateLimit-Daily"
_LEFT = "X-HubSpot-RateLimit-Daily-Remaining"
_BURST = "X-HubSpot-RateLimit-Max"
_BURST_LEFT = "X-HubSpot-RateLimit-Remaining"


class HubSpotMeter(CallMeter):
    """What this connection has used, as we count it and as HubSpot reports it in the headers of its answers."""

    def __init__(self, clock: Clock, budget: Budget | None) -> None:
        super().__init__(budget)
        self._clock = clock
        self.zone: tzinfo = UTC
        """The account's: its day ends at midnight there."""

    def learn(self, headers: Mapping[str, str]) -> tuple[int | None, int | None]:
        """Note what an answer says of the day's use; return how many calls ten seconds may have, and still have, if it says so."""
        allowed, left = _number(headers, _ALLOWED), _number(headers, _LEFT)
        if allowed and left is not None and left <= allowed:
            self.note_usage(used=allowed - left, allowed=allowed)
        return _number(headers, _BURST), _number(headers, _BURST_LEFT)

    def renewed_at(self) -> datetime:
        """Return when the account's allowance of the day begins anew."""
        tomorrow = self._clock.now().astimezone(self.zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), tzinfo=self.zone).astimezone(UTC)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    return number_of(headers.get(name))
