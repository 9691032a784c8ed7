"""Invented companies and the people who work there, as rows to load."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any, Literal

from adapters.sandbox.salesforce.people.places import Industry, Place, industries, places, slug, work

Standing = Literal["customer", "channel", "former", "prospect", "partner"]
HISTORY = timedelta(days=730)

_STANDINGS: dict[Standing, int] = {"customer": 62, "channel": 7, "former": 7, "prospect": 20, "partner": 4}
_TYPES = {
    "customer": "Customer - Direct",
    "channel": "Customer - Channel",
    "former": "Other",
    "prospect": "Prospect",
    "partner": "Technology Partner",
}
_SUBSIDIARY = 0.08
_GONE_ABROAD = 0.35


@dataclass
class Company:
    """What later records need of an account; `people` are its contacts, filled in as they are loaded."""

    name: str
    stem: str
    domain: str
    place: Place
    industry: Industry
    city: str
    standing: Standing
    since: datetime
    until: datetime
    owner: str
    parent: "Company | None" = None
    id: str = ""
    people: list[tuple[str, datetime]] = field(default_factory=list)


class Founder:
    """Invents companies one after the other, no two with the same name or domain."""

    def __init__(self, chance: random.Random, now: datetime, owners: list[str]) -> None:
        self._chance = chance
        self._now = now
        self._owners = owners
        self._names: set[str] = set()
        self._domains: set[str] = set()
        self._lately: deque[Company] = deque(maxlen=400)

    def companies(self, number: int) -> Iterator[Company]:
        """Yields `number` companies; a subsidiary comes long enough after its parent for the parent to be loaded."""
        for _ in range(number):
            parent = self._parent()
            company = self._found(parent)
            if parent is None:
                self._lately.append(company)
            yield company

    def _parent(self) -> Company | None:
        if self._chance.random() >= _SUBSIDIARY:
            return None
        ready = [each for each in self._lately if each.id]
        return self._chance.choice(ready) if ready else None

    def _found(self, parent: Company | None) -> Company:
        chance = self._chance
        abroad = parent is None or chance.random() < _GONE_ABROAD
        place = (
            chance.choices(places(), [each.weight for each in places()])[0] if abroad or not parent else parent.place
        )
        industry = parent.industry if parent else _pick_industry(chance)
        city = chance.choice(place.cities)
        stem = f"{parent.stem} {city}" if parent else _stem(chance, place, industry)
        stem, domain = self._only(stem, city)
        standing = chance.choices(list(_STANDINGS), list(_STANDINGS.values()))[0]
        since = self._now - timedelta(days=chance.triangular(20, 1800, 1500))
        return Company(
            name=f"{stem} {chance.choice(place.forms)}",
            stem=stem,
            domain=domain,
            place=place,
            industry=industry,
            city=city,
            standing=standing,
            since=since,
            until=self._left(since) if standing == "former" else self._now,
            owner=chance.choice(self._owners),
            parent=parent,
        )

    def _left(self, since: datetime) -> datetime:
        start = max(since, self._now - HISTORY)
        return start + (self._now - start) * self._chance.uniform(0.3, 0.85)

    def _only(self, stem: str, city: str) -> tuple[str, str]:
        for name in chain((stem, f"{stem} {city}"), (f"{stem} {number}" for number in range(2, 100_000))):
            if name not in self._names and slug(name) not in self._domains:
                self._names.add(name)
                self._domains.add(slug(name))
                return name, f"{slug(name)}.example"
        raise ValueError("too many companies: the names are used up")


def _pick_industry(chance: random.Random) -> Industry:
    every = list(industries().values())
    return chance.choices(every, [each.weight for each in every])[0]


def _stem(chance: random.Random, place: Place, industry: Industry) -> str:
    root = chance.choice(place.heads) + chance.choice(place.tails)
    return f"{root} {chance.choice(industry.trades[place.words])}"


def account_row(chance: random.Random, company: Company, now: datetime) -> dict[str, Any]:
    """A company as a row of Account."""
    employees = int(chance.lognormvariate(4.6, 1.3)) + 4
    place = company.place
    modified = company.since + (now - company.since) * chance.random()
    return {
        "Name": company.name,
        "Type": _TYPES[company.standing],
        "ParentId": company.parent.id if company.parent else None,
        "BillingStreet": f"{chance.choice(place.streets)} {chance.randint(1, 90)}",
        "BillingCity": company.city,
        "BillingPostalCode": f"{chance.randint(10000, 99999)}",
        "BillingCountry": place.country,
        "Phone": place.phone.format(chance.randint(0, 99)),
        "Website": f"https://www.{company.domain}",
        "Industry": company.industry.name,
        "NumberOfEmployees": employees,
        "AnnualRevenue": float(employees * chance.randint(60, 260) * 1000),
        "Rating": chance.choice(("Hot", "Warm", "Cold")) if company.standing == "prospect" else None,
        "Description": _about(company),
        "Ownership": "Subsidiary" if company.parent else "Private",
        "OwnerId": company.owner,
        "CreatedDate": company.since,
        "LastModifiedDate": max(modified, company.until) if company.standing == "former" else modified,
    }


def _about(company: Company) -> str | None:
    return f"Former customer: contract ended in {company.until:%B %Y}." if company.standing == "former" else None


class Hiring:
    """Invents the people of companies. Of 100, about 3 opted out of e-mail, 4 have no address, 1 shares a colleague's."""

    def __init__(self, chance: random.Random, now: datetime) -> None:
        self._chance = chance
        self._now = now
        self._made = 0
        self._share_at = 5

    def staff(self, company: Company, number: int) -> Iterator[dict[str, Any]]:
        """Yields `number` contacts of one company as rows."""
        taken: dict[str, None] = {}
        for _ in range(number):
            self._made += 1
            yield self._person(company, taken)

    def _person(self, company: Company, taken: dict[str, None]) -> dict[str, Any]:
        chance, place = self._chance, company.place
        first, last = chance.choice(place.first), chance.choice(place.last)
        department = chance.choice(list(work()["departments"]))
        joined = company.since + (company.until - company.since) * chance.random() ** 3
        return {
            "AccountId": company.id,
            "FirstName": first,
            "LastName": last,
            "Title": chance.choice(work()["departments"][department]),
            "Department": department,
            "Email": self._address(f"{slug(first)}.{slug(last)}", company.domain, taken),
            "Phone": place.phone.format(chance.randint(0, 99)),
            "MailingCity": company.city,
            "MailingCountry": place.country,
            "LeadSource": chance.choice(("Web", "Phone Inquiry", "Partner Referral", "Other")),
            "HasOptedOutOfEmail": self._made % 33 == 17,
            "Language__c": None if chance.random() < 0.1 else chance.choice(place.language),
            "OwnerId": company.owner,
            "CreatedDate": joined,
            "LastModifiedDate": joined + (self._now - joined) * chance.random(),
        }

    def _address(self, local: str, domain: str, taken: dict[str, None]) -> str | None:
        # By number, not by chance: even the smallest org has somebody of each kind.
        if self._made % 25 == 7:
            return None
        if taken and self._made >= self._share_at:
            self._share_at += 100
            return next(reversed(taken))
        wanted = (f"{local}{number}@{domain}" for number in chain([""], count(2)))
        address = next(each for each in wanted if each not in taken)
        taken[address] = None
        return address
