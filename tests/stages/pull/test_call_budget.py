"""The budget of calls: the share of the org's day, over threads, processes and restarts."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import QuotaSpent
from connector.runtime.call_budget import BLOCK, CallBudget
from connector.runtime.clock import SteppedClock
from connector.store import Store
from connector.store.ops.call_counts import StoreBook, slot_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def budget(store: Store, clock: SteppedClock, share: float = 0.1) -> CallBudget:
    """Return the budget as a process builds it when it starts."""
    return CallBudget("acme", share=share, store=store, clock=clock)


def take_all(one: CallBudget, most: int = 10_000) -> int:
    """Make calls until none is left; return how many."""
    for made in range(most):
        try:
            one.take(where="acme: read")
        except QuotaSpent:
            return made
    return most


def counted(store: Store, clock: SteppedClock) -> int:
    with store.read() as tx:
        return StoreBook(tx, "acme").spent(clock.now()).recent


def test_f25_never_more_than_the_share_is_used_in_a_day(store: Store, clock: SteppedClock) -> None:
    first = budget(store, clock)
    first.note_usage(used=500, allowed=1000)
    assert take_all(first, 30) == 30
    first.return_unused()
    second = budget(store, clock)
    assert take_all(second) == 70
    assert take_all(budget(store, clock)) == 0
    clock.advance(23 * HOUR)
    assert take_all(second) == 0
    clock.advance(HOUR)
    assert take_all(budget(store, clock)) == 100


def test_f25_a_spent_share_says_what_until_when_and_what_to_do(store: Store, clock: SteppedClock) -> None:
    one = budget(store, clock)
    one.note_usage(used=0, allowed=100)
    take_all(one)
    with pytest.raises(QuotaSpent, match=r"10 of 100 at a share of 0\.1") as caught:
        one.take(where="acme: read")
    assert caught.value.until == clock.now() + DAY
    assert "daily_call_share" in caught.value.remedy
    assert "[schedule] sync" in caught.value.remedy
    assert caught.value.where == "acme: read"


def test_a_process_that_was_killed_has_counted_its_calls(store: Store, clock: SteppedClock) -> None:
    first = budget(store, clock)
    first.note_usage(used=0, allowed=1000)
    made = take_all(first, 30)
    assert made <= counted(store, clock) < made + BLOCK


def test_what_was_counted_and_not_used_is_taken_back(store: Store, clock: SteppedClock) -> None:
    one = budget(store, clock)
    one.note_usage(used=0, allowed=1000)
    take_all(one, 3)
    one.return_unused()
    assert counted(store, clock) == 3


def test_two_processes_and_their_threads_keep_one_share(store: Store, clock: SteppedClock) -> None:
    both = [budget(store, clock), budget(store, clock)]
    both[0].note_usage(used=0, allowed=1000)
    both[0].return_unused()
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(take_all, both * 2)) == 100


def test_the_first_answer_of_a_small_org_is_heeded_at_once(store: Store, clock: SteppedClock) -> None:
    one = budget(store, clock)
    one.take(where="acme: read")
    one.note_usage(used=1, allowed=50)
    assert take_all(one) == 4


@pytest.mark.parametrize(("used", "share", "goes_on"), [(940, 0.1, True), (960, 0.1, False), (960, 1.0, True)])
def test_f25_the_last_calls_of_the_org_are_for_its_other_programs(
    store: Store, clock: SteppedClock, *, used: int, share: float, goes_on: bool
) -> None:
    one = budget(store, clock, share)
    one.take(where="acme: read")
    one.note_usage(used=used, allowed=1000)
    assert (take_all(one, 5) > 0) is goes_on
    assert (take_all(budget(store, clock, share), 5) > 0) is goes_on


@pytest.mark.parametrize("how", ["low", "refused", "ours"])
def test_an_org_that_ran_low_is_asked_again_after_an_hour(store: Store, clock: SteppedClock, how: str) -> None:
    one = budget(store, clock)
    match how:
        case "low":
            one.note_usage(used=999, allowed=1000)
        case "refused":
            one.refused("You have reached your daily limit.")
        case _:
            one.note_usage(used=500, allowed=1000, ours=100)
    clock.advance(HOUR - timedelta(minutes=1))
    assert take_all(budget(store, clock), 5) == 0
    clock.advance(timedelta(minutes=1))
    assert take_all(budget(store, clock), 1) == 1


def test_two_processes_that_count_at_once_wait_for_each_other_in_one_order(store: Store, clock: SteppedClock) -> None:
    one = budget(store, clock)
    one.note_usage(used=0, allowed=1000)
    one.take(where="acme: read")
    with ThreadPoolExecutor(1) as threads:
        with store.write() as tx:
            book = StoreBook(tx, "acme")
            book.alone()
            returned = threads.submit(one.return_unused)
            time.sleep(0.2)
            book.add(slot_of(clock.now()), 1)
        returned.result(timeout=300)
    assert counted(store, clock) == 2


@pytest.mark.parametrize("how", ["share", "refused"])
def test_a_clock_that_was_years_ahead_holds_back_no_call(store: Store, clock: SteppedClock, how: str) -> None:
    ahead = SteppedClock(clock.now() + 1000 * DAY)
    one = budget(store, ahead)
    one.note_usage(used=0, allowed=100)
    assert take_all(one) == 10
    if how == "refused":
        one.refused("You have reached your daily limit.")
    assert take_all(budget(store, clock)) == 10


def test_before_there_is_a_store_the_process_counts_for_itself(tmp_path: Path, clock: SteppedClock) -> None:
    file = tmp_path / "none-yet.db"
    store = Store(f"sqlite:///{file}")
    one = budget(store, clock)
    one.note_usage(used=0, allowed=100)
    assert take_all(one) == 10
    one.refused("no more")
    assert not file.exists()
    store.close()
