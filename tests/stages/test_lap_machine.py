"""People, time and faults in any order: whatever happens, what was promised holds after every lap, and at the end all is in the CRM."""

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld

from connector.clock import SteppedClock
from connector.errors import Locked, MailboxRefused, MailInDoubt, MailUnavailable, Unavailable
from connector.model import Rating
from connector.store import Store, answering, tables

DELAYED = CSAT.replace('"0s"', '"2h"', 1)
some = st.integers(min_value=0, max_value=10_000)
template: Path


class Laps(RuleBasedStateMachine):
    """One installation, and everybody around it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="laps-"))
        shutil.copyfile(template, self.folder / "afterword.db")
        self.store = Store(f"sqlite:///{self.folder / 'afterword.db'}")
        self.world = LapWorld(self.folder, SteppedClock(datetime(2026, 11, 16, 8, tzinfo=UTC)), self.store)
        self.world.configure(DELAYED + UNHAPPY)
        assert self.world.lap().exit_code == 0
        self.accounts = [self.world.account(f"Account {number}") for number in range(3)]
        self.contacts = [
            self.world.crm.contact(account, f"Person {place}{number}")
            for place, account in enumerate(self.accounts)
            for number in range(2)
        ]
        self.cases: list[str] = []

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
        self.cases.append(self.world.crm.case(self.world.crm.get(contact)["AccountId"], contact))
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
        with self.store.write() as connection:
            answering.record(
                connection, sent[which % len(sent)], [rating], comment=f"{value}!", now=self.world.clock.now()
            )

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

    # ── time and faults ──

    @rule(span=st.sampled_from([timedelta(minutes=5), HOUR, 3 * HOUR, DAY]))
    def lap(self, span: timedelta) -> None:
        self.world.lap(span)
        self._promises()

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
        subjects = Counter((message.to, message.subject) for message in self.world.mailbox.messages)
        assert not subjects or max(subjects.values()) == 1, subjects  # a subject names its case
        follow_ups = [row for row in self.world.rows(tables.follow_up) if row.state == "open"]
        assert len({(row.customer, row.rule) for row in follow_ups}) == len(follow_ups)
        keys = [task["Afterword_Key__c"] for task in self.world.tasks()]
        assert len(set(keys)) == len(keys)

    def _settle(self) -> None:
        for _ in range(3):
            self.world.lap(3 * HOUR)
        self._promises()
        writes = self.world.writes()
        assert self.world.lap().exit_code == 0
        assert self.world.writes() == writes
        keys = {task["Afterword_Key__c"] for task in self.world.tasks()}
        follow_ups = self.world.rows(tables.follow_up)
        # One that a merge closed before its task was made has none.
        assert {row.id for row in follow_ups if row.state == "open"} <= keys <= {row.id for row in follow_ups}
        people = Counter(account for account, _person in self._answered())
        for account in self.accounts:
            shown = self.world.shows(account)
            assert shown.get("People", 0) == people[account]
            assert bool(shown.get("Attention")) == any(
                row.state == "open" for row in self.world.rows(tables.follow_up) if row.account_id == self._id(account)
            )

    def _answered(self) -> set[tuple[str, str]]:
        """Return (account in the CRM, contact) of everybody whose answer counts."""
        where = {row.id: row.ref.partition("/")[2] for row in self.world.rows(tables.account)}
        rows = [row for row in self.world.rows(tables.response) if row.counts]
        return {(where[row.account_id], row.contact_id) for row in rows}

    def _id(self, account: str) -> str:
        return str(
            next(row.id for row in self.world.rows(tables.account) if row.ref == f"Account/{account}"),
        )


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
