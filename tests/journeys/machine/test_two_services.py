"""Two `afterword run` on one PostgreSQL: one is killed at a random moment, the other carries on, and nothing is lost or doubled."""

import random
import socket
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from databases import ON_POSTGRESQL
from default_mappings import packaged
from environment import Environment, Mail, cases_alone, mapping_line, standing, wait_for
from processes import Command
from sqlalchemy import Table, func, select

from connector.store.tables import decision, follow_up, interaction, response

RULES = """
[surveys.after-case]
on = "case.closed"
delay = "0s"
[follow_up.unhappy]
when = "csat <= 2"
[schedule]
sync = "1s"
"""
PATIENCE = 60
"""Seconds in which the other must have done what the dead one left: the dead one's lease is free at once on the same machine."""


@dataclass
class Service:
    """One `afterword run`, at a port of its own."""

    env: Environment
    number: int
    port: int = 0
    process: Command = field(init=False)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        text = self.env.config.read_text(encoding="utf-8")
        config = self.env.folder / f"service-{self.number}.toml"
        config.write_text(text.replace("[web]", f'[web]\nlisten = "127.0.0.1:{self.port}"', 1), encoding="utf-8")
        self.process = Command(self.env.folder, ["run", "-c", str(config)])

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def is_up(self) -> bool:
        """Whether its pages are served."""
        try:
            return requests.get(f"{self.address}/healthz", timeout=60).text == "ok\n"
        except requests.RequestException:
            return False

    def answer(self, mail: Mail, rating: int) -> bool:
        """Answer on this one's page; False when it is gone."""
        page = self.address + "/s/" + mail.survey.rpartition("/")[2]
        try:
            sent = requests.post(page, data={"rating": rating, "comment": f"Thoughts of {mail.to}"}, timeout=300)
        except requests.RequestException:
            return False
        assert sent.status_code == 200, sent.text
        return True


@dataclass
class People:
    """Those whose case was closed, and what came of it."""

    env: Environment
    contacts: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)

    def meet(self, number: int) -> None:
        """Let the case of somebody who was never asked be closed."""
        address = f"p{number}@nw.example"
        account = self.env.account(f"Account {number}")
        self.env.closed_case(account, self.env.contact(account, f"Person {number}", address))
        self.contacts.add(address)

    def all_asked(self) -> bool:
        """Whether everybody's mail was sent, or may have been."""
        doubts = {mail["to"] for mail in self.env.status()["in_doubt"]}
        return {mail.to for mail in self.env.mailbox.mails} | doubts == self.contacts

    def answer(self, services: list[Service]) -> None:
        """Let everybody who got a mail answer on each of the pages, as somebody does who presses the button again."""
        for mail in [mail for mail in self.env.mailbox.mails if mail.to not in self.answered]:
            rating = 1 + len(self.answered) % 2
            if [service.answer(mail, rating) for service in services].count(True):
                self.answered.add(mail.to)

    def nothing_is_lost_or_doubled(self) -> None:
        """Hold everything that there is against everything that happened."""
        mails = Counter(mail.to for mail in self.env.mailbox.mails)
        assert set(mails.values()) == {1}
        assert self.all_asked()
        assert self._decisions() == [1] * len(self.contacts)
        keys = [task.key for task in self.env.follow_ups()]
        assert len(keys) == len(set(keys)) == len(self.answered) == len(mails)
        assert self._count(response) == self._count(follow_up) == len(keys)
        self.env.mark_writes()
        assert self.env.lap().exit_code == 0
        assert self.env.writes == []

    def _decisions(self) -> list[int]:
        with self.env.installation.store.read() as tx:
            both = interaction.outerjoin(decision, decision.c.interaction_id == interaction.c.id)
            found = select(func.count(decision.c.id)).select_from(both).group_by(interaction.c.id)
            return list(tx.execute(found).scalars())

    def _count(self, table: Table) -> int:
        with self.env.installation.store.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


@ON_POSTGRESQL
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_one_of_two_services_is_killed_at_random_and_the_other_carries_on(
    kills: int, store_address: str, tmp_path: Path
) -> None:
    dice = random.Random(20261122)  # noqa: S311 - repeatable, not secret
    with standing(Environment, tmp_path, store_address) as env, ExitStack() as stack:
        env.configure(RULES, extra=mapping_line(env, cases_alone(packaged("salesforce"))))
        assert env.lap().exit_code == 0
        people = People(env)
        numbers = iter(range(kills + 2))

        services = [Service(env, next(numbers)) for _ in range(2)]
        stack.callback(lambda: [service.process.kill() for service in services])
        for number in range(kills):
            wait_for(lambda: all(service.is_up() for service in services), PATIENCE)
            victim = services.pop(dice.randrange(2))
            for person in range(3):
                people.meet(3 * number + person)
            time.sleep(dice.uniform(0.0, 1.5))
            if dice.random() < 0.5:
                wait_for(people.all_asked, PATIENCE)
                people.answer([victim, *services])
                time.sleep(dice.uniform(0.0, 1.5))
            assert victim.process.kill()
            wait_for(people.all_asked, PATIENCE)
            people.answer(services)
            wait_for(lambda: len(env.tasks()) == len(people.answered), PATIENCE)
            services.append(Service(env, next(numbers)))
        while services:
            assert services.pop().process.kill()
        people.nothing_is_lost_or_doubled()
