"""Two years of cases, calls, meetings and deals, in no CRM's words; whatever has happened, happened before `now`."""

import calendar
import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import TypeVar

from adapters.sandbox.people.companies import HISTORY, TownCompany
from adapters.sandbox.people.happenings import Case, Deal, Meeting, PhoneCall
from adapters.sandbox.people.places import work

_Choice = TypeVar("_Choice")

_PRIORITIES = {"High": 20, "Medium": 55, "Low": 25}
# Median hours until a case is closed, and how widely they spread (the sigma of the logarithm).
_HOURS = {"High": (9.0, 0.9), "Medium": (40.0, 1.0), "Low": (110.0, 0.9)}
_FORGOTTEN = 0.02
_REOPENED = 0.05
_ORIGINS = {"Email": 50, "Phone": 32, "Web": 18}
_TYPES = {"Electronic": 45, "Electrical": 15, "Mechanical": 15, "Other": 25}
_REASONS = {
    "Performance": 30,
    "Breakdown": 22,
    "Installation": 18,
    "Equipment Complexity": 12,
    "Feedback": 6,
    "Other": 12,
}
# The steps of an open deal from the first word to the last, and how many of 100 stand there.
_STEPS = {0: 5, 1: 20, 2: 25, 3: 20, 4: 20, 5: 10}


class TownHistory:
    """Invents what happened to the companies that have anybody to talk to."""

    def __init__(self, chance: random.Random, companies: list[TownCompany], now: datetime) -> None:
        peopled = [company for company in companies if company.people]
        served = [company for company in peopled if company.standing not in ("prospect", "partner")]
        self._chance = chance
        self._now = now
        self._everybody = _Draw(chance, peopled)
        self._served = _Draw(chance, served or peopled)

    def cases(self, count: int, agents: list[str], queue: str) -> Iterator[Case]:
        """Yields cases; those whose end would lie ahead are open, and so are a few that were forgotten.

        `queue` owns a few of them instead of an agent.
        """
        for _ in range(count):
            company = self._served.one()
            contact, opened = self._moment(company)
            priority = _weighted(self._chance, _PRIORITIES)
            owner = queue if self._chance.random() < 0.04 else self._chance.choice(agents)
            yield self._course(
                Case(
                    company=company,
                    contact=contact,
                    owner=owner,
                    subject=self._words((*company.industry.cases, *work()["common"]["cases"]), company, opened),
                    priority=priority,
                    origin=_weighted(self._chance, _ORIGINS),
                    kind=_weighted(self._chance, _TYPES),
                    reason=_weighted(self._chance, _REASONS),
                    opened=opened,
                )
            )

    def calls(self, count: int) -> Iterator[PhoneCall]:
        """Yields calls: most of them held, a few planned."""
        for _ in range(count):
            company = self._everybody.one()
            contact, began = self._moment(company)
            subject = self._words(work()["common"]["calls"], company, began)
            if company.standing != "former" and self._chance.random() < 0.03:
                due, made = self._planned(began)
                yield PhoneCall(company, contact, subject, outbound=True, began=made, due=due)
            else:
                ended, outbound = self._call_end(began)
                yield PhoneCall(
                    company, contact, subject, outbound=outbound, began=began, ended=ended, due=ended.date()
                )

    def meetings(self, count: int) -> Iterator[Meeting]:
        """Yields meetings, a few of them ahead."""
        for _ in range(count):
            company = self._everybody.one()
            contact, agreed = self._moment(company)
            ahead = company.standing != "former" and self._chance.random() < 0.04
            start = (
                _quarter(self._office(company, self._now + timedelta(days=self._chance.uniform(1, 30))))
                if ahead
                else None
            )
            minutes = self._chance.choice((30, 30, 45, 60, 60, 90, 120))
            start = start or _quarter(agreed) - timedelta(minutes=minutes)
            booked = max(company.since, start - timedelta(days=self._chance.uniform(1, 20)))
            yield Meeting(
                company=company,
                contact=contact,
                subject=self._words(work()["common"]["meetings"], company, start),
                place=self._chance.choice(("Video call", company.city, "Our office")),
                starts=start,
                ends=start + timedelta(minutes=minutes),
                booked=min(booked, self._now),
            )

    def deals(self, count: int) -> Iterator[Deal]:
        """Yields deals: about a third still open, the rest won or lost."""
        for _ in range(count):
            company = self._everybody.one()
            contact, opened = self._moment(company)
            decided = opened + timedelta(days=self._chance.lognormvariate(math.log(60), 0.7))
            name = f"{company.stem}: {self._words(work()['common']['deals'], company, opened)}"[:120]
            amount = float(round(self._chance.lognormvariate(9.6, 1.0), -2))
            won, step, moved = self._decision(company, opened, decided)
            fresh = company.standing not in ("customer", "channel")
            yield Deal(
                company,
                contact,
                name,
                amount,
                fresh=fresh,
                opened=opened,
                decided=decided.date(),
                moved=moved,
                step=step,
                won=won,
            )

    def _course(self, case: Case) -> Case:
        opened = case.opened
        median, spread = _HOURS[case.priority]
        took = timedelta(hours=self._chance.lognormvariate(math.log(median), spread))
        closed = opened + took
        forgotten = self._chance.random() < _FORGOTTEN
        if closed < self._now and not forgotten:
            return self._closed(case, closed)
        touched = opened + (self._now - opened) * self._chance.random()
        if case.priority == "High" and self._now - opened > timedelta(days=3):
            return replace(case, status="escalated", modified=touched)
        return replace(case, status="new" if self._now - opened < timedelta(hours=8) else "working", modified=touched)

    def _closed(self, case: Case, closed: datetime) -> Case:
        first_time = replace(case, status="closed", closed=closed, modified=closed)
        if self._chance.random() >= _REOPENED:
            return first_time
        again = closed + timedelta(hours=self._chance.uniform(4, 120))
        if again >= self._now:
            return first_time
        note = f"Closed on {closed:%d %b %Y}, reopened on {again:%d %b %Y}: the customer wrote that it is not solved."
        final = again + (closed - case.opened) * self._chance.uniform(0.3, 1.5)
        if final >= self._now:
            return replace(case, status="working", note=note, modified=again)
        return replace(case, status="closed", note=note, closed=final, modified=final)

    def _call_end(self, began: datetime) -> tuple[datetime, bool]:
        seconds = int(self._chance.lognormvariate(math.log(420), 0.8)) + 20
        ended = min(began + timedelta(seconds=seconds), self._now)
        return ended, self._chance.choice((False, True, True))

    def _planned(self, made: datetime) -> tuple[date, datetime]:
        due = (self._now + timedelta(days=self._chance.randint(1, 14))).date()
        return due, max(made, self._now - timedelta(days=20))

    def _decision(self, company: TownCompany, opened: datetime, decided: datetime) -> tuple[bool | None, int, datetime]:
        if decided < self._now:
            won = self._chance.random() < (0.12 if company.standing == "prospect" else 0.55)
            return won, len(_STEPS), decided
        moved = opened + (self._now - opened) * self._chance.random()
        return None, _weighted(self._chance, _STEPS), moved

    def _moment(self, company: TownCompany) -> tuple[str, datetime]:
        """One of the company's people, and a moment of its office hours in which both were there."""
        contact, joined = self._chance.choice(company.people)
        earliest = min(max(joined, self._now - HISTORY), company.until)
        return contact, self._office(company, earliest + (company.until - earliest) * self._chance.random(), earliest)

    def _office(self, company: TownCompany, around: datetime, earliest: datetime | None = None) -> datetime:
        day = around - timedelta(days=max(0, around.weekday() - 4))
        minute = self._chance.randint(8 * 60, 17 * 60)
        local = datetime.combine(day.date(), time(), around.tzinfo) + timedelta(
            minutes=minute - company.place.hours * 60
        )
        moment = local + timedelta(seconds=self._chance.randint(0, 59))
        return moment if earliest is None or earliest <= moment <= company.until else around

    def _words(self, templates: Sequence[str], company: TownCompany, at: datetime) -> str:
        month = calendar.month_name[(at.month - 2) % 12 + 1]
        return self._chance.choice(templates).format(n=self._chance.randint(2, 9), site=company.city, day=month)


class _Draw:
    """Draws companies, big ones often: a few of them make most of the work, as everywhere."""

    def __init__(self, chance: random.Random, companies: list[TownCompany]) -> None:
        self._chance = chance
        self._companies = companies
        self._sums = list(accumulate(chance.lognormvariate(0, 0.9) * len(company.people) for company in companies))

    def one(self) -> TownCompany:
        return self._companies[bisect_left(self._sums, self._chance.random() * self._sums[-1])]


def _quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _weighted(chance: random.Random, weights: dict[_Choice, int]) -> _Choice:
    return chance.choices(list(weights), list(weights.values()))[0]
