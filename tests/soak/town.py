"""A town of customers and the people who work for them: the same things happen at the same moments for the same seed."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from environment import HOUR, Environment, Mail

MOST_ACCOUNTS: Final = 12
PEOPLE: Final = 3
"""Of each account."""
ANSWER_EVERY: Final = 6
"""Steps, of an hour each, from one round of answers to the next."""
_OUR_OWN: Final = frozenset({"last_asked", "details"})
"""When a mail went out, which a fault may put off, and where our own page is."""
Answer = tuple[int, str, str]
"""The step, to whom, and the mail's subject."""


@dataclass
class Town:
    """Accounts, people and cases by their numbers, which are the same whatever ids the CRM gives."""

    env: Environment
    seed: int
    accounts: dict[int, str] = field(default_factory=dict)
    contacts: dict[int, str] = field(default_factory=dict)
    homes: dict[int, int] = field(default_factory=dict)
    """By the number of a contact, that of its account."""
    cases: list[str] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    began: datetime = None  # type: ignore[assignment]  # set when time begins

    def step(self, number: int, replay: set[tuple[str, str]] | None) -> None:
        """Let an hour's things happen, then a lap run. `replay`: whose mails are answered now; None: of all who were asked."""
        clock = self.env.clock
        self.began = self.began or (clock.now() + timedelta(minutes=1)).replace(second=0, microsecond=0)
        self.env.advance(max(timedelta(0), self.began + number * HOUR - clock.now()))
        dice = random.Random(f"{self.seed}:{number}")  # noqa: S311 - repeatable, not secret
        self.work(dice)
        if number % ANSWER_EVERY == ANSWER_EVERY - 1:
            self.answer(number, replay)
        self.env.lap()

    def work(self, dice: random.Random) -> None:
        """Let one thing happen in the CRM, or nothing."""
        chance = dice.random()
        if len(self.accounts) < 3 or (chance < 0.03 and len(self.accounts) < MOST_ACCOUNTS):
            self._settle_in()
        elif chance < 0.30:
            self._serve(dice)
        elif chance < 0.34 and self.cases:
            self.env.reopen(dice.choice(self.cases))
        elif chance < 0.38 and self.cases:
            self.env.close_case(dice.choice(self.cases))
        elif chance < 0.42:
            self._rename(dice)
        elif chance < 0.43 and len(self.accounts) > 4:
            self._merge(dice)

    def _settle_in(self) -> None:
        number = len(self.contacts) // PEOPLE + 1  # one that is merged away does not give its number to another
        self.accounts[number] = self.env.account(f"Account {number}")
        for place in range(PEOPLE):
            person = number * 10 + place
            name, address = f"Person {person}", f"p{person}@a{number}.example"
            self.contacts[person] = self.env.contact(self.accounts[number], name, address)
            self.homes[person] = number

    def _serve(self, dice: random.Random) -> None:
        person = dice.choice(sorted(self.contacts))
        subject = {"subject" if self.env.ADAPTER == "hubspot" else "Subject": f"Fault {len(self.cases)}"}
        case = self.env.case(self.accounts[self.homes[person]], self.contacts[person], **subject)
        self.env.close_case(case)
        self.cases.append(case)

    def _rename(self, dice: random.Random) -> None:
        number = dice.choice(sorted(self.accounts))
        field = "name" if self.env.ADAPTER == "hubspot" else "Name"
        self.env.org.update(self.env.ACCOUNT, self.accounts[number], {field: f"Renamed {dice.randrange(1000)}"})

    def _merge(self, dice: random.Random) -> None:
        winner, loser = dice.sample(sorted(self.accounts), 2)
        gone = self.accounts.pop(loser)
        remaining = self.env.org.merge(self.env.ACCOUNT, self.accounts[winner], [gone])
        self.accounts[winner] = remaining or self.accounts[winner]
        self.homes = {who: winner if home == loser else home for who, home in self.homes.items()}

    def answer(self, step: int, replay: set[tuple[str, str]] | None) -> None:
        """Let everybody answer who was asked and has not, or those of a replay."""
        done = {(to, subject) for _, to, subject in self.answered}
        surveys = [mail for mail in self.env.mailbox.mails if mail.unsubscribe]
        mails = {(mail.to, mail.subject): mail for mail in surveys}
        assert len(mails) == len(surveys), "somebody was asked twice"
        wanted = sorted(set(mails) - done if replay is None else replay)
        for to, subject in wanted:
            self.env.advance(timedelta(minutes=1))  # no two at once: which is the latest must not be left to chance
            self._rate(mails[to, subject])
            self.answered.append((step, to, subject))

    def _rate(self, mail: Mail) -> None:
        dice = random.Random(f"{self.seed}:{mail.to}:{mail.subject}")  # noqa: S311
        self.env.answer(mail, dice.choice([1, 2, 3, 4, 4, 5, 5]), dice.choice(["", "Slow.", "Good."]))

    # ── what it came to ──

    def state(self) -> dict[str, Any]:
        """Return what stands in the CRM because of us, in words that do not depend on ids or on when a mail went out."""
        env = self.env
        shown = {f"account {number}": env.figures(env.ACCOUNT, account) for number, account in self.accounts.items()}
        shown |= {f"contact {number}": env.figures(env.CONTACT, contact) for number, contact in self.contacts.items()}
        numbers = {one: number for number, one in (*self.accounts.items(), *self.contacts.items())}
        told = {name: _told(values) for name, values in shown.items()}
        tasks = [(task.subject, numbers.get(task.account), numbers.get(task.contact)) for task in env.follow_ups()]
        return told | {"tasks": sorted(tasks, key=repr)}


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _OUR_OWN and value not in (None, "", False)}
