"""Two processes on one PostgreSQL, both CRMs behind them: whatever one does, or dies at, nothing is lost and nothing is doubled."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from databases import ON_POSTGRESQL
from environment import DAY, HOUR, wait_for
from environment_both import TwoCrmEnvironment, standing_beside_both
from sqlalchemy import func, select

from connector.app import wiring
from connector.runtime.clock import SteppedClock
from connector.stages import lap
from connector.store.tables import decision, follow_up, interaction, response

AT_ONCE = """
[surveys.after-case]
on = "case.closed"
delay = "0s"
[follow_up.unhappy]
when = "csat <= 2"
"""
ROUNDS = 3
MOMENTS = ("read", "message", "task", "company", "account")
PLACES = {
    "read": ("acme", "/query"),
    "account": ("acme", "/composite/sobjects"),
    "company": ("hub", "/companies/batch/(create|update|upsert)"),
    "task": ("hub", "/tasks/batch/(create|update|upsert)"),
}
"""Where a CRM has done what it was asked, and its answer is on the way; "message" is where the mail server has the whole message."""


@dataclass
class People:
    """Who had a case or a ticket closed, and what came of it."""

    env: TwoCrmEnvironment
    addresses: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)

    def meet(self, number: int) -> None:
        """Let two people who were never asked have something closed, one in each CRM, each of an account of its own."""
        for crm, address in ((self.env, f"a{number}@nw.example"), (self.env.hub, f"h{number}@sw.example")):
            account = crm.account(f"Account of {address}")
            crm.closed_case(account, crm.contact(account, f"Person {number}", address))
            self.addresses.add(address)

    def answer(self) -> None:
        """Let everybody who got a mail answer, all of them unhappily."""
        for mail in list(self.env.mailbox.mails):
            if mail.unsubscribe and mail.to not in self.answered:
                self.answered.add(mail.to)
                self.env.answer(mail, 1 + len(self.answered) % 2, f"Thoughts of {mail.to}")

    def nothing_is_lost_or_doubled(self) -> None:
        """Hold everything that there is against everything that happened."""
        env = self.env
        mails = Counter(mail.to for mail in env.mailbox.mails if mail.unsubscribe)
        assert set(mails.values()) == {1}
        assert set(mails) | {mail["to"] for mail in env.status()["in_doubt"]} == self.addresses
        with env.installation.store.read() as tx:
            decided = tx.execute(
                select(interaction.c.ref, func.count(decision.c.id))
                .select_from(interaction.outerjoin(decision, decision.c.interaction_id == interaction.c.id))
                .group_by(interaction.c.id, interaction.c.ref)
            ).all()
            opened = tx.execute(select(func.count()).select_from(follow_up)).scalar_one()
            answers = tx.execute(select(func.count()).select_from(response)).scalar_one()
        assert [count for _ref, count in decided] == [1] * len(self.addresses)
        assert answers == len(self.answered)
        keys = [task["Afterword_Key__c"] for task in env.tasks()]
        keys += [task["afterword_key"] for task in env.hub.tasks()]
        assert len(keys) == len(set(keys)) == opened == len(self.answered)
        env.mark_writes()
        assert env.lap().exit_code == 0
        assert (env.writes, env.hub.writes) == ([], [])
        assert sum(bool(mail.unsubscribe) for mail in env.mailbox.mails) == sum(mails.values())


@ON_POSTGRESQL
def test_two_laps_at_once_decide_send_and_write_everything_once(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing_beside_both(tmp_path, store_address, clock) as env:
        env.lap()
        people = People(env)
        overlapped = 0
        other = wiring.build(wiring.read_settings(env.config, {}), clock=clock)
        try:
            for number in range(ROUNDS):
                people.meet(number)
                for step in (HOUR, DAY):
                    env.advance(step)
                    # One is held up at a different place each time, so that the other finds different work free.
                    env.org.faults.slow(0.15, path="/query" if number % 2 else "/composite/", nth=1 + number)
                    env.hub.org.faults.slow(0.15, path="/search" if number % 2 else "/batch/", nth=1 + number)
                    reports = both(lambda: lap.run(env.installation), lambda: lap.run(other))
                    assert [report.exit_code for report in reports] == [0, 0]
                    overlapped += any(report.busy for report in reports)
                    people.answer()
        finally:
            for endpoint in other.endpoints:
                endpoint.adapter.close()
            if other.channel is not None:
                other.channel.close()
            other.store.close()
        assert overlapped >= ROUNDS
        env.org.faults.clear()
        env.hub.org.faults.clear()
        for _ in range(3):
            assert env.later(HOUR).exit_code == 0
        people.nothing_is_lost_or_doubled()


def both(*laps: Callable[[], lap.Report]) -> list[lap.Report]:
    """Run laps at the same moment."""
    start = threading.Barrier(len(laps))

    def begin(run: Callable[[], lap.Report]) -> lap.Report:
        start.wait(10)
        return run()

    with ThreadPoolExecutor(len(laps)) as pool:
        return list(pool.map(begin, laps))


@contextmanager
def held_up(env: TwoCrmEnvironment, moment: str) -> Iterator[Callable[[], bool]]:
    """Hold up the first who comes to a place; yields whether somebody has come."""
    reached, released = threading.Event(), threading.Event()

    def hold(_what: object) -> None:
        if not reached.is_set():
            reached.set()
            released.wait(300)

    if moment == "message":
        env.mailbox.on_mail = hold
        yield reached.is_set
    else:
        crm, path = PLACES[moment]
        faults = (env.org if crm == "acme" else env.hub.org).faults
        fault = faults.slow(1.5, path=path)
        yield lambda: bool(fault.hits)
        faults.clear()
    released.set()
    env.mailbox.on_mail = lambda _mail: None


@ON_POSTGRESQL
def test_one_is_killed_and_the_other_goes_on(tmp_path: Path, store_address: str) -> None:
    with standing_beside_both(tmp_path, store_address) as env:
        env.cases_alone = True
        env.hub.org.configure(searches_per_s=0, burst=0)  # three processes within a few seconds
        env.configure(AT_ONCE)
        assert env.command("sync").code == 0
        people = People(env)
        for number, moment in enumerate(MOMENTS):
            people.meet(number)
            if moment == "read":  # something is due that the other can send meanwhile
                env.lap((lap.Stage.PULL,))
                env.lap((lap.Stage.INVITE,))
            with held_up(env, moment) as reached:
                victim = env.start("sync")
                wait_for(reached)
                other = env.start("sync")
                time.sleep(0.1)
                assert victim.kill()
            done = other.done()
            assert done.code == 0, done
            done = env.command("sync")
            assert done.code == 0, done
            people.answer()
        for _ in range(2):
            assert env.command("sync").code == 0
        people.nothing_is_lost_or_doubled()
