"""Two years of cases, calls, meetings and opportunities, as rows to load; whatever has happened, happened before `now`."""

import calendar
import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import accumulate
from typing import Any

from adapters.sandbox.salesforce.people.companies import HISTORY, Company
from adapters.sandbox.salesforce.people.places import work

Row = dict[str, Any]

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
_STAGES = {
    "Prospecting": 5,
    "Qualification": 20,
    "Needs Analysis": 25,
    "Value Proposition": 20,
    "Proposal/Price Quote": 20,
    "Negotiation/Review": 10,
}


class History:
    """Invents what happened to the companies that have anybody to talk to."""

    def __init__(self, chance: random.Random, companies: list[Company], now: datetime) -> None:
        peopled = [each for each in companies if each.people]
        served = [each for each in peopled if each.standing not in ("prospect", "partner")]
        self._chance = chance
        self._now = now
        self._everybody = _Draw(chance, peopled)
        self._served = _Draw(chance, served or peopled)

    def cases(self, count: int, agents: list[str], queue: str) -> Iterator[Row]:
        """Yields cases; those whose end would lie ahead are open, and so are a few that were forgotten."""
        for _ in range(count):
            company = self._served.one()
            contact, opened = self._moment(company)
            priority = _weighted(self._chance, _PRIORITIES)
            owner = queue if self._chance.random() < 0.04 else self._chance.choice(agents)
            subject = self._words((*company.industry.cases, *work()["common"]["cases"]), company, opened)
            row: Row = {"AccountId": company.id, "ContactId": contact, "Subject": subject, "Priority": priority}
            row |= {"Origin": _weighted(self._chance, _ORIGINS), "Type": _weighted(self._chance, _TYPES)}
            row |= {"Reason": _weighted(self._chance, _REASONS), "CreatedDate": opened, "OwnerId": owner}
            yield row | self._course(priority, opened)

    def calls(self, count: int) -> Iterator[Row]:
        """Yields calls: tasks of their own kind, most of them held, a few planned."""
        for _ in range(count):
            company = self._everybody.one()
            contact, began = self._moment(company)
            row = {
                "WhatId": company.id,
                "WhoId": contact,
                "TaskSubtype": "Call",
                "Type": "Call",
                "OwnerId": company.owner,
            }
            row |= {"Subject": self._words(work()["common"]["calls"], company, began), "Priority": "Normal"}
            planned = company.standing != "former" and self._chance.random() < 0.03
            yield row | (self._planned(began) if planned else self._held(began))

    def meetings(self, count: int) -> Iterator[Row]:
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
            yield {
                "WhatId": company.id,
                "WhoId": contact,
                "Subject": self._words(work()["common"]["meetings"], company, start),
                "Location": self._chance.choice(("Video call", company.city, "Our office")),
                "StartDateTime": start,
                "EndDateTime": start + timedelta(minutes=minutes),
                "ShowAs": "Busy",
                "EventSubtype": "Event",
                "Type": "Meeting",
                "OwnerId": company.owner,
                "CreatedDate": min(booked, self._now),
                "LastModifiedDate": min(booked, self._now),
            }

    def opportunities(self, count: int) -> Iterator[Row]:
        """Yields deals: about a third still open, the rest won or lost."""
        for _ in range(count):
            company = self._everybody.one()
            contact, opened = self._moment(company)
            fresh = company.standing not in ("customer", "channel")
            decided = opened + timedelta(days=self._chance.lognormvariate(math.log(60), 0.7))
            row = {
                "AccountId": company.id,
                "ContactId": contact,
                "Name": f"{company.stem}: {self._words(work()['common']['deals'], company, opened)}"[:120],
                "Amount": float(round(self._chance.lognormvariate(9.6, 1.0), -2)),
                "Type": "New Customer" if fresh else "Existing Customer - Upgrade",
                "OwnerId": company.owner,
                "CreatedDate": opened,
            }
            yield row | self._decision(company, opened, decided)

    def _course(self, priority: str, opened: datetime) -> Row:
        median, spread = _HOURS[priority]
        took = timedelta(hours=self._chance.lognormvariate(math.log(median), spread))
        closed = opened + took
        forgotten = self._chance.random() < _FORGOTTEN
        if closed < self._now and not forgotten:
            return self._closed(opened, closed)
        touched = opened + (self._now - opened) * self._chance.random()
        if priority == "High" and self._now - opened > timedelta(days=3):
            return {"Status": "Escalated", "IsEscalated": True, "LastModifiedDate": touched}
        return {"Status": "New" if self._now - opened < timedelta(hours=8) else "Working", "LastModifiedDate": touched}

    def _closed(self, opened: datetime, closed: datetime) -> Row:
        if self._chance.random() >= _REOPENED:
            return {"Status": "Closed", "ClosedDate": closed, "LastModifiedDate": closed}
        again = closed + timedelta(hours=self._chance.uniform(4, 120))
        if again >= self._now:
            return {"Status": "Closed", "ClosedDate": closed, "LastModifiedDate": closed}
        note = f"Closed on {closed:%d %b %Y}, reopened on {again:%d %b %Y}: the customer wrote that it is not solved."
        final = again + (closed - opened) * self._chance.uniform(0.3, 1.5)
        if final >= self._now:
            return {"Status": "Working", "Description": note, "LastModifiedDate": again}
        return {"Status": "Closed", "Description": note, "ClosedDate": final, "LastModifiedDate": final}

    def _held(self, began: datetime) -> Row:
        seconds = int(self._chance.lognormvariate(math.log(420), 0.8)) + 20
        ended = min(began + timedelta(seconds=seconds), self._now)
        return {
            "Status": "Completed",
            "CallType": self._chance.choice(("Inbound", "Outbound", "Outbound")),
            "CallDurationInSeconds": int((ended - began).total_seconds()),
            "ActivityDate": ended.date(),
            "CompletedDateTime": ended,
            "CreatedDate": began,
            "LastModifiedDate": ended,
        }

    def _planned(self, made: datetime) -> Row:
        due = (self._now + timedelta(days=self._chance.randint(1, 14))).date()
        made = max(made, self._now - timedelta(days=20))
        return {"Status": "Not Started", "CallType": "Outbound", "ActivityDate": due, "CreatedDate": made}

    def _decision(self, company: Company, opened: datetime, decided: datetime) -> Row:
        if decided < self._now:
            won = self._chance.random() < (0.12 if company.standing == "prospect" else 0.55)
            stage = "Closed Won" if won else "Closed Lost"
            return {"StageName": stage, "CloseDate": decided.date(), "LastModifiedDate": decided}
        moved = opened + (self._now - opened) * self._chance.random()
        stage = _weighted(self._chance, _STAGES)
        return {"StageName": stage, "CloseDate": decided.date(), "LastModifiedDate": moved}

    def _moment(self, company: Company) -> tuple[str, datetime]:
        """One of the company's people, and a moment of its office hours in which both were there."""
        contact, joined = self._chance.choice(company.people)
        earliest = min(max(joined, self._now - HISTORY), company.until)
        return contact, self._office(company, earliest + (company.until - earliest) * self._chance.random(), earliest)

    def _office(self, company: Company, around: datetime, earliest: datetime | None = None) -> datetime:
        day = around - timedelta(days=max(0, around.weekday() - 4))
        minute = self._chance.randint(8 * 60, 17 * 60)
        local = datetime.combine(day.date(), time(), around.tzinfo) + timedelta(
            minutes=minute - company.place.hours * 60
        )
        moment = local + timedelta(seconds=self._chance.randint(0, 59))
        return moment if earliest is None or earliest <= moment <= company.until else around

    def _words(self, templates: Sequence[str], company: Company, at: datetime) -> str:
        month = calendar.month_name[(at.month - 2) % 12 + 1]
        return self._chance.choice(templates).format(n=self._chance.randint(2, 9), site=company.city, day=month)


class _Draw:
    """Draws companies, big ones often: a few of them make most of the work, as everywhere."""

    def __init__(self, chance: random.Random, companies: list[Company]) -> None:
        self._chance = chance
        self._companies = companies
        self._sums = list(accumulate(chance.lognormvariate(0, 0.9) * len(each.people) for each in companies))

    def one(self) -> Company:
        return self._companies[bisect_left(self._sums, self._chance.random() * self._sums[-1])]


def _quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _weighted(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
