"""Who takes part in the demo: a few customers of each CRM, chosen so that there is something to see, and their people."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapters.sandbox.customers import Temper, personality
from adapters.sandbox.workplaces.crm import Crm, WorkplaceCompany, WorkplaceContact
from connector.model import Ref

_FEWEST_PEOPLE: Final = 4
_MOST_PEOPLE: Final = 6

ContactTest = Callable[[WorkplaceContact, int], bool]


@dataclass(frozen=True, slots=True)
class Person:
    """The person who reads the mail of one address."""

    name: str
    customer: str
    """The domain of the company: accounts that have it in several CRMs are one customer."""
    contacts: tuple[Ref, ...]
    """The person's records: some people are in a CRM twice, some are in both."""
    opted_out: bool = False
    """Whether this person has opted out of mail in a CRM before the demo begins."""


def people_by_address(crms: Iterable[Crm]) -> dict[str, Person]:
    """Return everybody in any of the CRMs who can be written to, by address."""
    people: dict[str, Person] = {}
    all_crms = list(crms)
    customers = {account.ref: account.domain for crm in all_crms for account in crm.accounts()}
    for contact in (contact for crm in all_crms for contact in crm.contacts()):
        before = people.get(contact.address, Person(contact.name, customers[contact.account], ()))
        opted_out = before.opted_out or contact.opted_out
        people[contact.address] = replace(before, contacts=(*before.contacts, contact.ref), opted_out=opted_out)
    return people


def is_angry(person: WorkplaceContact, seed: int) -> bool:
    """Whether somebody is likely to give a bad rating."""
    return personality(seed, person.address).temper is Temper.ANGRY


def is_silent(person: WorkplaceContact, seed: int) -> bool:
    """Whether somebody never answers."""
    return personality(seed, person.address).temper is Temper.SILENT


def is_scanned(person: WorkplaceContact, seed: int) -> bool:
    """Whether a scanner opens every link in somebody's mail."""
    return personality(seed, person.address).scanned


def has_opted_out(person: WorkplaceContact, _seed: int) -> bool:
    """Whether somebody has opted out of mail."""
    return person.opted_out


def choose(
    crm: Crm, tests: Sequence[ContactTest], *, seed: int, like: Sequence[WorkplaceCompany] = ()
) -> list[WorkplaceCompany]:
    """Return a customer for each test, the one of whose people most pass it; first those that are in `like` too.

    All have an owner who works here, and enough people who can be written to. Who has opted out takes part beside them.
    """
    left = [
        company
        for company in _companies(crm)
        if sum(not person.opted_out for person in company.people) >= _FEWEST_PEOPLE
    ]
    random.Random(f"{seed}:companies").shuffle(left)  # noqa: S311 - nothing here is secret
    known = {company.account.domain for company in like}
    chosen = [_with_participants(company, is_angry, seed) for company in left if company.account.domain in known]
    left = [company for company in left if company.account.domain not in known]
    for test in tests[: len(left)]:
        best = max(left, key=lambda company, test=test: sum(test(person, seed) for person in company.people))  # type: ignore[misc]
        left.remove(best)
        chosen.append(_with_participants(best, test, seed))
    return chosen


def _companies(crm: Crm) -> list[WorkplaceCompany]:
    staff = set(crm.staff())
    people: dict[Ref, list[WorkplaceContact]] = {}
    for contact in crm.contacts():
        people.setdefault(contact.account, []).append(contact)
    return [
        WorkplaceCompany(account, people.get(account.ref, []))
        for account in crm.accounts()
        if account.is_customer and account.owner in staff
    ]


def _with_participants(company: WorkplaceCompany, test: ContactTest, seed: int) -> WorkplaceCompany:
    """Return the company with the people who take part: those who pass the test, then others, by address, so the same in every CRM."""
    people = sorted(company.people, key=lambda person: person.address)
    willing = [person for person in people if not person.opted_out]
    like_this = [person for person in willing if test(person, seed)]
    # One answer ends a silence, so of the silent company only those take part who never answer.
    others = [] if test is is_silent else [person for person in willing if person not in like_this]
    opted_out = [person for person in people if person.opted_out][:1]
    return replace(company, people=[*(*like_this, *others)[:_MOST_PEOPLE], *opted_out])
