"""People, time and faults in any order: whatever happens, what was promised holds after every lap, and at the end all is in the CRM."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld
from sqlalchemy import Connection, delete, select

from connector.errors import Locked, MailboxRefused, MailInDoubt, MailUnavailable, Unavailable
from connector.model import Rating
from connector.runtime.clock import SteppedClock
from connector.stages.lap import Report
from connector.store import Store, tables
from connector.store.crm.records import mark_stale
from connector.store.surveys import answers

DELAYED = CSAT.replace('"0s"', '"2h"', 1)
some = st.integers(min_value=0, max_value=10_000)
template: Path


class PowerCut(Exception):
    """The process dies here."""


class MovedClock(SteppedClock):
    """The clock of a machine that somebody sets, or that is set right: it may go back."""

    def jump(self, step: timedelta) -> None:
        """Tell another time from now on."""
        with self._lock:
            self._now += step


class Laps(RuleBasedStateMachine):
    """One installation, and everybody around it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="laps-"))
        shutil.copyfile(template, self.folder / "afterword.db")
        self.store = Store(f"sqlite:///{self.folder / 'afterword.db'}")
        self.clock = MovedClock(datetime(2026, 11, 16, 8, tzinfo=UTC))
        self.world = LapWorld(self.folder, self.clock, self.store)
        self.world.configure(DELAYED + UNHAPPY)
        assert self.world.lap().exit_code == 0
        self.accounts = [self.world.account(f"Account {number}") for number in range(3)]
        self.contacts = [
            self.world.crm.contact(account, f"Person {place}{number}")
            for place, account in enumerate(self.accounts)
            for number in range(2)
        ]
        self.cases: list[str] = []
        self.gone: list[str] = []
        """Cases that are deleted."""

    def teardown(self) -> None:
        """In the end nothing is in the way, and everything is in the CRM."""
        try:
            self._settle()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    # ── people ──

    @rule(who=some)
    def close_a_case(self, who: int) -> None:
        contact = self.contacts[who % len(self.contacts)]
        account, subject = self.world.crm.get(contact)["AccountId"], f"Fault {len(self.cases) + len(self.gone)}"
        self.cases.append(self.world.crm.case(account, contact, Subject=subject))
        self.world.crm.close(self.cases[-1])

    @precondition(lambda self: self.cases)
    @rule(which=some, closed=st.booleans())
    def take_up_or_close_again(self, which: int, closed: bool) -> None:
        case = self.cases[which % len(self.cases)]
        (self.world.crm.close if closed else self.world.crm.reopen)(case)

    @rule(which=some, value=st.integers(min_value=1, max_value=5))
    def answer(self, which: int, value: int) -> None:
        sent = [row.id for row in self.world.rows(tables.invitation) if row.state in {"sent", "in_doubt"}]
        if not sent:
            return
        rating = Rating("csat", "csat", value, 1, 5)
        with self.store.write() as tx:
            answers.record(tx, sent[which % len(sent)], [rating], comment=f"{value}!", now=self.world.clock.now())

    @rule(who=some, value=st.integers(min_value=1, max_value=5))
    def a_day_as_usual(self, who: int, value: int) -> None:
        self.close_a_case(who)
        self.lap(3 * HOUR)
        self._answer_all(value)
        self.close_a_case(who + 1)
        self.world.clock.advance(2 * HOUR)

    def _answer_all(self, value: int) -> None:
        for number in range(len(self.world.rows(tables.invitation))):
            self.answer(number, 1 + (value + number) % 5)

    @rule(which=some)
    def finish_a_task(self, which: int) -> None:
        tasks = self.world.tasks()
        if tasks:
            self.world.crm.finish(tasks[which % len(tasks)]["Id"])

    @precondition(lambda self: len(self.accounts) > 1)
    @rule(which=some)
    def merge_two_accounts(self, which: int) -> None:
        loser = self.accounts.pop(which % len(self.accounts))
        self.world.crm.merge(self.accounts[which % len(self.accounts)], loser)

    @rule(which=some)
    def edit_an_account(self, which: int) -> None:
        self.world.crm.update(self.accounts[which % len(self.accounts)], {"Name": f"Renamed {which}"})

    @precondition(lambda self: self.cases)
    @rule(which=some)
    def delete_a_case(self, which: int) -> None:
        self.gone.append(self.cases.pop(which % len(self.cases)))
        self.world.crm.delete(self.gone[-1])

    @precondition(lambda self: self.gone)
    @rule(which=some)
    def restore_a_case(self, which: int) -> None:
        self.cases.append(self.gone.pop(which % len(self.gone)))
        self.world.crm.restore(self.cases[-1])

    @precondition(lambda self: len(self.contacts) > 2)
    @rule(which=some)
    def delete_a_contact(self, which: int) -> None:
        self.world.crm.delete(self.contacts.pop(which % len(self.contacts)))

    @rule(which=some)
    def delete_a_task(self, which: int) -> None:
        tasks = self.world.tasks()
        if tasks:
            self.world.crm.delete(tasks[which % len(tasks)]["Id"])

    # ── time and faults ──

    @rule(span=st.sampled_from([timedelta(minutes=5), HOUR, 3 * HOUR, DAY]))
    def lap(self, span: timedelta) -> None:
        self._lap(span)
        self._promises()

    @rule(step=st.sampled_from([-DAY, -HOUR, HOUR, DAY]))
    def our_clock_jumps(self, step: timedelta) -> None:
        self.clock.jump(step)
        self.world.crm.skew -= step  # theirs is right all the time
        self.lap(timedelta(minutes=5))

    @rule(nth=st.integers(min_value=1, max_value=40), after=st.booleans())
    def a_power_cut(self, nth: int, *, after: bool) -> None:
        self._answer_all(nth)
        with power_cut(nth, after=after), suppress(PowerCut):
            self.world.lap(3 * HOUR)
        with self.store.write() as tx:  # its leases are those of the dead, which hold nobody up
            tx.execute(delete(tables.lease))
        self.world.configure(DELAYED + UNHAPPY)
        self._promises()

    def _lap(self, span: timedelta) -> Report:
        report = self.world.lap(span)
        for pulled in report.pulled.values():
            for one in pulled.counts.values():
                assert one.read == one.changed + one.deleted + one.unchanged + one.refused
        return report

    @rule(kind=st.sampled_from(["read", "write"]), nth=st.integers(min_value=1, max_value=4), done=st.booleans())
    def lap_with_a_crm_that_fails(self, kind: str, nth: int, done: bool) -> None:
        self._answer_all(nth)
        faults = self.world.crm.faults
        if kind == "write" and done:
            faults.drop_after(nth=nth)
        else:
            faults.fail(Unavailable("down"), kind=kind, nth=nth)
        self.world.lap(3 * HOUR)
        faults.clear()
        self._promises()

    @rule(which=some)
    def lap_with_a_record_that_is_held(self, which: int) -> None:
        self._answer_all(which)
        held = self.accounts[which % len(self.accounts)]
        self.world.crm.faults.refuse(Locked("row is locked"), lambda row_id, _values: row_id == held)
        self.world.lap(3 * HOUR)
        self.world.crm.faults.clear()
        self._promises()

    @rule(error=st.sampled_from([MailUnavailable, MailInDoubt, MailboxRefused]))
    def lap_with_mail_that_fails(self, error: type[Exception]) -> None:
        self.world.mailbox.failing.append(error("no"))
        self.world.lap(3 * HOUR)
        self.world.mailbox.failing.clear()
        self._promises()

    # ── what holds ──

    def _promises(self) -> None:
        asked = Counter(row.interaction_id for row in self.world.rows(tables.invitation) if row.state != "cancelled")
        assert not asked or max(asked.values()) == 1
        to_customers = (message for message in self.world.mailbox.messages if "List-Unsubscribe" in message.headers)
        subjects = Counter((message.to, message.subject) for message in to_customers)
        assert not subjects or max(subjects.values()) == 1, subjects  # a subject names its case
        follow_ups = [row for row in self.world.rows(tables.follow_up) if row.state != "closed"]
        assert len({(row.customer, row.about) for row in follow_ups}) == len(follow_ups)
        keys = [task["Afterword_Key__c"] for task in self.world.tasks()]
        assert len(set(keys)) == len(keys)

    def _settle(self) -> None:
        self.clock.jump(self.world.crm.skew)
        self.world.crm.skew = timedelta()
        for _ in range(3):
            self._lap(3 * HOUR)
        self._promises()
        writes = self.world.writes()
        assert self.world.lap().exit_code == 0
        assert self.world.writes() == writes
        self._every_end_is_decided_once()
        self._a_second_reckoning_comes_to_the_same()
        keys = {task["Afterword_Key__c"] for task in self.world.tasks()}
        follow_ups = self.world.rows(tables.follow_up)
        # One that a merge closed before its task was made has none. Where somebody deleted it, it waits for its outcome, until a
        # further answer opens it again, with a task anew.
        open_ones = {row.id for row in follow_ups if row.state == "open"}
        assert open_ones <= keys <= {row.id for row in follow_ups}
        people = Counter(account for account, _person in self._answered())
        for account in self.accounts:
            shown = self.world.shows(account)
            assert shown.get("People", 0) == people[account]
            assert bool(shown.get("Attention")) == any(
                row.state != "closed" and row.attention_ended_at is None
                for row in self.world.rows(tables.follow_up)
                if row.account_id == self._id(account)
            )

    def _every_end_is_decided_once(self) -> None:
        decided = Counter((row.survey, row.interaction_id) for row in self.world.rows(tables.decision))
        rows = self.world.rows(tables.interaction)
        ended = {row.id for row in rows if row.ended is not None and row.deleted_at is None}
        assert ended <= {interaction for _, interaction in decided}
        assert not decided or max(decided.values()) == 1

    def _a_second_reckoning_comes_to_the_same(self) -> None:
        """What the CRM shows is what the ratings say, worked out once more."""
        before = {account: self.world.shows(account) for account in self.accounts}
        with self.store.write() as tx:
            for row in tx.execute(select(tables.customer_score)).all():
                mark_stale(tx, row.customer, self.clock.now())
        assert self.world.lap(timedelta()).exit_code == 0
        for account in self.accounts:
            assert figures(self.world.shows(account)) == figures(before[account])

    def _answered(self) -> set[tuple[str, str]]:
        """Return (account in the CRM, contact) of everybody whose answer counts."""
        where = {row.id: row.ref.partition("/")[2] for row in self.world.rows(tables.account)}
        rows = [row for row in self.world.rows(tables.response) if row.counts]
        return {(where[row.account_id], row.contact_id) for row in rows}

    def _id(self, account: str) -> str:
        return str(
            next(row.id for row in self.world.rows(tables.account) if row.ref == f"Account/{account}"),
        )


@contextmanager
def power_cut(nth: int, *, after: bool) -> Iterator[None]:
    """Let the process die at the `nth` thing that it writes down, just before or just after that is on the disk."""
    real, written = Store.write, 0

    @contextmanager
    def write(store: Store) -> Iterator[Connection]:
        nonlocal written
        written += 1
        dies = written == nth
        with real(store) as connection:
            yield connection
            if dies and not after:
                raise PowerCut
        if dies:
            raise PowerCut

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "write", write)
        yield


def figures(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what an account shows, but for how many were asked: that alone is no reason to write."""
    summary = shown.get("Summary", "").partition(" Answered by ")[0] if "People" in shown else ""
    return shown | {"Summary": summary}


@pytest.mark.parametrize("examples", [4, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3000)])])
def test_whatever_happens_the_promises_hold(examples: int, migrated_file: Path) -> None:
    global template  # noqa: PLW0603 - a state machine takes no arguments
    template = migrated_file
    run_state_machine_as_test(
        Laps,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            derandomize=examples < 100,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
