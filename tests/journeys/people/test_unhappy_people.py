"""Four unhappy people of one customer over four weeks: each one's words stand in a task of theirs, until somebody has called."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from environment import DAY, HOUR, Environment, standing
from environment_hubspot import HubSpotEnvironment

from connector.runtime.clock import SteppedClock

RITVA, BOSS = "ritva@acme.example", "boss@acme.example"
RULES = f"""
[surveys.after-case]
on = "case.closed"
delay = "1h"
reminder_after = "0s"
[follow_up.low]
when = "low"
due = "24h"
notify = ["account_owner"]
escalate = ["{BOSS}"]
"""
DIGEST = 16
"""At what hour the company's people get their digest."""


@pytest.fixture(params=[Environment, HubSpotEnvironment])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_address: str, clock: SteppedClock
) -> Iterator[Environment]:
    """An installation that went live a minute ago, beside one CRM, then beside the other."""
    with standing(request.param, tmp_path, sqlite_address, clock) as env:
        env.configure(RULES)
        assert env.lap().exit_code == 0
        env.mark()
        yield env


@dataclass
class Story:
    """The people of one customer, what they said, and what came of it."""

    env: Environment
    account: str
    contacts: dict[str, str] = field(default_factory=dict)
    """By name."""
    addresses: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    """What unhappy people said, by their name."""

    def hire(self, name: str, email: str) -> None:
        """Let somebody begin to work for the customer."""
        self.contacts[name] = self.env.contact(self.account, name, email)
        self.addresses[name] = email

    def say(self, **ratings: tuple[int, str]) -> None:
        """Let these people, by their first name, be asked about a case each, and answer."""
        by_first = {name.partition(" ")[0]: name for name in self.contacts}
        self.env.advance(HOUR)
        for first in ratings:
            self.env.closed_case(self.account, self.contacts[by_first[first]])
        self.env.later(HOUR)
        self.env.later(2 * HOUR)
        for first, (rating, comment) in ratings.items():
            name = by_first[first]
            self.env.answer(self.env.mailbox.to(self.addresses[name])[-1], rating, comment)
            if rating <= 2:
                self.words.setdefault(name, []).append(comment)
        self.env.lap()

    def everybody_is_heard(self) -> None:
        """Each unhappy person's words stand in one open task, which is theirs, and in no other."""
        tasks = open_tasks(self.env)
        assert sorted(task.contact for task in tasks) == sorted(self.contacts[name] for name in self.words)
        assert {task.account for task in tasks} == {self.account}
        for name, words in self.words.items():
            for comment in words:
                assert [task.contact for task in tasks if comment in task.text] == [self.contacts[name]]

    def everybody_was_told_late(self) -> None:
        """Each one's follow-up was late: its owner was told, and then whoever it is escalated to."""
        for name in self.words:
            assert name in told_of(self.env, RITVA, "overdue")
            assert name in told_of(self.env, BOSS, "not called")

    def merge_into_a_twin(self, name: str, email: str) -> None:
        """Let somebody turn out to be in the CRM twice: the other record stays."""
        first = self.contacts[name]
        self.hire(name, email)
        self.env.later(HOUR)
        twin = self.contacts[name]
        self.contacts[name] = self.env.org.merge(self.env.CONTACT, twin, [first]) or twin
        self.env.later(HOUR)

    def merge_into_another_account(self, other: str) -> None:
        """Let the customer turn out to be in the CRM twice: the other account stays."""
        self.env.later(HOUR)
        self.account = self.env.org.merge(self.env.ACCOUNT, other, [self.account]) or other
        self.env.later(HOUR)
        self.env.later(HOUR)

    def call_everybody(self) -> None:
        """Let the owner call; some outcomes are noted in the CRM, the others on the page that the mails lead to."""
        for number, task in enumerate(open_tasks(self.env)):
            if number % 2:
                self.env.finish(task.row)
            else:
                note_outcome(self.env, task)
        self.env.later(HOUR)
        self.env.later(HOUR)

    def calls_to_make(self) -> tuple[str, list[str]]:
        """Return what needs attention, and what else the record says of people who are to be called."""
        sentences = self.shown("summary").split(". ")
        # How much of a subject there is room for depends on what else is told.
        return self.shown("attention"), [re.sub('"[^"]*"', "…", text) for text in sentences if "call overdue" in text]

    def shown(self, name: str) -> str:
        """Return what a field of the customer's record shows."""
        return str(self.env.figures(self.env.ACCOUNT, self.account).get(name, ""))


@dataclass(frozen=True)
class OpenTask:
    """A task that nobody has done."""

    row: dict[str, Any]
    subject: str
    text: str
    account: str
    contact: str


def open_tasks(env: Environment) -> list[OpenTask]:
    rows = {row.get("Afterword_Key__c") or row.get("afterword_key"): row for row in env.tasks()}
    return [
        OpenTask(row, task.subject, unescape(row.get("Description") or row["hs_task_body"]), task.account, task.contact)
        for task in env.follow_ups()
        for row in [rows[task.key]]
        if row.get("Status") != "Completed" and row.get("hs_task_status") != "COMPLETED"
    ]


def at(env: Environment, day: int, hour: int) -> None:
    """Let time pass until an hour of the days from the first of November on, and run a lap."""
    moment = datetime(2026, 11, 1, hour, 5, tzinfo=UTC) + timedelta(days=day - 1)
    env.later(moment - env.clock.now())


def told_of(env: Environment, address: str, what: str) -> str:
    """Return what somebody was told of follow-ups of a kind."""
    return "\n".join(mail.text for mail in env.mailbox.to(address) if what in mail.subject)


def note_outcome(env: Environment, task: OpenTask) -> None:
    """Note how it ended on the page that the mails to the owner lead to."""
    links = {link.partition("?")[0] for mail in env.mailbox.to(RITVA) for link in mail.links if "/f/" in link}
    (link,) = (link for link in links if task.subject in unescape(requests.get(link, timeout=300).text))
    done = requests.post(link, data={"outcome": "solved", "note": "We spoke."}, timeout=300)
    assert done.status_code == 200, done.text


def test_each_unhappy_person_is_heard_until_somebody_has_called_them(either: Environment) -> None:
    rep = either.rep("Ritva Laine", RITVA)
    story = Story(either, either.account("Northwind", owner=rep))
    story.hire("Maria Aalto", "maria@nw.example")
    story.hire("Jussi Aho", "jussi@nw.example")
    story.say(Maria=(1, "Nobody rang back."), Jussi=(2, "Slow parcels."))
    story.everybody_is_heard()
    at(either, 17, DIGEST)
    at(either, 18, DIGEST)
    story.everybody_was_told_late()

    at(either, 23, 8)
    story.hire("Cid Berg", "cid@nw.example")
    story.say(Maria=(2, "Still silence."), Cid=(1, "Wrong invoice."))
    story.everybody_is_heard()
    story.merge_into_a_twin("Jussi Aho", "j.aho@nw.example")
    story.everybody_is_heard()

    at(either, 30, 8)
    story.hire("Dee Dahl", "dee@nw.example")
    story.say(Jussi=(1, "Broken again."), Dee=(2, "Rude words."))
    story.everybody_is_heard()

    at(either, 37, 8)
    before = story.calls_to_make()
    story.hire("Eve Ek", "eve@nw.example")
    story.say(Eve=(5, "All is well."))
    assert story.calls_to_make() == before
    assert len(before[1]) > 0
    story.everybody_is_heard()

    story.merge_into_another_account(either.account("Northwind Group", owner=rep))
    story.everybody_is_heard()
    at(either, 39, DIGEST)
    at(either, 40, DIGEST)
    story.everybody_was_told_late()
    story.call_everybody()
    assert open_tasks(either) == []
    assert either.status()["follow_ups"] == []
    assert story.shown("attention") == ""
    either.mark()
    either.later(DAY)
    assert (either.writes, either.mailbox.mails) == ([], [])
