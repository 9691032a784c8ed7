"""The rules of the cursor against a CRM that is edited, lags, and is read by a process that dies: nothing is lost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.domain.cursor import Cursor, advance, dump, finish, load
from connector.ports import Page, Query
from connector.runtime.clock import SteppedClock

LAG = timedelta(minutes=5)
QUERY = Query("Account", ("Name",))


@dataclass
class Mirror:
    """What a reader has stored: a page's records and the cursor behind them, always together."""

    cursor: str = field(default_factory=lambda: dump(Cursor()))
    rows: dict[str, tuple[Any, bool, str | None]] = field(default_factory=dict)
    read_in_this_pass: set[tuple[str, str]] = field(default_factory=set)

    def commit(self, cursor: Cursor, page: Page) -> None:
        places = {(record.modified, record.id) for record in page.records}
        assert not places & self.read_in_this_pass, "a pass that was cut off began again"
        self.read_in_this_pass |= places
        for record in page.records:
            self.rows[record.id] = (record.fields["Name"], record.deleted, record.merged_into)
        self.cursor = dump(cursor)


class Reading(RuleBasedStateMachine):
    """People work, time passes, passes are begun, cut off, taken up and ended; in the end the mirror is the CRM."""

    @initialize(page_size=st.integers(1, 4), skew=st.integers(-3600, 3600))
    def begin(self, page_size: int, skew: int) -> None:
        self.clock = SteppedClock(datetime(2026, 11, 16, 8, tzinfo=UTC))
        self.crm = MemoryCrm(self.clock)
        self.crm.skew = timedelta(seconds=skew)
        self.adapter = MemoryAdapter(self.crm, "acme", page_size=page_size, lag=LAG)
        self.mirror = Mirror()
        self.alive: list[str] = []
        self.made = 0

    @rule(count=st.integers(1, 5))
    def create(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            self.alive.append(self.crm.account(f"Account {self.made}"))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        self.made += 1
        self.crm.update(data.draw(st.sampled_from(self.alive)), {"Name": f"Renamed {self.made}"})

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.alive))
        self.alive.remove(gone)
        self.crm.delete(gone)

    @precondition(lambda self: len(self.alive) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        survivor, loser = data.draw(st.permutations(self.alive))[:2]
        self.alive.remove(loser)
        self.crm.merge(survivor, loser)

    @rule(seconds=st.integers(0, int(LAG.total_seconds()) - 1))
    def from_now_on_commit_late(self, seconds: int) -> None:
        self.crm.commit_delay = timedelta(seconds=seconds)

    @rule(seconds=st.integers(0, 600))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule(pages=st.integers(0, 3), slow=st.integers(0, 400))
    def read_until_the_process_dies(self, pages: int, slow: int) -> None:
        self.read(pages, slow)

    @rule(slow=st.integers(0, 400))
    def read_to_the_end(self, slow: int) -> None:
        self.read(None, slow)

    def read(self, most: int | None, slow: int = 0) -> None:
        """Go on with the pass where the stored cursor stands; store each page with its cursor; end it if not cut off."""
        cursor = load(self.mirror.cursor)
        listing = self.adapter.changes(QUERY, since=cursor.since, after=cursor.at)
        for number, page in enumerate(listing):
            if number == most:
                return
            cursor = advance(cursor, page)
            self.mirror.commit(cursor, page)
            self.clock.advance(timedelta(seconds=slow))
        self.mirror.cursor = dump(finish(cursor, LAG))
        self.mirror.read_in_this_pass.clear()

    def teardown(self) -> None:
        if not hasattr(self, "crm"):
            return
        self.clock.advance(LAG)
        self.read(None)
        self.read(None)
        expected = {}
        for row in self.crm.rows("Account"):
            latest = row.latest
            expected[row.id] = (latest.values["Name"], latest.deleted, latest.merged_into)
        assert self.mirror.rows == expected


TestReading = Reading.TestCase
TestReading.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
