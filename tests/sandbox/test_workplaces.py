"""People work in every pretend CRM by the same verbs, and a company that two of them know is the same company."""

from datetime import UTC, datetime

import pytest

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.workplaces.crm import Crm, TaskFields, WorkplaceAccount, WorkplaceCompany, WorkplaceContact
from adapters.sandbox.workplaces.hubspot import HubSpotCrm
from adapters.sandbox.workplaces.salesforce import SalesforceCrm

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
ACCOUNTS = 6


def some_company(crm: Crm) -> WorkplaceCompany:
    """A company with people in it."""
    people: dict[str, list[WorkplaceContact]] = {}
    for one in crm.contacts():
        people.setdefault(one.account.id, []).append(one)
    account: WorkplaceAccount = next(one for one in crm.accounts() if one.ref.id in people and one.owner in crm.staff())
    return WorkplaceCompany(account, people[account.ref.id])


@pytest.fixture(scope="module")
def salesforce() -> SalesforceCrm:
    return SalesforceCrm(SandboxClock(NOW), seed=2, accounts=ACCOUNTS)


@pytest.fixture(scope="module")
def hubspot(salesforce: SalesforceCrm) -> HubSpotCrm:
    shared = salesforce.known(some_company(salesforce).account.ref.id)
    return HubSpotCrm(SandboxClock(NOW), seed=2, accounts=ACCOUNTS, shared=[shared])


@pytest.fixture(params=["salesforce", "hubspot"])
def crm(request: pytest.FixtureRequest) -> Crm:
    found: Crm = request.getfixturevalue(request.param)
    return found


def rows(crm: Crm, *names: str) -> dict[str, dict[str, object]]:
    """All records of the object that goes by one of the names in this CRM, by id."""
    org: Salesforce | HubSpot = crm.org if isinstance(crm, SalesforceCrm) else crm.portal  # type: ignore[attr-defined]
    name = names[0] if isinstance(crm, SalesforceCrm) else names[1]
    return {str(row.get("Id") or row["id"]): row for row in org.rows(name)}


def test_a_company_known_in_both_has_the_same_domain_and_people(salesforce: SalesforceCrm, hubspot: HubSpotCrm) -> None:
    here = some_company(salesforce)
    (there,) = [one for one in hubspot.accounts() if one.domain == here.account.domain]
    assert there.name == here.name
    theirs = {one.address for one in hubspot.contacts() if one.account == there.ref}
    assert theirs == {one.address for one in here.people}
    others = {one.domain for one in salesforce.accounts()} & {one.domain for one in hubspot.accounts()}
    assert others == {here.account.domain}


def test_a_case_is_taken_up_and_closed(crm: Crm) -> None:
    company = some_company(crm)
    case, number = crm.open_case(company, company.people[0], "It does not start", agent=crm.service()[0])
    assert number
    before = rows(crm, "Case", "tickets")[case]
    crm.close_case(case, agent=crm.service()[0])
    after = rows(crm, "Case", "tickets")[case]
    closed = ("ClosedDate", "closed_date")
    assert not any(before.get(name) for name in closed)
    assert any(after.get(name) for name in closed)


def test_a_deal_is_offered_and_won(crm: Crm) -> None:
    company = some_company(crm)
    deal = crm.offer_deal(company, company.people[0], "20 more sensors")
    crm.win_deal(deal, owner=company.account.owner)
    won = rows(crm, "Opportunity", "deals")[deal]
    assert won.get("IsWon") is True or won.get("hs_is_closed_won") == "true"


def test_calls_and_meetings_are_about_the_person(crm: Crm) -> None:
    company = some_company(crm)
    person, agent = company.people[0], crm.service()[0]
    calls, meetings = rows(crm, "Task", "calls"), rows(crm, "Event", "meetings")
    crm.hold_call(company, person, "Check-in", agent=agent)
    crm.hold_meeting(company, person, "Review", agent=agent)
    (call,) = rows(crm, "Task", "calls").keys() - calls.keys()
    (meeting,) = rows(crm, "Event", "meetings").keys() - meetings.keys()
    if isinstance(crm, HubSpotCrm):
        about = [
            list(crm.portal.associated(kind, one, "contacts")) for kind, one in (("calls", call), ("meetings", meeting))
        ]
    else:
        about = [[rows(crm, "Task", "")[call]["WhoId"]], [rows(crm, "Event", "")[meeting]["WhoId"]]]
    assert about == [[person.ref.id], [person.ref.id]]


def test_colleagues_have_names_and_addresses_and_those_who_left_are_not_there(crm: Crm) -> None:
    assert set(crm.service()) < set(crm.staff())
    names = {crm.colleague(one) for one in crm.staff()}
    assert "Mikael Lindroos" in names
    assert "Olli Kangas" not in names
    assert all("@" in crm.address(one) for one in crm.service())


def test_without_tasks_of_ours_there_is_nothing_to_do(crm: Crm) -> None:
    assert list(crm.open_tasks(TaskFields("a_key_that_no_task_has", "outcome"))) == []
