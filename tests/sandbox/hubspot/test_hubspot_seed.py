"""Seeded portals are believable, the same for the same seed, and can share companies with a pretend Salesforce."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.hubspot.portal.seed import SeededPortal, Sizes, seed
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.org.seed import known_company
from adapters.sandbox.salesforce.org.seed import seed as seed_salesforce

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW_TEXT = "2026-11-20T12:00:00Z"
KINDS = ("companies", "contacts", "tickets", "calls", "tasks", "meetings", "deals", "emails")
STAMPS = {"companies": "hs_lastmodifieddate", "contacts": "lastmodifieddate"}


def seeded(number: int = 7, **given: Any) -> HubSpot:
    portal = HubSpot(SandboxClock(NOW))
    seed(portal, seed=number, now=NOW, **({"accounts": 120} | given))
    return portal


@pytest.fixture(scope="module")
def world() -> HubSpot:
    return seeded()


@pytest.fixture(scope="module")
def org() -> Salesforce:
    made = Salesforce(SandboxClock(NOW))
    seed_salesforce(made, seed=7, accounts=40, now=NOW)
    return made


def by_id(portal: HubSpot, kind: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in portal.rows(kind)}


def created(row: dict[str, Any]) -> str:
    return str(row.get("createdate") or row["hs_createdate"])


def company_of(portal: HubSpot, kind: str, record_id: str) -> str:
    (found,) = portal.associated(kind, record_id, "companies")
    return found


def test_the_same_seed_makes_the_same_portal(world: HubSpot) -> None:
    again = seeded()
    assert [again.rows(kind) for kind in KINDS] == [world.rows(kind) for kind in KINDS]


def test_another_seed_makes_other_companies(world: HubSpot) -> None:
    other = {row["name"] for row in seeded(8).rows("companies")}
    assert len(other & {row["name"] for row in world.rows("companies")}) < 12


def test_sizes_are_met_to_the_record() -> None:
    portal = seeded(sizes=Sizes(accounts=30, contacts=101, cases=52, calls=33, meetings=24, opportunities=15))
    counts = {kind: portal.count(kind) for kind in KINDS}
    calls = counts.pop("calls") + counts.pop("tasks")
    assert 0 < counts.pop("emails") < 52
    assert (calls, list(counts.values())) == (33, [30, 101, 52, 24, 15])


def test_no_records_at_all_is_a_size() -> None:
    assert [seeded(accounts=0).count(kind) for kind in KINDS] == [0] * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_stamps_follow_one_another(world: HubSpot, kind: str) -> None:
    for row in world.rows(kind):
        assert created(row) <= row[STAMPS.get(kind, "hs_lastmodifieddate")] <= NOW_TEXT, row


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_would_be_taken_by_the_crm_itself_and_derives_the_same(world: HubSpot, kind: str) -> None:
    """Loading checks nothing, so each record is written once more the slow way, at the time of its last change."""
    held = world.object(kind)
    copy = seeded(accounts=0)
    derived = {"hs_is_closed", "hs_is_closed_won", "hs_task_is_completed", "hs_v2_date_entered_current_stage"}
    assert world.rows(kind)
    for row in world.rows(kind)[:60]:
        written = {name: row[name] for name, spec in held.properties.items() if name in row and not spec.read_only}
        last = datetime.fromisoformat(row[STAMPS.get(kind, "hs_lastmodifieddate")])
        made = copy.get(kind, copy.insert(kind, written, at=last)) or {}
        assert {name: made.get(name) for name in written} == written
        assert {name: row.get(name) for name in derived} == {name: made.get(name) for name in derived}
        assert row.get("closed_date") == made.get("closed_date")


def test_nothing_happens_before_the_people_were_there(world: HubSpot) -> None:
    companies, contacts = by_id(world, "companies"), by_id(world, "contacts")
    for record_id, row in contacts.items():
        assert created(row) >= created(companies[company_of(world, "contacts", record_id)])
    for kind in ("tickets", "calls", "tasks", "deals", "emails"):
        for row in world.rows(kind):
            (contact,) = world.associated(kind, row["id"], "contacts")
            assert created(row) >= created(contacts[contact]), row
            assert company_of(world, kind, row["id"]) == company_of(world, "contacts", contact)


def test_tickets_are_closed_by_what_their_stage_says_in_two_pipelines(world: HubSpot) -> None:
    stages = {stage.id: stage for each in world.pipelines.of("tickets") for stage in each.live()}
    tickets = world.rows("tickets")
    for row in tickets:
        assert stages[row["hs_pipeline_stage"]].closes == ("closed_date" in row)
    assert len({row["hs_pipeline"] for row in tickets}) == 2
    closing = {row["hs_pipeline_stage"] for row in tickets if "closed_date" in row}
    assert [each for each in closing if "isClosed" not in stages[each].metadata]
    assert any(not stages[row["hs_pipeline_stage"]].closes for row in tickets)
    assert [row for row in tickets if "hubspot_owner_id" not in row]


def test_the_mix_is_that_of_a_real_portal(world: HubSpot) -> None:
    deals = Counter((row["hs_is_closed"], row["hs_is_closed_won"]) for row in world.rows("deals"))
    assert min(deals["true", "true"], deals["true", "false"], deals["false", "false"]) > 3
    assert {row["hs_meeting_outcome"] for row in world.rows("meetings")} == {"COMPLETED", "SCHEDULED"}
    assert {row.get("type") for row in world.rows("companies")} >= {None, "PROSPECT", "PARTNER", "RESELLER", "OTHER"}
    assert len({row["lifecyclestage"] for row in world.rows("companies")}) > 3
    assert [row for row in world.rows("contacts") if "hs_lead_status" in row]
    assert [row for row in world.rows("tickets") if "reopened" in row.get("content", "")]


def test_a_subsidiary_is_associated_with_the_parent_it_names(world: HubSpot) -> None:
    below = [row for row in world.rows("companies") if "hs_parent_company_id" in row]
    assert below
    for row in below:
        assert 14 in world.associated("companies", row["id"], "companies")[row["hs_parent_company_id"]]


def test_a_mail_belongs_to_the_ticket_that_it_opened(world: HubSpot) -> None:
    tickets = by_id(world, "tickets")
    for row in world.rows("emails"):
        (ticket,) = world.associated("emails", row["id"], "tickets")
        assert (row["hs_email_subject"], created(row)) == (tickets[ticket]["subject"], created(tickets[ticket]))


def test_people_differ_in_what_matters_to_whoever_writes_to_them(world: HubSpot) -> None:
    people = world.rows("contacts")
    assert {row.get("hs_language") for row in people} >= {None, "en", "de", "fr", "es", "sv", "fi", "zh-cn", "zh-tw"}
    assert [row for row in people if row.get("hs_email_optout") == "true"]
    addresses = [row["email"] for row in people if "email" in row]
    assert len(set(addresses)) == len(addresses) < len(people)
    assert all(each.endswith(".example") for each in addresses)


def test_an_owner_left_and_still_owns_companies(world: HubSpot) -> None:
    (gone,) = world.owners.page(0, 100, email=None, archived=True)
    assert world.rows("companies", hubspot_owner_id=str(gone.id))


def test_activities_have_moved_the_stamps_of_whom_they_were_about(world: HubSpot) -> None:
    contacts = by_id(world, "contacts")
    for row in world.rows("calls"):
        (contact,) = world.associated("calls", row["id"], "contacts")
        assert created(row) <= contacts[contact]["notes_last_updated"] <= contacts[contact]["lastmodifieddate"]


def shared_with(org: Salesforce, account: str, **given: Any) -> tuple[HubSpot, SeededPortal]:
    portal = HubSpot(SandboxClock(NOW))
    return portal, seed(portal, seed=7, now=NOW, shared=[known_company(org, account)], **given)


def test_a_company_of_the_pretend_salesforce_is_here_with_its_people(org: Salesforce) -> None:
    account = max(org.rows("Account"), key=lambda row: len(org.rows("Contact", AccountId=row["Id"])))
    theirs = {
        (row["FirstName"], row["LastName"], row.get("Email")) for row in org.rows("Contact", AccountId=account["Id"])
    }
    portal, made = shared_with(org, account["Id"], accounts=10)
    (domain, company), *others = made.shared.items()
    row = portal.get("companies", company) or {}
    assert (row["name"], row["domain"], row["website"], others) == (account["Name"], domain, account["Website"], [])
    people = [portal.get("contacts", each) or {} for each in portal.associated("companies", company, "contacts")]
    assert {(each["firstname"], each["lastname"], each.get("email")) for each in people} == theirs
    assert portal.owners.exists(int(row["hubspot_owner_id"]))
    assert portal.count("companies") == 11


def test_other_companies_are_not_those_of_the_pretend_salesforce(org: Salesforce) -> None:
    names = {row["name"] for row in seeded(7, accounts=40).rows("companies")}
    assert not names & {row["Name"] for row in org.rows("Account")}


def test_people_who_share_an_address_there_are_one_contact_here(org: Salesforce) -> None:
    shared = next(
        each for each, n in Counter(row.get("Email") for row in org.rows("Contact")).items() if each and n == 2
    )
    portal, _ = shared_with(org, org.rows("Contact", Email=shared)[0]["AccountId"])
    assert len(portal.rows("contacts", email=shared)) == 1


def test_an_account_that_is_not_there_cannot_be_shared(org: Salesforce) -> None:
    with pytest.raises(LookupError, match="no account '001'"):
        known_company(org, "001")


def test_two_thousand_companies_are_quick() -> None:
    portal = HubSpot(SandboxClock(NOW))
    began = time.process_time()
    seed(portal, seed=1, now=NOW, sizes=Sizes(2000, 10_000, 5_000, 2_000, 1_000, 1_000))
    assert time.process_time() - began < 15
