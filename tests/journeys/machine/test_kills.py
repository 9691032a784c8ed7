"""The process dies at any moment of a lap: nothing is lost, nothing is doubled, and the CRM ends as the answers demand."""

import random
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from default_mappings import packaged
from environment import Environment, cases_alone, mapping_line, standing, wait_for
from environment_hubspot import HubSpotEnvironment
from sqlalchemy import Table, func, select

from connector.store.tables import decision, follow_up, interaction, response

RULES = """
[surveys.after-case]
on = "case.closed"
delay = "0s"
[follow_up.unhappy]
when = "csat <= 2"
"""
ACCOUNTS = 4
CASES_A_ROUND = 3
MOMENTS = ("any", "any", "any", "recipient", "message", "answer")
"""Where the kill strikes: anywhere; while the mail server looks at the recipient, or at the whole message; after the CRM has done
what it was asked, and before its answer."""
WRITES = {"salesforce": "/composite/sobjects", "hubspot": "/batch/(create|update|upsert)"}
CRMS: dict[str, type[Environment]] = {"salesforce": Environment, "hubspot": HubSpotEnvironment}
SOAK = [pytest.mark.soak, pytest.mark.timeout(1800)]


@dataclass
class Story:
    """What happens around one installation, round by round, the same for the same seed."""

    env: Environment
    accounts: list[str] = field(default_factory=list)
    contacts: dict[str, str] = field(default_factory=dict)
    """By e-mail address."""
    answered: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Go live on an org with a few accounts."""
        if isinstance(self.env, HubSpotEnvironment):
            self.env.org.configure(searches_per_s=0, burst=0)  # many processes within a few seconds
        self.env.configure(RULES, extra=mapping_line(self.env, cases_alone(packaged(self.env.ADAPTER))))
        assert self.env.command("sync").code == 0
        self.accounts = [self.env.account(f"Account {number}") for number in range(ACCOUNTS)]

    def close_cases(self, round_number: int) -> None:
        """Let cases of people who were never asked before be closed."""
        for number in range(CASES_A_ROUND):
            account = self.accounts[(round_number + number) % ACCOUNTS]
            address = f"p{round_number}x{number}@nw.example"
            self.contacts[address] = self.env.contact(account, f"Person {round_number}-{number}", address)
            self.env.closed_case(account, self.contacts[address])

    def sync(self) -> None:
        """Run a lap to its end."""
        done = self.env.command("sync")
        assert done.code == 0, done

    def answer(self, only: set[str] | None = None) -> set[str]:
        """Let everybody who got a mail answer (or those named), and return who did."""
        mails = {mail.to: mail for mail in self.env.mailbox.mails if mail.to not in self.answered}
        chosen = sorted(mails if only is None else only)
        for address in chosen:
            self.env.answer(mails[address], 1 + sum(map(ord, address)) % 5, f"Thoughts of {address}")
        self.answered.update(chosen)
        return set(chosen)

    def outcome(self) -> dict[str, Any]:
        """Return everything that the CRM shows in the end, without the moments that no two runs share."""
        env = self.env
        shown = [_timeless(env.figures(env.ACCOUNT, account)) for account in self.accounts]
        people = {address: env.figures(env.CONTACT, self.contacts[address])["last_rating"] for address in self.answered}
        tasks = sorted((task.account, _without_times(task.subject)) for task in env.follow_ups())
        return {"accounts": shown, "people": people, "tasks": tasks}

    def decisions(self) -> list[int]:
        """Count the decisions on each interaction."""
        with self.env.installation.store.read() as tx:
            found = select(func.count(decision.c.id)).select_from(
                interaction.outerjoin(decision, decision.c.interaction_id == interaction.c.id)
            )
            return list(tx.execute(found.group_by(interaction.c.id)).scalars())

    def count(self, table: Table) -> int:
        """Count what the store has of something."""
        with self.env.installation.store.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def _timeless(shown: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in shown.items() if name not in {"last_answer", "details"}}
    return {name: _without_times(value) if isinstance(value, str) else value for name, value in kept.items()}


def _without_times(text: str) -> str:
    return re.sub(r"\d\d:\d\d", "hh:mm", text)


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable, not secret


@contextmanager
def struck(env: Environment, moment: str, dice: random.Random) -> Iterator[list[bool]]:
    """Run a sync and kill it at a moment; yields a list whose one element tells whether it was still at work."""
    reached, released = threading.Event(), threading.Event()

    def hold(_what: object) -> None:
        if not reached.is_set():
            reached.set()
            released.wait(300)

    if moment == "recipient":
        env.mailbox.on_rcpt = hold
    if moment == "message":
        env.mailbox.on_mail = hold
    if moment == "answer":
        env.org.faults.slow(0.5, path=WRITES[env.ADAPTER], nth=dice.choice([1, 2, 3]))
    env.mark_writes()
    command = env.start("sync")
    if moment == "any":
        time.sleep(dice.uniform(0.0, 1.0))
    elif moment == "answer":
        wait_for(lambda: not command.alive or bool(env.org.faults.calls[0].hits))
        time.sleep(0.1)
    else:
        wait_for(lambda: not command.alive or reached.is_set())
    hit = [command.kill()]
    released.set()
    env.mailbox.on_rcpt = lambda _address: None
    env.mailbox.on_mail = lambda _mail: None
    env.org.faults.clear()
    yield hit


class Trial(NamedTuple):
    """Beside which CRM, how many laps are killed, and by how many seconds the CRM's searches lag."""

    crm: str
    kills: int
    lag: int = 0


@pytest.mark.parametrize(
    ("trial", "store_address"),
    [
        (Trial("salesforce", 5), "sqlite"),
        (Trial("hubspot", 5), "postgresql"),
        *(
            pytest.param(Trial(crm, 50, lag), database, marks=SOAK)
            for crm, lag in (("salesforce", 0), ("hubspot", 0), ("hubspot", 10))
            for database in ("sqlite", "postgresql")
        ),
    ],
    indirect=["store_address"],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, Trial) else value,
)
def test_killed_anywhere_nothing_is_lost_or_doubled(
    trial: Trial, store_address: str, tmp_path: Path, migrated_file: Path
) -> None:
    crm, kills, lag = trial
    dice = _dice(20261122)
    moments = [dice.choice(MOMENTS) for _ in range(kills)]
    assert set(moments) == set(MOMENTS)
    with standing(CRMS[crm], _folder(tmp_path / "killed"), store_address) as env:
        story = Story(env)
        story.begin()
        if isinstance(env, HubSpotEnvironment):
            env.org.configure(search_lag_s=lag)
        hits, answers = _killed(story, moments, dice)
        answers += _settled(story, lag)
        assert sum(hits.values()) >= kills * 0.6, hits
        assert hits["message"] and hits["recipient"] and hits["answer"], hits
        _nothing_lost_or_doubled(story, hits)
        outcome = story.outcome()
    folder = _folder(tmp_path / "whole")
    shutil.copyfile(migrated_file, folder / "afterword.db")
    with standing(CRMS[crm], folder, f"sqlite:///{folder}/afterword.db") as env:
        assert _asked_aside(outcome) == _asked_aside(_without_kills(Story(env), kills, answers))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _killed(story: Story, moments: list[str], dice: random.Random) -> tuple[Counter[str], list[set[str]]]:
    """Let a process be killed in every round; returns how many were, and who answered in each round."""
    hits: Counter[str] = Counter()
    answers: list[set[str]] = []
    for number, moment in enumerate(moments):
        story.close_cases(number)
        with struck(story.env, moment, dice) as (hit,):
            hits[moment] += hit
        story.sync()
        answers.append(story.answer())
    return hits, answers


def _settled(story: Story, lag: int) -> list[set[str]]:
    """Go on until the searches show all that happened, and all of it was dealt with."""
    answers = []
    for _ in range(lag + 3 if lag else 0):
        time.sleep(1)
        story.sync()
        answers.append(story.answer())
    story.sync()
    return answers


def _without_kills(story: Story, rounds: int, answers: list[set[str]]) -> dict[str, Any]:
    """Tell the same story with every lap run to its end; returns what the CRM shows then."""
    story.begin()
    for number, answering in enumerate(answers):
        if number < rounds:
            story.close_cases(number)
        story.sync()
        story.answer(only=answering)
    story.sync()
    return story.outcome()


def _nothing_lost_or_doubled(story: Story, hits: Counter[str]) -> None:
    env = story.env
    mails = Counter(mail.to for mail in env.mailbox.mails)
    assert set(mails.values()) == {1}
    in_doubt = {mail["to"] for mail in env.status()["in_doubt"]}
    assert set(mails) | in_doubt == set(story.contacts)
    assert len(in_doubt) >= hits["message"] + hits["recipient"]
    assert story.decisions() == [1] * len(story.contacts)
    assert story.count(response) == len(story.answered) == len(mails)
    keys = [task.key for task in env.follow_ups()]
    assert len(keys) == len(set(keys)) == story.count(follow_up)
    env.mark_writes()
    story.sync()
    assert env.writes == []
    assert len(env.mailbox.mails) == sum(mails.values())


def _asked_aside(outcome: dict[str, Any]) -> dict[str, Any]:
    """Leave aside how many were asked: whose mail never left was not."""
    accounts = [
        {**shown, "summary": re.sub(r"\d+ of \d+ asked", "n of n asked", shown["summary"])}
        for shown in outcome["accounts"]
    ]
    return {**outcome, "accounts": accounts}


def test_a_mail_cut_off_in_the_middle_is_in_doubt_and_not_sent_again_and_can_be_answered(today: Environment) -> None:
    story = Story(today)
    story.begin()
    story.close_cases(1)
    with struck(today, "message", _dice(1)) as (hit,):
        assert hit
    (cut_off,) = today.mailbox.mails
    story.sync()
    story.sync()
    assert Counter(mail.to for mail in today.mailbox.mails) == dict.fromkeys(story.contacts, 1)
    (doubt,) = today.status()["in_doubt"]
    assert doubt["to"] == cut_off.to
    assert "not sent again" in doubt["remedy"]
    assert "not sent again" in today.command("why", story.contacts[cut_off.to]).out
    # Whoever got it can answer it.
    today.answer(cut_off, 1, "It did arrive.")
    story.sync()
    assert [task.contact for task in today.follow_ups()] == [story.contacts[cut_off.to]]
