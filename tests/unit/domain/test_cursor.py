"""The cursor's rules one by one, each on the timeline that would lose a record without it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.domain.cursor import Cursor, advance, dump, finish, load
from connector.errors import Bug, CursorInvalid, TooNew
from connector.ports import Page, Position, Query
from connector.runtime.clock import SteppedClock

LAG = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
QUERY = Query("Account", ("Name",))
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


def page(at: datetime, *, last: Position | None = None) -> Page:
    return Page((), last, at)


def test_a_first_pass_is_a_backfill_and_the_next_is_not() -> None:
    cursor = Cursor()
    assert cursor.backfilling
    assert not finish(advance(cursor, page(NOON)), LAG).backfilling


def test_the_watermark_stays_behind_the_crms_clock_at_the_start_of_the_pass() -> None:
    cursor = advance(Cursor(), page(NOON, last=Position("a", "1")))
    cursor = advance(cursor, page(NOON + timedelta(hours=1), last=Position("b", "1")))
    assert finish(cursor, LAG) == Cursor(since=NOON - LAG)


def test_a_quiet_object_moves_its_watermark_too() -> None:
    cursor = finish(advance(Cursor(since=NOON), page(NOON + timedelta(days=9))), LAG)
    assert cursor.since == NOON + timedelta(days=9) - LAG


def test_a_watermark_never_goes_back() -> None:
    cursor = finish(advance(Cursor(since=NOON), page(NOON - timedelta(days=1))), LAG)
    assert cursor.since == NOON


def test_a_page_that_does_not_get_on_is_refused() -> None:
    cursor = advance(Cursor(), page(NOON, last=Position("b", "2")))
    for stuck in (Position("b", "2"), Position("b", "1"), Position("a", "9")):
        with pytest.raises(CursorInvalid):
            advance(cursor, page(NOON, last=stuck))
    assert advance(cursor, page(NOON, last=Position("b", "3"))).at == Position("b", "3")


def test_a_pass_without_a_page_cannot_end() -> None:
    with pytest.raises(Bug):
        finish(Cursor(), LAG)


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor(),
        Cursor(since=NOON),
        Cursor(at=Position("2026-11-16T12:00:00.000+0000", "001A"), signpost=NOON),
        Cursor(since=NOON, at=Position("é\"'", "x"), signpost=NOON + timedelta(microseconds=1)),
    ],
)
def test_a_cursor_survives_the_store(cursor: Cursor) -> None:
    assert load(dump(cursor)) == cursor


def test_cursors_that_were_stored_by_this_version_can_always_be_read() -> None:
    stored = '{"format": 1, "since": "2026-11-16T12:00:00+00:00", "at": ["2026", "001"], "signpost": null}'
    assert load(stored) == Cursor(since=NOON, at=Position("2026", "001"))


def test_a_cursor_of_a_later_version_is_not_guessed_at() -> None:
    newer = json.loads(dump(Cursor())) | {"format": 99}
    with pytest.raises(TooNew, match="a later version"):
        load(json.dumps(newer))


def test_a_record_that_was_stamped_before_its_neighbours_and_shown_after_them_is_read() -> None:
    """Stamped 12:00, committed 12:04; the page that would hold it is read at 12:01 and the pass goes on for ten minutes."""
    clock = SteppedClock(NOON)
    crm = MemoryCrm(clock)
    adapter = MemoryAdapter(crm, page_size=1, lag=LAG)
    crm.commit_delay = timedelta(minutes=4)
    late = crm.account("Late")
    crm.commit_delay = timedelta()
    clock.advance(MINUTE)
    for name in ("One", "Two"):
        crm.account(name)
    seen = set()
    cursor = Cursor()
    for read in adapter.changes(QUERY, since=None, after=None):
        cursor = advance(cursor, read)
        seen |= {record.id for record in read.records}
        clock.advance(timedelta(minutes=10))
    assert late not in seen
    again = adapter.changes(QUERY, since=finish(cursor, LAG).since, after=None)
    assert late in {record.id for read in again for record in read.records}
