"""How fast HubSpot is called: below its limits as HubSpot counts, which is when calls arrive."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.hubspot.throttle import Throttle
from connector.clock import SteppedClock

START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def most_within(times: list[datetime], span: timedelta) -> int:
    """Count the moments in the busiest span."""
    return max(sum(first <= time < first + span for time in times) for first in times)


@pytest.mark.parametrize("latency_s", [0.0, 0.1, 0.2])
def test_never_more_than_five_searches_arrive_in_a_second_though_some_are_late(latency_s: float) -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    arrived = []
    for number in range(20):
        throttle.wait(search=True)
        late = latency_s if number % 8 < 4 else 0.0
        arrived.append(clock.now() + timedelta(seconds=late))
    assert most_within(arrived, SECOND) <= 5


def test_searches_are_not_held_up_longer_than_that_needs() -> None:
    clock = SteppedClock(START)
    throttle = Throttle(clock)
    for _ in range(40):
        throttle.wait(search=True)
    assert clock.now() - START <= 15 * SECOND
