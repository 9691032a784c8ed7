"""Invented companies and the people who work there, in no CRM's words."""

import math
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Literal

from adapters.sandbox.people.places import Country, Industry, industries, places, slug, work

Standing = Literal["customer", "channel", "former", "prospect", "partner"]
HISTORY = timedelta(days=730)

_STANDINGS: dict[Standing, int] = {"customer": 62, "channel": 7, "former": 7, "prospect": 20, "partner": 4}
_ENDING = ".example"
_SUBSIDIARY = 0.08
_GONE_ABROAD = 0.35


@dataclass
class TownCompany:
    """What later records need of an account; `people` are its contacts, filled in as they are loaded."""

    name: str
    stem: str
    domain: str
    place: Country
    industry: Industry
    city: str
    standing: Standing
    since: datetime
    until: datetime
    owner: str
    parent: "TownCompany | None" = None
    id: str = ""
    people: list[tuple[str, datetime]] = field(default_factory=list)


@dataclass(frozen=True)
class Details:
    """What else a company's record tells. `warmth` is said of prospects, `about` of those who left."""

    employees: int
    street: str
    postal_code: str
    phone: str
    revenue: float
    warmth: str | None
    about: str | None
    modified: datetime


@dataclass(frozen=True)
class TownPerson:
    """Somebody who works for a company; `joined` is when a CRM first heard of them."""

    first: str
    last: str
    title: str
    department: str
    email: str | None
    phone: str
    source: str
    opted_out: bool
    language: str | None
    joined: datetime
    modified: datetime


@dataclass(frozen=True)
class KnownCompany:
    """A company with its people as one CRM has them: nothing but values, from which another CRM makes records of its own."""

    company: TownCompany
    details: Details
    people: tuple[TownPerson, ...]


class Founder:
    """Invents companies one after the other, no two with the same name or domain, and none with a domain that is taken."""

    def __init__(self, chance: random.Random, now: datetime, owners: list[str], *, taken: Iterable[str] = ()) -> None:
        self._chance = chance
        self._now = now
        self._owners = owners
        self._names: set[str] = set()
        self._domains: set[str] = {domain.removesuffix(_ENDING) for domain in taken}
        self._lately: deque[TownCompany] = deque(maxlen=400)

    def companies(self, number: int) -> Iterator[TownCompany]:
        """Yields `number` companies; a subsidiary comes long enough after its parent for the parent to be loaded."""
        for _ in range(number):
            parent = self._parent()
            company = self._new_company(parent)
            if parent is None:
                self._lately.append(company)
            yield company

    def _parent(self) -> TownCompany | None:
        if self._chance.random() >= _SUBSIDIARY:
            return None
        ready = [company for company in self._lately if company.id]
        return self._chance.choice(ready) if ready else None

    def _new_company(self, parent: TownCompany | None) -> TownCompany:
        chance = self._chance
        abroad = parent is None or chance.random() < _GONE_ABROAD
        place = (
            chance.choices(places(), [country.weight for country in places()])[0]
            if abroad or not parent
            else parent.place
        )
        industry = parent.industry if parent else _pick_industry(chance)
        city = chance.choice(place.cities)
        stem = f"{parent.stem} {city}" if parent else _stem(chance, place, industry)
        stem, domain = self._only(stem, city)
        standing = chance.choices(list(_STANDINGS), list(_STANDINGS.values()))[0]
        since = self._now - timedelta(days=chance.triangular(20, 1800, 1500))
        return TownCompany(
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
                return name, f"{slug(name)}{_ENDING}"
        raise ValueError("too many companies: the names are used up")


def _pick_industry(chance: random.Random) -> Industry:
    lines_of_work = list(industries().values())
    return chance.choices(lines_of_work, [industry.weight for industry in lines_of_work])[0]


def _stem(chance: random.Random, place: Country, industry: Industry) -> str:
    root = chance.choice(place.heads) + chance.choice(place.tails)
    return f"{root} {chance.choice(industry.trades[place.words])}"


def details(chance: random.Random, company: TownCompany, now: datetime) -> Details:
    """What else a company's record tells, as somebody has kept it until `now`."""
    employees = int(chance.lognormvariate(4.6, 1.3)) + 4
    place = company.place
    modified = company.since + (now - company.since) * chance.random()
    return Details(
        employees=employees,
        street=f"{chance.choice(place.streets)} {chance.randint(1, 90)}",
        postal_code=f"{chance.randint(10000, 99999)}",
        phone=place.phone.format(chance.randint(0, 99)),
        revenue=float(employees * chance.randint(60, 260) * 1000),
        warmth=chance.choice(("Hot", "Warm", "Cold")) if company.standing == "prospect" else None,
        about=_about(company),
        modified=max(modified, company.until) if company.standing == "former" else modified,
    )


def _about(company: TownCompany) -> str | None:
    return f"Former customer: contract ended in {company.until:%B %Y}." if company.standing == "former" else None


class Hiring:
    """Invents the people of companies. Of 100, about 3 opted out of e-mail, 4 have no address, 1 shares a colleague's.

    Without `sharing` every address belongs to one person alone.
    """

    def __init__(self, chance: random.Random, now: datetime, *, sharing: bool = True) -> None:
        self._chance = chance
        self._now = now
        self._made = 0
        self._share_at = 5.0 if sharing else math.inf

    def staff(self, company: TownCompany, number: int) -> Iterator[TownPerson]:
        """Yields `number` people of one company."""
        taken: dict[str, None] = {}
        for _ in range(number):
            self._made += 1
            yield self._person(company, taken)

    def _person(self, company: TownCompany, taken: dict[str, None]) -> TownPerson:
        chance, place = self._chance, company.place
        first, last = chance.choice(place.first), chance.choice(place.last)
        department = chance.choice(list(work()["departments"]))
        joined = company.since + (company.until - company.since) * chance.random() ** 3
        return TownPerson(
            first=first,
            last=last,
            title=chance.choice(work()["departments"][department]),
            department=department,
            email=self._address(f"{slug(first)}.{slug(last)}", company.domain, taken),
            phone=place.phone.format(chance.randint(0, 99)),
            source=chance.choice(("Web", "Phone Inquiry", "Partner Referral", "Other")),
            opted_out=self._made % 33 == 17,
            language=None if chance.random() < 0.1 else chance.choice(place.language),
            joined=joined,
            modified=joined + (self._now - joined) * chance.random(),
        )

    def _address(self, local: str, domain: str, taken: dict[str, None]) -> str | None:
        # By number, not by chance: even the smallest org has somebody of each kind.
        if self._made % 25 == 7:
            return None
        if taken and self._made >= self._share_at:
            self._share_at += 100
            return next(reversed(taken))
        wanted = (f"{local}{number}@{domain}" for number in chain([""], count(2)))
        address = next(candidate for candidate in wanted if candidate not in taken)
        taken[address] = None
        return address
