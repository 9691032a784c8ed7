"""Fills a portal with records that a person would believe: the same for the same seed and moment, of any size.

A company that another pretend CRM has too is given as `shared`: `known(org, account_id)` of the seeding of the pretend Salesforce
tells what is known of one and its people, and this portal makes records of its own from it, with the same names and addresses.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from adapters.sandbox.hubspot.portal.portal import Portal
from adapters.sandbox.hubspot.portal.property_values import iso, to_ms
from adapters.sandbox.hubspot.portal.seed_rows import (
    FIELD_WORK,
    Row,
    ServicePipeline,
    call_row,
    company_row,
    contact_row,
    deal_row,
    email_row,
    meeting_row,
    planned_row,
    ticket_row,
)
from adapters.sandbox.people.companies import Founder, Hiring, KnownCompany, TownCompany, TownPerson, details
from adapters.sandbox.people.happenings import Case, Deal, Meeting, PhoneCall
from adapters.sandbox.people.history import TownHistory
from adapters.sandbox.people.places import slug, work
from adapters.sandbox.people.sizes import Sizes, chance_for, headcounts

__all__ = ["KnownCompany", "SeededPortal", "Sizes", "seed"]

_BATCH = 2_000
_STAFFED = timedelta(days=1900)
_PARENT_TO_CHILD = 13
_OPEN = {"ticketState": "OPEN", "isClosed": "false"}
_CLOSED = {"ticketState": "CLOSED", "isClosed": "true"}
_FIELD_SERVICE = {
    "Reported": _OPEN,
    "Technician booked": _OPEN,
    "Waiting for parts": _OPEN,
    "Done on site": _CLOSED,
    # As in stages that were made before the vendor kept `isClosed` for tickets.
    "Called off": {"ticketState": "CLOSED"},
}
_Happening = TypeVar("_Happening", Case, PhoneCall, Meeting, Deal)


@dataclass(frozen=True)
class SeededPortal:
    """What was made: the sizes (without what is shared), the owners' ids by full name, and the ids of shared companies by domain."""

    sizes: Sizes
    owners: Mapping[str, str]
    shared: Mapping[str, str]


def seed(
    portal: Portal,
    *,
    seed: int,
    accounts: int = 0,
    now: datetime,
    sizes: Sizes | None = None,
    shared: Sequence[KnownCompany] = (),
) -> SeededPortal:
    """Fills `portal` with two years of history up to `now` (aware); `sizes` takes precedence over `accounts`.

    There are as many records as `sizes` says, and beside them the companies in `shared` with their people, to whom things happen
    as to all others. Calls that are planned are tasks; tickets that came by e-mail have that e-mail. Only the companies and the
    ids of their people are held besides the portal's own records.
    """
    sizes = sizes or Sizes.around(accounts)
    with portal.lock:
        made = _Seeder(portal, seed, now)
        return made.everything(sizes, shared)


class _Seeder:
    """One seeding at work."""

    def __init__(self, portal: Portal, seed: int, now: datetime) -> None:
        self._portal = portal
        self._seed = seed
        self._now = now
        self._owners = _staff(portal, now - _STAFFED)
        self._support, self._field = _service_pipelines(portal)
        self._latest: dict[tuple[str, str], int] = {}

    def everything(self, sizes: Sizes, shared: Sequence[KnownCompany]) -> SeededPortal:
        known = self._known(shared)
        founder = Founder(
            self._chance("companies"),
            self._now,
            _team(self._owners, "sales"),
            taken=[company.domain for company in known],
        )
        companies = list(self._companies(founder.companies(sizes.accounts)))
        self._people(self._hired(companies, sizes.contacts))
        self._people(
            _unlike(
                (company, person) for company, original in zip(known, shared, strict=True) for person in original.people
            )
        )
        self._history([*companies, *known], sizes)
        self._remember_latest()
        return SeededPortal(sizes, self._owners, {company.domain: company.id for company in known})

    def _chance(self, kind: str) -> random.Random:
        return chance_for(self._seed, f"hubspot:{kind}")

    def _known(self, shared: Sequence[KnownCompany]) -> list[TownCompany]:
        chance, sales = self._chance("shared"), _team(self._owners, "sales")
        companies = [
            replace(known.company, owner=chance.choice(sales), id="", people=[], parent=None) for known in shared
        ]
        rows = [company_row(company, known.details) for company, known in zip(companies, shared, strict=True)]
        for company, record_id in zip(companies, self._portal.load("companies", rows), strict=True):
            company.id = record_id
        return companies

    def _companies(self, source: Iterator[TownCompany]) -> Iterator[TownCompany]:
        chance = self._chance("details")
        # Small batches at first, so that even a handful of companies can have a parent among them.
        size = 10
        while batch := list(islice(source, size)):
            rows = [company_row(company, details(chance, company, self._now)) for company in batch]
            for company, record_id in zip(batch, self._portal.load("companies", rows), strict=True):
                company.id = record_id
                if company.parent:
                    self._portal.associate("companies", company.parent.id, "companies", record_id, _PARENT_TO_CHILD)
            yield from batch
            size = min(size * 2, _BATCH)

    def _hired(self, companies: list[TownCompany], count: int) -> Iterator[tuple[TownCompany, TownPerson]]:
        chance = self._chance("contacts")
        heads = headcounts(chance, companies, count)
        # Two contacts of a portal cannot have one address.
        hiring = Hiring(chance, self._now, sharing=False)
        return (
            (company, person)
            for company, n in zip(companies, heads, strict=True)
            for person in hiring.staff(company, n)
        )

    def _people(self, people: Iterator[tuple[TownCompany, TownPerson]]) -> None:
        while batch := list(islice(people, _BATCH)):
            ids = self._portal.load("contacts", [contact_row(company, person) for company, person in batch])
            for (company, person), record_id in zip(batch, ids, strict=True):
                company.people.append((record_id, person.joined))
            links = [(record_id, company.id) for (company, _), record_id in zip(batch, ids, strict=True)]
            self._portal.load_links("contacts", "companies", links)

    def _history(self, companies: list[TownCompany], sizes: Sizes) -> None:
        def history(kind: str) -> TownHistory:
            return TownHistory(self._chance(kind), companies, self._now)

        agents = _team(self._owners, "service")
        for cases in _batches(history("tickets").cases(sizes.cases, agents, "")):
            self._tickets(cases)
        for calls in _batches(history("calls").calls(sizes.calls)):
            held_calls = [(call, call.ended) for call in calls if call.ended]
            self._load("calls", [call for call, _ in held_calls], [call_row(call, ended) for call, ended in held_calls])
            planned = [call for call in calls if not call.ended]
            self._load("tasks", planned, [planned_row(call) for call in planned])
        for meetings in _batches(history("meetings").meetings(sizes.meetings)):
            self._load("meetings", meetings, [meeting_row(meeting, self._now) for meeting in meetings])
        for deals in _batches(history("deals").deals(sizes.opportunities)):
            self._load("deals", deals, [deal_row(deal) for deal in deals])

    def _tickets(self, cases: list[Case]) -> None:
        rows = [ticket_row(case, self._field if case.reason in FIELD_WORK else self._support) for case in cases]
        ids = self._load("tickets", cases, rows)
        written = [(case, ticket) for case, ticket in zip(cases, ids, strict=True) if case.origin == "Email"]
        mails = self._load("emails", [case for case, _ in written], [email_row(case) for case, _ in written])
        self._portal.load_links("emails", "tickets", zip(mails, (ticket for _, ticket in written), strict=True))

    def _load(self, kind: str, happened: Sequence[_Happening], rows: Sequence[Row]) -> list[str]:
        """Loads what happened, about its contact and company, and notes when something was last about them."""
        ids = self._portal.load(kind, rows)
        pairs = list(zip(happened, ids, strict=True))
        self._portal.load_links(kind, "contacts", ((record_id, happening.contact) for happening, record_id in pairs))
        self._portal.load_links(
            kind, "companies", ((record_id, happening.company.id) for happening, record_id in pairs)
        )
        if self._portal.object(kind).engagement:
            for happening, row in zip(happened, rows, strict=True):
                self._note_latest(happening, to_ms(row["created"]))
        return ids

    def _note_latest(self, about: Case | PhoneCall | Meeting | Deal, at: int) -> None:
        for key in (("contacts", about.contact), ("companies", about.company.id)):
            self._latest[key] = max(at, self._latest.get(key, 0))

    def _remember_latest(self) -> None:
        """Activities have moved the stamps of whom they were about."""
        for (kind, record_id), at in self._latest.items():
            object_type, record = self._portal.object(kind), self._portal.store.table(kind).rows[int(record_id)]
            self._portal.records.touch(object_type, record, {"notes_last_updated": iso(at)}, max(record.modified, at))


def _batches(happenings: Iterator[_Happening]) -> Iterator[list[_Happening]]:
    while batch := list(islice(happenings, _BATCH)):
        yield batch


def _staff(portal: Portal, began: datetime) -> dict[str, str]:
    owners = {}
    former = work()["users"]["left"]
    for person in (*work()["users"]["people"], former):
        first, last, *_, team = person
        address = f"{slug(first)}.{slug(last)}@northwind.example"
        name = f"{first} {last}"
        owner = portal.owners.add(name, address, to_ms(began), active=person is not former, teams=[team.title()])
        owners[name] = str(owner.id)
    return owners


def _team(owners: Mapping[str, str], team: str) -> list[str]:
    """The people of a team; those who sell have among them the one who left."""
    people = [*work()["users"]["people"], work()["users"]["left"]]
    return [owners[f"{first} {last}"] for first, last, *_, person_team in people if person_team == team]


def _service_pipelines(portal: Portal) -> tuple[ServicePipeline, ServicePipeline]:
    """What an admin made: a stage of their own in the usual pipeline of tickets, and a second pipeline for technicians."""
    usual = portal.pipelines.get("tickets", "0")
    escalated = portal.pipelines.add_stage("tickets", usual, "Escalated", _OPEN, at=portal.now(), order=3)
    usual.stage("4").order = 4
    support = {"new": "1", "working": "3", "escalated": escalated.id, "closed": "4"}
    pipeline, stages = portal.new_pipeline("tickets", "Field service", _FIELD_SERVICE)
    labels = {
        "new": "Reported",
        "working": "Technician booked",
        "escalated": "Waiting for parts",
        "closed": "Done on site",
    }
    field = {status: stages[label] for status, label in labels.items()}
    return ServicePipeline("0", support, "4"), ServicePipeline(pipeline, field, stages["Called off"])


def _unlike(people: Iterable[tuple[TownCompany, TownPerson]]) -> Iterator[tuple[TownCompany, TownPerson]]:
    """Of several people with one address the first: two contacts of a portal cannot share one."""
    taken: set[str] = set()
    for company, person in people:
        if person.email is None or person.email not in taken:
            taken |= {person.email} if person.email else set()
            yield company, person
