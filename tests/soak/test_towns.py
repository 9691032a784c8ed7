"""People, time, faults and power cuts in any order beside both pretend CRMs: what was promised holds after every lap."""

import random
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environment import DAY, HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from storm import storm
from test_storms import town

from connector.store import tables
from connector.store.crm import cursors
from connector.store.crm.records import mark_stale

some = st.integers(min_value=0, max_value=10_000)


class PowerCut(Exception):
    """The process dies here."""


class Days(RuleBasedStateMachine):
    """A town beside one CRM, on one clock."""

    kind: ClassVar[type[Environment]] = Environment

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="towns-"))
        self.stack = ExitStack()
        self.town = town(self.stack, self.kind, self.folder / "env", 1)
        self.env = self.town.env

    def teardown(self) -> None:
        """In the end nothing is in the way, and the CRM says what the answers say."""
        try:
            self._settle()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    # ── people ──

    @rule(number=some)
    def work(self, number: int) -> None:
        for place in range(4):
            self.town.work(random.Random(f"{number}:{place}"))  # noqa: S311 - repeatable, not secret

    @rule(number=some)
    def answer(self, number: int) -> None:
        self.town.answer(number, None)

    @rule(number=some)
    def an_ordinary_day(self, number: int) -> None:
        self.work(number)
        self.lap(HOUR)
        self.lap(3 * HOUR)
        self.answer(number)
        self.lap(HOUR)

    @rule(number=some)
    def finish_a_task(self, number: int) -> None:
        if tasks := self.env.tasks():
            self.env.finish(tasks[number % len(tasks)])

    @rule(number=some)
    def delete_a_case(self, number: int) -> None:
        if self.town.cases:
            case = self.town.cases.pop(number % len(self.town.cases))
            self.env.org.delete("tickets" if self.env.ADAPTER == "hubspot" else "Case", case)

    # ── time, faults and power cuts ──

    @rule(step=st.sampled_from([timedelta(minutes=5), HOUR, 3 * HOUR, DAY]))
    def lap(self, step: timedelta) -> None:
        self.env.later(step)
        self._promises()

    @rule(seed=some)
    def a_lap_in_a_storm(self, seed: int) -> None:
        with storm(self.env, rate=0.3, seed=seed):
            self.env.later(HOUR)
        self._promises()

    @rule(nth=st.integers(min_value=1, max_value=9), after=st.booleans())
    def a_power_cut_while_reading(self, nth: int, *, after: bool) -> None:
        real, saved = cursors.save, 0

        def save(*args: Any, **rest: Any) -> None:
            nonlocal saved
            saved += 1
            if saved == nth and not after:
                raise PowerCut
            real(*args, **rest)
            if saved == nth:
                raise PowerCut

        with pytest.MonkeyPatch.context() as patched, suppress(PowerCut):
            patched.setattr(cursors, "save", save)
            self.env.later(HOUR)
        self.env.restart()

    # ── what holds ──

    def _rows(self, table: Any) -> list[Any]:
        with self.env.installation.store.read() as tx:
            return list(tx.execute(table.select()))

    def _promises(self) -> None:
        decided = Counter((row.survey, row.interaction_id, row.contact_id) for row in self._rows(tables.decision))
        assert not decided or max(decided.values()) == 1
        mails = Counter((mail.to, mail.subject) for mail in self.env.mailbox.mails)
        assert not mails or max(mails.values()) == 1
        keys = Counter(task.key for task in self.env.follow_ups())
        assert not keys or max(keys.values()) == 1
        opened = [(row.customer, row.about) for row in self._rows(tables.follow_up) if row.state != "closed"]
        assert len(set(opened)) == len(opened)

    def _settle(self) -> None:
        for _ in range(4):
            report = self.env.later(3 * HOUR)
            counts = report.pulled["acme"].counts.values()
            assert all(one.read == one.changed + one.deleted + one.unchanged + one.refused for one in counts)
        self._promises()
        self.env.mark_writes()
        assert self.env.lap().exit_code == 0
        assert self.env.writes == []
        self._every_end_is_decided()
        open_ones = {row.id for row in self._rows(tables.follow_up) if row.state == "open"}
        assert open_ones <= {task.key for task in self.env.follow_ups()}
        self._fields_say_what_the_ratings_say()
        self._a_second_reckoning_comes_to_the_same()

    def _every_end_is_decided(self) -> None:
        decided = {row.interaction_id for row in self._rows(tables.decision)}
        ended = {row.id for row in self._rows(tables.interaction) if row.ended is not None and row.deleted_at is None}
        assert ended <= decided

    def _fields_say_what_the_ratings_say(self) -> None:
        refs = {row.id: row.ref.partition("/")[2] for row in self._rows(tables.account)}
        people = {(refs[row.account_id], row.contact_id) for row in self._rows(tables.response) if row.counts}
        answered = Counter(account for account, _ in people)
        for account in self.town.accounts.values():
            shown = self.env.figures(self.env.ACCOUNT, account)
            assert int(float(shown.get("people", 0))) == answered[account]

    def _a_second_reckoning_comes_to_the_same(self) -> None:
        """What the CRM shows is what the ratings say, worked out once more."""
        before = {account: self._figures(account) for account in self.town.accounts.values()}
        with self.env.installation.store.write() as tx:
            for row in tx.execute(tables.customer_score.select()).all():
                mark_stale(tx, row.customer, self.env.clock.now())
        assert self.env.lap().exit_code == 0
        assert {account: self._figures(account) for account in self.town.accounts.values()} == before

    def _figures(self, account: str) -> dict[str, Any]:
        """Return what an account shows, but for how many were asked: that alone is no reason to write."""
        shown = self.env.figures(self.env.ACCOUNT, account)
        return shown | {"summary": str(shown.get("summary")).partition(" Answered by ")[0]}


class DaysBesideHubSpot(Days):
    """The same beside the other CRM."""

    kind = HubSpotEnvironment


@pytest.mark.parametrize("days", [Days, DaysBesideHubSpot], ids=["salesforce", "hubspot"])
@pytest.mark.parametrize("examples", [2, pytest.param(40, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_whatever_happens_the_promises_hold(days: type[Days], examples: int) -> None:
    run_state_machine_as_test(
        days,
        settings=settings(
            max_examples=examples,
            stateful_step_count=8 if examples < 10 else 25,
            deadline=None,
            derandomize=examples < 10,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
