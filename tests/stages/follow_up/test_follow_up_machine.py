"""Answers, merges, links and outcomes in any order: each bad answer is in one follow-up, and no follow-up is closed for nothing."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from lap_world import CSAT, DAY, HOUR, UNHAPPY
from sqlalchemy import Table, insert, select, update
from two_worlds import TwoWorlds

from connector.model import Outcome, Rating
from connector.runtime.clock import SteppedClock
from connector.stages import lap
from connector.stages.connection.connect import connect
from connector.stages.context import Context
from connector.stages.follow_up import stage as follow_up
from connector.stages.follow_up.states import Event, OutcomeNoted, TaskCompleted, TaskDeleted, TaskReopened
from connector.stages.follow_up.task_events import note_outcome
from connector.stages.score import stage as score
from connector.store import Store, Transaction, tables
from connector.store.crm import links as stored_links
from connector.store.crm import merges
from connector.store.crm.records import mark_stale
from connector.store.results import follow_ups as stored_follow_ups
from connector.store.surveys import answers as stored_answers

FRESH_FOR = timedelta(days=7)
CONTACTS = {"acme": ("acme1", "acme2"), "other": ("other1", "other2")}
"""The accounts of each CRM."""
EVENTS: list[Event] = [TaskCompleted(), TaskDeleted(), TaskReopened(), *(OutcomeNoted(one.value) for one in Outcome)]
SETTLING = {Outcome.SOLVED.value, Outcome.NO_ACTION_NEEDED.value}
some = st.integers(min_value=0, max_value=10_000)


@dataclass(frozen=True)
class Live:
    """An installation that has just gone live beside two CRMs that hold nothing yet."""

    file: Path
    context: Context
    clock: SteppedClock


live: Live


class FollowUps(RuleBasedStateMachine):
    """The store of one installation, and what comes into it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="follow-ups-"))
        shutil.copyfile(live.file, self.folder / "afterword.db")
        self.store = Store(f"sqlite:///{self.folder / 'afterword.db'}")
        self.clock = SteppedClock(live.clock.now() + 30 * DAY)  # answers are dated back, but not to before it was live
        self.context = replace(live.context, store=self.store, clock=self.clock)
        self.accounts: dict[str, list[str]] = {crm: [*names] for crm, names in CONTACTS.items()}
        self.contacts: dict[str, list[str]] = {crm: [] for crm in CONTACTS}
        self.invitations: list[str] = []
        self.due: set[str] = set()
        """Bad answers that somebody has to hear of."""
        self.closed: dict[str, str] = {}
        """By what each follow-up was closed, as far as that was looked at."""
        self.settled: set[str] = set()
        """The follow-ups whose outcome was noted."""
        with self.store.write() as tx:
            for crm, accounts in self.accounts.items():
                for number, account in enumerate(accounts):
                    self._add(tx, tables.account, crm, account, customer=account, is_customer=True)
                    for who in ("ann", "bo"):
                        person = f"{who}{number}"  # the same in both CRMs
                        self._add(tx, tables.contact, crm, f"{account}-{who}", person=person, no_surveys=False)
                        self.contacts[crm].append(f"{account}-{who}")

    def teardown(self) -> None:
        """In the end everything was looked at."""
        try:
            self.lap()
            self.lap()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    def _add(self, tx: Transaction, table: Table, crm: str, name: str, **columns: Any) -> None:
        ref = f"{table.name.title()}/{name}"
        tx.execute(insert(table).values(id=name, connection=crm, ref=ref, name=name, facts={}, **columns))
        tx.execute(insert(tables.binding).values(connection=crm, ref=ref, kind=table.name, id=name, content_hash=""))

    # ── answers ──

    @rule(crm=st.sampled_from([*CONTACTS]), who=some, value=st.integers(1, 5), age=st.sampled_from([HOUR, 8 * DAY]))
    def answer(self, crm: str, who: int, value: int, age: timedelta) -> None:
        contact = self.contacts[crm][who % len(self.contacts[crm])]
        self.invitations.append(self._invite(crm, contact))
        self._record(self.invitations[-1], value, age)

    @rule(crm=st.sampled_from([*CONTACTS]), who=some, looked_at=st.booleans())
    def a_bad_answer(self, crm: str, who: int, *, looked_at: bool) -> None:
        self.answer(crm, who, 1, HOUR)
        if looked_at:
            self.lap()

    @precondition(lambda self: self.invitations)
    @rule(which=some, value=st.integers(1, 5))
    def correct(self, which: int, value: int) -> None:
        self._record(self.invitations[which % len(self.invitations)], value, timedelta())

    @rule(crm=st.sampled_from([*CONTACTS]), who=some, value=st.integers(1, 5))
    def import_one(self, crm: str, who: int, value: int) -> None:
        contact = self.contacts[crm][who % len(self.contacts[crm])]
        response = self._record(self._invite(crm, contact), value, HOUR)
        with self.store.write() as tx:
            tx.execute(update(tables.response).where(tables.response.c.id == response).values(source="import"))

    def _invite(self, crm: str, contact: str) -> str:
        now, name = self.clock.now(), f"i{len(self.rows(tables.invitation))}"
        person = next(row.person for row in self.rows(tables.contact) if row.id == contact)
        common = {"id": name, "survey": "after-case", "connection": crm, "interaction_id": name, "contact_id": contact}
        common |= {"account_id": self._account_of(crm, contact)}
        asked = {"person": person, "email": "x@y.example", "name": contact, "language": "en", "label": f"case {name}"}
        moments = {"created_at": now, "due_at": now, "expires_at": now + 90 * DAY, "state": "sent"}
        with self.store.write() as tx:
            tx.execute(insert(tables.decision).values(**common, state="invited", decided_at=now))
            tx.execute(
                insert(tables.invitation).values(**common, **asked, **moments, decision_id=name, questionnaire={})
            )
        return name

    def _account_of(self, crm: str, contact: str) -> str:
        """Return where somebody works: what their account was merged into."""
        with self.store.read() as tx:
            ref = f"Account/{contact.partition('-')[0]}"
            known = select(tables.binding.c.id).where(tables.binding.c.connection == crm, tables.binding.c.ref == ref)
            return str(tx.execute(known).scalar_one())

    def _record(self, invitation: str, value: int, age: timedelta) -> str:
        with self.store.write() as tx:
            rating = Rating("csat", "csat", value, 1, 5)
            now = self.clock.now() - age
            recorded = stored_answers.record(tx, invitation, [rating], comment=f"{value}!", now=now)
            self.clock.advance(timedelta(minutes=1))
        assert recorded is not None
        return recorded.response_id

    # ── records ──

    @precondition(lambda self: any(len(names) > 1 for names in self.contacts.values()))
    @rule(crm=st.sampled_from([*CONTACTS]), which=some)
    def merge_contacts(self, crm: str, which: int) -> None:
        self._merge(tables.contact, crm, self.contacts[crm], which)

    @rule(crm=st.sampled_from([*CONTACTS]), which=some)
    def merge_accounts(self, crm: str, which: int) -> None:
        self._merge(tables.account, crm, self.accounts[crm], which)

    def _merge(self, table: Table, crm: str, names: list[str], which: int) -> None:
        """Let a record go, and what it was merged into be known: at once, or a lap later."""
        if len(names) < 2:
            return
        loser = names.pop(which % len(names))
        survivor = names[which // 2 % len(names)]
        self._let_go(table, loser, gone=True)
        if which % 3 == 0:
            self.lap()
        kind, now = table.name.title(), self.clock.now()
        with self.store.write() as tx:
            merges.remember(tx, crm, [(f"{kind}/{loser}", f"{kind}/{survivor}")], now)
            assert merges.settle(tx, crm, now) == 1
            stored_links.settle(tx, now)

    @rule(crm=st.sampled_from([*CONTACTS]), which=some, gone=st.booleans())
    def delete_or_restore_an_account(self, crm: str, which: int, gone: bool) -> None:
        self._let_go(tables.account, self.accounts[crm][which % len(self.accounts[crm])], gone=gone)

    def _let_go(self, table: Table, name: str, *, gone: bool) -> None:
        deleted_at = self.clock.now() if gone else None
        with self.store.write() as tx:
            tx.execute(update(table).where(table.c.id == name).values(deleted_at=deleted_at))
            stored_links.settle(tx, self.clock.now())
            self._look_again(tx)

    def _look_again(self, tx: Transaction) -> None:
        for customer in set(tx.execute(select(tables.account.c.customer)).scalars()):
            mark_stale(tx, customer, self.clock.now())

    @rule(which=some)
    def link_two_accounts(self, which: int) -> None:
        pair = [names[which // (number + 1) % len(names)] for number, names in enumerate(self.accounts.values())]
        self._link(pair)
        self.lap()

    @rule()
    def part_all_accounts(self) -> None:
        self._link([])
        self.lap()

    def _link(self, linked: list[str]) -> None:
        account = tables.account
        with self.store.write() as tx:
            tx.execute(update(account).values(link=None))
            tx.execute(update(account).where(account.c.id.in_(linked)).values(link="northwind.example"))
            stored_links.settle(tx, self.clock.now())

    @rule(crm=st.sampled_from([*CONTACTS]), which=some, other=some)
    def give_two_contacts_one_address(self, crm: str, which: int, other: int) -> None:
        everybody = self.contacts[crm]
        people = {row.id: row.person for row in self.rows(tables.contact)}
        person = people[everybody[other % len(everybody)]]
        with self.store.write() as tx:
            row = tables.contact.c.id == everybody[which % len(everybody)]
            tx.execute(update(tables.contact).where(row).values(person=person))
            self._look_again(tx)

    # ── outcomes, time ──

    @rule(which=some, event=st.sampled_from(EVENTS))
    def something_is_done_about_one(self, which: int, event: Event) -> None:
        rows = sorted(self.rows(tables.follow_up), key=lambda row: (row.state == "closed", row.opened_at, row.id))
        if not rows:
            return
        row = rows[which % len(rows)]
        if isinstance(event, OutcomeNoted) and event.outcome in SETTLING:
            self.settled.add(row.id)
        with self.store.write() as tx:
            follow_up = stored_follow_ups.by_id(tx, row.id)
            note_outcome(tx, self.context.settings, follow_up, event, self.clock.now())  # type: ignore[arg-type]

    @rule(span=st.sampled_from([HOUR, DAY, 8 * DAY]))
    def let_time_pass(self, span: timedelta) -> None:
        self.clock.advance(span)

    @rule()
    def lap(self) -> None:
        self.clock.advance(timedelta(minutes=5))
        self.due |= {row.id for row in self.rows(tables.response) if self._must_be_heard(row)}
        score.run(self.context)
        follow_up.run(self.context)
        self._promises()

    def _must_be_heard(self, answer: Any) -> bool:
        """Whether an answer is bad, was given lately, and has not been replaced before anybody looked at it."""
        is_news = answer.considered_at is None and answer.source != "import"
        stands = answer.counts or answer.after_contact
        return is_news and stands and self._value(answer) <= 2 and answer.at >= self.clock.now() - FRESH_FOR

    def _value(self, answer: Any) -> float:
        return next(float(row.value) for row in self.rows(tables.rating) if row.response_id == answer.id)

    # ── what holds ──

    def rows(self, table: Table) -> list[Any]:
        """Return a table's rows."""
        with self.store.read() as tx:
            return list(tx.execute(select(table)).all())

    def _promises(self) -> None:
        follow_ups = {row.id: row for row in self.rows(tables.follow_up)}
        answers = {row.id: row for row in self.rows(tables.response)}
        people = {row.id: row.person for row in self.rows(tables.contact)}
        customers = {row.id: row.customer for row in self.rows(tables.account)}
        links = [(row.response_id, row.follow_up_id) for row in self.rows(tables.follow_up_response)]
        inside = Counter(response for response, _ in links)
        assert {response: inside[response] for response in self.due} == dict.fromkeys(self.due, 1)
        assert not inside or max(inside.values()) == 1
        assert self.rows(tables.owed_follow_up) == []
        unclosed = [row for row in follow_ups.values() if row.state != "closed"]
        assert max(Counter((row.customer, people[row.about]) for row in unclosed).values(), default=1) == 1
        for response, name in links:
            row, answer = follow_ups[name], answers[response]
            assert row.closed_by != "joined"
            if row.state != "closed":
                theirs = (customers[answer.account_id], people[answer.contact_id])
                assert (row.customer, people[row.about]) == theirs
        for row in follow_ups.values():
            if row.closed_by is not None and self.closed.get(row.id) != row.closed_by:
                self._is_closed_for_a_reason(row, follow_ups, people)
            self.closed[row.id] = row.closed_by or ""

    def _is_closed_for_a_reason(self, row: Any, follow_ups: Mapping[str, Any], people: Mapping[str, str]) -> None:
        match row.closed_by:
            case "outcome":
                assert row.id in self.settled
            case "later_answer":
                assert self._later_good_answers(row, people)
            case "joined":
                keeper = follow_ups[row.joined_into]
                while keeper.joined_into is not None:
                    keeper = follow_ups[keeper.joined_into]
                assert people[keeper.about] == people[row.about]
            case "account_gone":
                accounts = [one for one in self.rows(tables.account) if one.customer == row.customer]
                assert all(one.deleted_at is not None for one in accounts)
            case _:
                raise AssertionError(row.closed_by)

    def _later_good_answers(self, row: Any, people: Mapping[str, str]) -> list[Any]:
        answers = {one.id: one for one in self.rows(tables.response)}
        links = self.rows(tables.follow_up_response)
        bad = [answers[link.response_id] for link in links if link.follow_up_id == row.id]
        return [
            one
            for one in answers.values()
            if people[one.contact_id] == people[row.about]
            and (one.counts and one.source != "import" and self._value(one) >= 4)
            and all(one.at > worse.at and one.invitation_id != worse.invitation_id for worse in bad)
        ]


def _live(folder: Path, migrated_file: Path) -> Live:
    shutil.copyfile(migrated_file, folder / "afterword.db")
    clock = SteppedClock(datetime(2026, 11, 16, 8, tzinfo=UTC))
    store = Store(f"sqlite:///{folder / 'afterword.db'}")
    world = TwoWorlds(folder, clock, store)
    world.configure(CSAT + UNHAPPY)
    assert world.lap().exit_code == 0
    connected = {}
    for endpoint in world.installation.endpoints:
        crm, problems = connect(store, clock, endpoint)
        assert not problems
        connected[endpoint.name] = crm
    store.close()
    return Live(folder / "afterword.db", replace(lap.bare_context(world.installation), connected=connected), clock)


@pytest.mark.parametrize("examples", [10, pytest.param(1_000, marks=[pytest.mark.soak, pytest.mark.timeout(3000)])])
def test_no_bad_answer_is_lost_doubled_or_closed_for_nothing(
    examples: int, migrated_file: Path, tmp_path: Path
) -> None:
    global live  # noqa: PLW0603 - a state machine takes no arguments
    live = _live(tmp_path, migrated_file)
    run_state_machine_as_test(
        FollowUps,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            derandomize=examples < 100,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
