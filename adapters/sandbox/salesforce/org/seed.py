"""Fills an org with records that a person would believe: the same for the same seed and moment, of any size."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from adapters.sandbox.people.companies import Founder, Hiring, TownCompany, details
from adapters.sandbox.people.history import TownHistory
from adapters.sandbox.people.places import slug, work
from adapters.sandbox.people.sizes import Sizes, chance_for, headcounts
from adapters.sandbox.salesforce.org.org import PretendOrg
from adapters.sandbox.salesforce.org.schema import Field
from adapters.sandbox.salesforce.org.seed_rows import (
    account_row,
    call_row,
    case_row,
    contact_row,
    deal_row,
    known_company,
    meeting_row,
)

__all__ = ["LANGUAGES", "SeededOrg", "Sizes", "known_company", "seed"]

LANGUAGES = ("en", "de", "fr", "es", "sv", "fi", "zh-CN", "zh-TW")
_BATCH = 2_000
_STAFFED = timedelta(days=1900)


@dataclass(frozen=True)
class SeededOrg:
    """What was made: the sizes, the ids of the users by full name, and the id of the case queue."""

    sizes: Sizes
    users: Mapping[str, str]
    queue: str


def seed(org: PretendOrg, *, seed: int, accounts: int = 0, now: datetime, sizes: Sizes | None = None) -> SeededOrg:
    """Fills `org` with two years of history up to `now` (aware); `sizes` takes precedence over `accounts`.

    Only the companies and the ids of their people are held besides the org's own records.
    """
    sizes = sizes or Sizes.around(accounts)
    began = now - _STAFFED
    users = _staff(org, began)
    queue = org.insert("Group", {"Name": "Support queue", "DeveloperName": "Support_queue", "Type": "Queue"}, at=began)
    _prepare_contacts(org)
    teams = _teams(users)
    founder = Founder(chance_for(seed, "accounts"), now, [*teams["sales"], *teams["left"]])
    companies = list(_accounts(org, founder, chance_for(seed, "details"), now=now, count=sizes.accounts))
    _contacts(org, companies, sizes.contacts, seed=seed, now=now)
    if companies:
        _interactions(org, companies, sizes, seed=seed, now=now, agents=teams["service"], queue=queue)
    return SeededOrg(sizes, users, queue)


def _staff(org: PretendOrg, began: datetime) -> dict[str, str]:
    profile = org.rows("Profile", Name="Standard User")[0]["Id"]
    users = {}
    for person in (*work()["users"]["people"], work()["users"]["left"]):
        first, last, title, zone, team = person
        address = f"{slug(first)}.{slug(last)}@northwind.example"
        row = {"FirstName": first, "LastName": last, "Title": title, "TimeZoneSidKey": zone, "Department": team.title()}
        row |= {"Username": address, "Email": address, "Alias": slug(first)[:8], "ProfileId": profile}
        active = person is not work()["users"]["left"]
        users[f"{first} {last}"] = org.insert("User", row | {"IsActive": active}, at=began)
    return users


def _teams(users: Mapping[str, str]) -> dict[str, list[str]]:
    teams: dict[str, list[str]] = {"service": [], "sales": [], "left": []}
    for first, last, *_, team in work()["users"]["people"]:
        teams[team].append(users[f"{first} {last}"])
    first, last, *_ = work()["users"]["left"]
    teams["left"].append(users[f"{first} {last}"])
    return teams


def _prepare_contacts(org: PretendOrg) -> None:
    """What an admin who writes to customers in their own language has made: a field for it, and sight of the opt-out."""
    if org.object("Contact").find("Language__c") is None:
        language = Field("Language__c", "picklist", "Language", length=255, values=LANGUAGES)
        org.new_field("Contact", language, {"label": "Language", "type": "Picklist"}, grant=True)
    for parent in org.rows("PermissionSet", IsOwnedByProfile=True):
        org.grant(parent["Id"], "Contact", "HasOptedOutOfEmail")


def _accounts(
    org: PretendOrg, founder: Founder, chance: random.Random, *, now: datetime, count: int
) -> Iterator[TownCompany]:
    source = founder.companies(count)
    # Small batches at first, so that even a handful of companies can have a parent among them.
    size = 10
    while batch := list(islice(source, size)):
        ids = org.load("Account", (account_row(company, details(chance, company, now)) for company in batch))
        for company, record_id in zip(batch, ids, strict=True):
            company.id = record_id
        yield from batch
        size = min(size * 2, _BATCH)


def _contacts(org: PretendOrg, companies: list[TownCompany], count: int, *, seed: int, now: datetime) -> None:
    chance = chance_for(seed, "contacts")
    heads = headcounts(chance, companies, count)
    hiring = Hiring(chance, now)
    people = (
        (company, person) for company, n in zip(companies, heads, strict=True) for person in hiring.staff(company, n)
    )
    while batch := list(islice(people, _BATCH)):
        ids = org.load("Contact", (contact_row(company, person) for company, person in batch))
        for (company, person), record_id in zip(batch, ids, strict=True):
            company.people.append((record_id, person.joined))


def _interactions(
    org: PretendOrg,
    companies: list[TownCompany],
    sizes: Sizes,
    *,
    seed: int,
    now: datetime,
    agents: list[str],
    queue: str,
) -> None:
    def history(kind: str) -> TownHistory:
        return TownHistory(chance_for(seed, kind), companies, now)

    cases = history("cases").cases(sizes.cases, agents, queue)
    _load(org, "Case", map(case_row, cases))
    _load(org, "Task", map(call_row, history("calls").calls(sizes.calls)))
    _load(org, "Event", map(meeting_row, history("meetings").meetings(sizes.meetings)))
    _load(org, "Opportunity", map(deal_row, history("opportunities").deals(sizes.opportunities)))


def _load(org: PretendOrg, object_name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    source = iter(rows)
    while batch := list(islice(source, _BATCH)):
        org.load(object_name, batch)
