"""People at work in the pretend CRM: they take up cases and close them, hold calls and meetings, win deals, and do their tasks."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.sandbox.customers import Temper, personality
from adapters.sandbox.salesforce import Salesforce

_FEWEST_PEOPLE: Final = 4
_MOST_PEOPLE: Final = 6
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

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Company:
    """One customer of the story, with the people who are in it."""

    id: str
    name: str
    owner: str
    people: Sequence[Row]


@dataclass(slots=True)
class _Open:
    """Something that somebody will finish at `due`."""

    due: datetime
    object: str
    id: str
    values: Mapping[str, Any]
    by: str
    sentence: str


@dataclass(frozen=True, slots=True)
class TaskFields:
    """What the follow-up task's own fields are called in the CRM."""

    key: str
    outcome: str


@dataclass
class Office:
    """Everybody who works in the CRM; what they do is the same for the same seed."""

    org: Salesforce
    companies: Sequence[Company]
    fields: TaskFields
    seed: int
    _open: list[_Open] = field(default_factory=list)
    _round: list[tuple[Company, Row]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}:office")  # noqa: S311 - nothing here is secret
        self._service = sorted(row["Id"] for row in self.org.rows("User", IsActive=True, Department="Service"))
        self._names = {row["Id"]: row["Name"] for row in self.org.rows("User")}

    def work(self, *, new: int) -> Iterator[str]:
        """Begin `new` pieces of work and finish what is due; yields what happens, a sentence each."""
        yield from self._finish()
        for _ in range(new):
            company, person = self._next()
            begin = self._chance.choices((self._case, self._call, self._meeting, self._deal), (10, 3, 3, 3))[0]
            yield from begin(company, person)

    def do_tasks(self) -> Iterator[str]:
        """Let the reps do the follow-up tasks that are due within a day; yields what happens."""
        soon = (self._now + timedelta(hours=20)).date().isoformat()
        mine = [row for row in self.org.rows("Task", IsClosed=False) if row.get(self.fields.key)]
        for row in sorted(mine, key=lambda one: (one["CreatedDate"], one["Subject"])):
            age = self._now - datetime.fromisoformat(row["CreatedDate"])
            chance = random.Random(f"{self.seed}:{row['Subject']}")  # noqa: S311 - nothing here is secret
            if row["ActivityDate"] > soon or age < timedelta(hours=4) or chance.random() < _LEFT_LYING:
                continue
            outcome = chance.choices(("Solved", "Reached, still open", "Not reached"), (6, 3, 1))[0]
            self.org.update("Task", row["Id"], {"Status": "Completed", self.fields.outcome: outcome}, by=row["OwnerId"])
            yield f'{self._names[row["OwnerId"]]} did the task "{row["Subject"]}": {outcome}'

    @property
    def _now(self) -> datetime:
        return self.org.clock.now()

    def _next(self) -> tuple[Company, Row]:
        """Go round, so that everybody has their turn before anybody has a second one."""
        if not self._round:
            self._round = [(company, person) for company in self.companies for person in company.people]
            self._chance.shuffle(self._round)
        return self._round.pop()

    def _later(self, *, hours: tuple[int, int]) -> datetime:
        return self._now + timedelta(hours=self._chance.randint(*hours))

    def _finish(self) -> Iterator[str]:
        due = [one for one in self._open if one.due <= self._now]
        self._open = [one for one in self._open if one.due > self._now]
        for one in due:
            self.org.update(one.object, one.id, one.values, by=one.by)
            yield one.sentence

    def _case(self, company: Company, person: Row) -> Iterator[str]:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_CASES)
        values = {"AccountId": company.id, "ContactId": person["Id"], "Subject": subject, "OwnerId": agent}
        case = self.org.insert("Case", values | {"Status": "Working", "Origin": "Email"}, by=agent)
        number = (self.org.get("Case", case) or {})["CaseNumber"]
        done = f"{self._names[agent]} closed case {number} of {person['Name']}, {company.name}"
        self._open.append(_Open(self._later(hours=(3, 30)), "Case", case, {"Status": "Closed"}, agent, done))
        yield f"{person['Name']}, {company.name}, opened case {number}: {subject}"

    def _call(self, company: Company, person: Row) -> Iterator[str]:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_CALLS)
        values = {"WhoId": person["Id"], "WhatId": company.id, "OwnerId": agent, "Subject": subject}
        values |= {"TaskSubtype": "Call", "Status": "Completed", "ActivityDate": self._now.date().isoformat()}
        self.org.insert("Task", values, by=agent)
        yield f"{self._names[agent]} called {person['Name']}, {company.name}: {subject}"

    def _meeting(self, company: Company, person: Row) -> Iterator[str]:
        agent = self._chance.choice(self._service)
        subject = self._chance.choice(_MEETINGS)
        values = {"WhoId": person["Id"], "WhatId": company.id, "OwnerId": agent, "Subject": subject}
        values |= {"StartDateTime": self._now - timedelta(hours=1), "EndDateTime": self._now}
        self.org.insert("Event", values, by=agent)
        yield f"{self._names[agent]} met {person['Name']}, {company.name}: {subject}"

    def _deal(self, company: Company, person: Row) -> Iterator[str]:
        name = self._chance.choice(_DEALS)
        values = {"AccountId": company.id, "ContactId": person["Id"], "Name": name, "OwnerId": company.owner}
        values |= {"StageName": "Negotiation/Review", "CloseDate": self._now.date().isoformat(), "Amount": 12_000}
        deal = self.org.insert("Opportunity", values, by=company.owner)
        won = f'{self._names[company.owner]} won the deal "{name}" with {person["Name"]}, {company.name}'
        self._open.append(
            _Open(self._later(hours=(6, 40)), "Opportunity", deal, {"StageName": "Closed Won"}, company.owner, won)
        )
        yield f'{self._names[company.owner]} offered "{name}" to {company.name}'


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever reads the mail at one address."""

    name: str
    account: str
    contacts: tuple[str, ...]
    """The person's records: some people are in the CRM twice."""


def people_by_address(org: Salesforce) -> dict[str, Person]:
    """Return everybody in the CRM who can be written to, by address in small letters."""
    found: dict[str, Person] = {}
    for row in sorted(org.rows("Contact"), key=lambda one: one["Id"]):
        address = str(row.get("Email", "")).lower()
        if not address or not row.get("AccountId"):
            continue
        before = found.get(address)
        contacts = (*before.contacts, row["Id"]) if before else (row["Id"],)
        found[address] = Person(row["Name"], row["AccountId"], contacts)
    return found


def choose_companies(org: Salesforce, count: int, seed: int) -> list[Company]:
    """Return the customers of the story: unhappy ones, silent ones, ones behind a mail scanner, and others as it comes.

    All have enough people who can be written to, and an owner who works here.
    """
    left = _companies(org)
    random.Random(f"{seed}:companies").shuffle(left)  # noqa: S311 - nothing here is secret
    chosen: list[Company] = []
    for holds in (_is_angry, _is_silent, _is_scanned, _is_angry):
        if not left:
            break
        best = max(left, key=lambda one, holds=holds: sum(holds(person, seed) for person in one.people))  # type: ignore[misc]
        left.remove(best)
        like_this = [person for person in best.people if holds(person, seed)]
        # One answer ends a silence, so of the silent company only those take part who never answer.
        others = [] if holds is _is_silent else [person for person in best.people if person not in like_this]
        chosen.append(replace(best, people=(*like_this, *others)))
    return [replace(one, people=one.people[:_MOST_PEOPLE]) for one in (*chosen, *left)[:count]]


def _is_angry(person: Row, seed: int) -> bool:
    return personality(seed, person["Email"]).temper is Temper.ANGRY


def _is_silent(person: Row, seed: int) -> bool:
    return personality(seed, person["Email"]).temper is Temper.SILENT


def _is_scanned(person: Row, seed: int) -> bool:
    return personality(seed, person["Email"]).scanned


def _companies(org: Salesforce) -> list[Company]:
    active = {row["Id"] for row in org.rows("User", IsActive=True)}
    people: dict[str, list[Row]] = {}
    for row in sorted(org.rows("Contact"), key=lambda one: one["Id"]):
        if row.get("Email") and not row.get("HasOptedOutOfEmail"):
            people.setdefault(row.get("AccountId", ""), []).append(row)
    return [
        Company(row["Id"], row["Name"], row["OwnerId"], people[row["Id"]])
        for row in sorted(org.rows("Account"), key=lambda one: one["Id"])
        if str(row.get("Type", "")).startswith("Customer")
        and row["OwnerId"] in active
        and len(people.get(row["Id"], ())) >= _FEWEST_PEOPLE
    ]
