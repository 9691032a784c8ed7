"""The clocks: aware, in UTC, and never running backwards."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connector.runtime.clock import SteppedClock, SystemClock

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


def test_the_machines_time_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.utcoffset() == timedelta()
    assert before <= now <= datetime.now(UTC)


def test_a_stepped_clock_stands_until_it_is_moved() -> None:
    clock = SteppedClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(days=90)) == clock.now() == NOON + timedelta(days=90)


def test_sleeping_moves_it_on() -> None:
    clock = SteppedClock(NOON)
    clock.sleep(90.5)
    assert clock.now() == NOON + timedelta(seconds=90.5)


def test_it_speaks_utc_wherever_it_was_set() -> None:
    helsinki = timezone(timedelta(hours=2))
    clock = SteppedClock(NOON.astimezone(helsinki))
    assert clock.now().tzinfo is UTC
    clock.set(NOON.replace(hour=15).astimezone(helsinki))
    assert (clock.now(), clock.now().tzinfo) == (NOON.replace(hour=15), UTC)


def test_it_never_runs_backwards() -> None:
    clock = SteppedClock(NOON)
    with pytest.raises(ValueError, match="back"):
        clock.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="back"):
        clock.set(NOON - timedelta(seconds=1))
    assert clock.now() == NOON


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        SteppedClock(datetime(2026, 11, 16))  # noqa: DTZ001 - the point of the test
