"""People at work in a pretend CRM: they take up cases and close them, hold calls and meetings, win deals, and do their tasks."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from adapters.sandbox.workplaces.crm import Crm, TaskFields, WorkplaceCompany, WorkplaceContact

_CASES: Final = (
    "Gateway offline since this morning",
    "Alarm e-mails arrive hours late",
    "Invoice shows two devices too many",
    "Cannot sign in after the password change",
    "Export stops at 10,000 rows",
    "Technician did not come at the agreed time",
)
_CALLS: Final = ("Follow-up on open ticket", "Installation date", "Training for new staff", "Quarterly check-in")
_MEETINGS: Final = ("Business review", "Site visit", "Installation walk-through", "Project steering meeting")
_DEALS: Final = ("Service contract renewal", "Gateway upgrade", "Spare parts frame agreement", "20 more sensors")

_LEFT_LYING: Final = 0.35
"""The share of tasks that nobody gets round to."""


@dataclass(slots=True)
class _Open:
    """Something that somebody will finish at `due`."""

    due: datetime
    finish: Callable[[], None]
    sentence: str


@dataclass
class Office:
    """Everybody who works in one CRM; what they do is the same for the same seed."""

    crm: Crm
    companies: Sequence[WorkplaceCompany]
    fields: TaskFields
    seed: int
    _open: list[_Open] = field(default_factory=list)
    _round: list[tuple[WorkplaceCompany, WorkplaceContact]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}:office:{self.crm.name}")  # noqa: S311 - nothing here is secret
        self._service = self.crm.service()

    def work(self, *, new: int) -> Iterator[str]:
        """Begin `new` pieces of work and finish what is due; yields what happens, a sentence each."""
        yield from self._finish()
        for _ in range(new):
            company, person = self._next()
            begin = self._chance.choices((self._case, self._call, self._meeting, self._deal), (10, 3, 3, 3))[0]
            yield begin(company, person)

    def do_tasks(self) -> Iterator[str]:
        """Let the reps do the follow-up tasks that are due within a day; yields what happens."""
        now = self.crm.now()
        soon = (now + timedelta(hours=20)).date().isoformat()
        for task in sorted(self.crm.open_tasks(self.fields), key=lambda task: (task.made_at, task.subject)):
            chance = random.Random(f"{self.seed}:{task.subject}")  # noqa: S311 - nothing here is secret
            too_new = now - task.made_at < timedelta(hours=4)
            if task.due_on > soon or too_new or chance.random() < _LEFT_LYING:
                continue
            outcome = chance.choices(("Solved", "Reached, not solved yet", "Not reached"), (6, 3, 1))[0]
            self.crm.complete_task(task, outcome, self.fields)
            yield f'{self.crm.colleague(task.owner)} did the task "{task.subject}": {outcome}'

    def _next(self) -> tuple[WorkplaceCompany, WorkplaceContact]:
        """Go round, so that everybody has their turn before anybody has a second one."""
        if not self._round:
            self._round = [(company, person) for company in self.companies for person in company.people]
            self._chance.shuffle(self._round)
        return self._round.pop()

    def _finish(self) -> Iterator[str]:
        now = self.crm.now()
        due = [work for work in self._open if work.due <= now]
        self._open = [work for work in self._open if work.due > now]
        for work in due:
            work.finish()
            yield work.sentence

    def _finish_later(self, finish: Callable[[], None], sentence: str, *, hours: tuple[int, int]) -> None:
        due = self.crm.now() + timedelta(hours=self._chance.randint(*hours))
        self._open.append(_Open(due, finish, sentence))

    def _case(self, company: WorkplaceCompany, person: WorkplaceContact) -> str:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_CASES)
        case, number = self.crm.open_case(company, person, subject, agent=agent)
        named = f"{self.crm.case_word} {number}"
        closed = f"{self.crm.colleague(agent)} closed {named} of {person.name}, {company.name}"
        self._finish_later(partial(self.crm.close_case, case, agent=agent), closed, hours=(3, 30))
        return f"{person.name}, {company.name}, opened {named}: {subject}"

    def _call(self, company: WorkplaceCompany, person: WorkplaceContact) -> str:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_CALLS)
        self.crm.hold_call(company, person, subject, agent=agent)
        return f"{self.crm.colleague(agent)} called {person.name}, {company.name}: {subject}"

    def _meeting(self, company: WorkplaceCompany, person: WorkplaceContact) -> str:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_MEETINGS)
        self.crm.hold_meeting(company, person, subject, agent=agent)
        return f"{self.crm.colleague(agent)} met {person.name}, {company.name}: {subject}"

    def _deal(self, company: WorkplaceCompany, person: WorkplaceContact) -> str:
        name = self._chance.choice(_DEALS)
        owner = self.crm.colleague(company.account.owner)
        deal = self.crm.offer_deal(company, person, name)
        won = f'{owner} won the deal "{name}" with {person.name}, {company.name}'
        self._finish_later(partial(self.crm.win_deal, deal, owner=company.account.owner), won, hours=(6, 40))
        return f'{owner} offered "{name}" to {company.name}'
