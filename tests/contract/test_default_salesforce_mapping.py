"""The packaged mapping for Salesforce, an adapter and a CRM together: what is set up, read, written and read back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from crm_world import World
from default_mappings import packaged
from world_memory import MemoryWorld
from world_salesforce import SalesforceWorld, Switchboard

from adapters.sandbox.server import RunningServer
from connector.model import Account, Contact, Interaction, Pulled, SeenTask
from connector.ports import CrmMapping, Query, Record, Write
from connector.runtime.clock import SteppedClock
from mappings.loading import load

ANSWERED = datetime(2026, 11, 12, 13, 5, 59, tzinfo=UTC)
ACCOUNT = {
    "satisfaction": 74,
    "low": 61,
    "high": 86,
    "mood": "Happy",
    "people": 12,
    "summary": "Maria Virtanen gave 5 of 5 on 12 Nov 2026: \u201cfast & friendly\u201d. 3 of 9 asked have answered.",
    "attention": None,
    "nps": -33,
    "csat": 80,
    "ces": 0,
    "trend": "rising",
    "last_answer": ANSWERED,
    "details": "https://feedback.acme.example/accounts/1?from=crm&x=%20",
}
CONTACT = {"last_rating": "2 of 5, case 00123, 12 Nov 2026", "last_asked": ANSWERED, "no_surveys": True}


@pytest.fixture(params=["memory", "salesforce"])
def world(
    request: pytest.FixtureRequest, clock: SteppedClock, switchboard: Switchboard, server: RunningServer
) -> Iterator[World]:
    """A CRM of each kind."""
    if request.param == "memory":
        yield MemoryWorld(clock)
        return
    world = SalesforceWorld(clock, server)
    switchboard.org = world.org
    yield world
    world.adapter.close()


def fitted(world: World) -> CrmMapping:
    """Set the CRM up, and return the mapping that fits it without a word of complaint."""
    source = load(packaged("salesforce"), "salesforce.toml")
    before, _ = source.fit({name: world.adapter.describe(name) for name in source.objects})
    steps = [step for step in world.adapter.plan_setup(before.wanted_fields(), before.lacking) if not step.manual]
    assert all(result.done for result in world.adapter.apply_setup(steps))
    mapping, problems = source.fit({name: world.adapter.describe(name) for name in source.objects})
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert [problem for problem in problems if problem.remedy.startswith("Run `afterword setup-crm`")] == []
    return mapping


def records(world: World, mapping: CrmMapping) -> Iterator[tuple[Query, Record]]:
    for query in mapping.queries:
        for page in world.adapter.changes(query, since=None, after=None):
            yield from ((query, record) for record in page.records)


def pulled(world: World, mapping: CrmMapping, record_id: str) -> Pulled:
    """Return what the mapping makes of a record."""
    found = [mapping.read("acme", record) for _, record in records(world, mapping) if record.id == record_id]
    assert [reading.error for reading in found] == [None]
    assert found[0].value is not None
    return found[0].value


def people(world: World) -> tuple[str, str]:
    account = world.insert("Account", {"Name": "Acme", "Type": "Customer - Direct"})
    person = {"FirstName": "Maria", "LastName": "Virtanen", "AccountId": account, "Email": "Maria@Customer.example"}
    return account, world.insert("Contact", person)


def write(world: World, mapping: CrmMapping, target: str, record_id: str | None, values: dict[str, Any]) -> str:
    """Write our values as the connector does; return the record's id."""
    fields = {mapping.crm_field(target, name): value for name, value in mapping.render(target, values).items()}
    external = None
    if record_id is None:
        field = mapping.crm_field(target, "key")
        external = (field, str(fields.pop(field)))
    (result,) = world.adapter.write([Write("it", mapping.object_of(target), fields, id=record_id, external=external)])
    assert result.error is None
    return str(result.id)


def test_a_closed_case_is_read_with_all_who_took_part(world: World) -> None:
    mapping = fitted(world)
    account, person = people(world)
    case = world.insert("Case", {"AccountId": account, "ContactId": person, "Subject": "Down", "Priority": "High"})
    world.pass_time(timedelta(hours=1))
    closed = world.clock.now()
    world.update("Case", case, {"Status": "Closed"})
    found = pulled(world, mapping, case)
    assert isinstance(found, Interaction)
    assert (found.kind, found.ended, found.ended_at, found.updated_at) == ("case", "closed", closed, closed)
    assert found.account is not None
    assert found.account.id == account
    assert [ref.id for ref in found.contacts] == [person]
    assert found.label.startswith("case 0")
    assert found.facts["priority"] == "High"


def test_an_open_case_has_not_ended(world: World) -> None:
    mapping = fitted(world)
    account, person = people(world)
    case = world.insert("Case", {"AccountId": account, "ContactId": person, "Subject": "Down"})
    found = pulled(world, mapping, case)
    assert isinstance(found, Interaction)
    assert (found.ended, found.ended_at) == (None, None)


def test_calls_meetings_and_deals_are_read(world: World) -> None:
    mapping = fitted(world)
    account, person = people(world)
    now = world.clock.now()
    to = {"WhatId": account, "WhoId": person}
    call = world.insert("Task", {**to, "Subject": "Renewal", "TaskSubtype": "Call", "Status": "Completed"})
    starts, ends = now + timedelta(hours=1), now + timedelta(hours=2)
    meeting = world.insert("Event", {**to, "Subject": "Review", "StartDateTime": starts, "EndDateTime": ends})
    deal = world.insert(
        "Opportunity", {"AccountId": account, "Name": "Big", "StageName": "Prospecting", "CloseDate": now.date()}
    )
    world.update("Opportunity", deal, {"StageName": "Closed Won"})
    ended = {}
    for record_id in (call, meeting, deal):
        found = pulled(world, mapping, record_id)
        assert isinstance(found, Interaction)
        assert found.account is not None
        assert found.account.id == account
        ended[found.kind] = (found.ended, found.ended_at)
    assert ended == {"call": ("held", now), "meeting": ("held", ends), "deal": ("won", now)}


def test_what_was_written_on_an_account_is_seen_as_the_same(world: World) -> None:
    mapping = fitted(world)
    account, _ = people(world)
    write(world, mapping, "account", account, ACCOUNT)
    found = pulled(world, mapping, account)
    assert isinstance(found, Account)
    wanted = mapping.render("account", ACCOUNT)
    assert set(wanted) == set(found.shown) == mapping.names("account")
    assert [name for name in wanted if mapping.differs("account", name, wanted[name], found.shown[name])] == []


def test_every_field_of_an_account_can_be_cleared(world: World) -> None:
    mapping = fitted(world)
    account, _ = people(world)
    write(world, mapping, "account", account, ACCOUNT)
    write(world, mapping, "account", account, dict.fromkeys(ACCOUNT))
    found = pulled(world, mapping, account)
    assert isinstance(found, Account)
    assert set(found.shown.values()) == {None}


def test_what_was_written_on_a_contact_is_seen_as_the_same(world: World) -> None:
    mapping = fitted(world)
    _, person = people(world)
    write(world, mapping, "contact", person, CONTACT)
    found = pulled(world, mapping, person)
    assert isinstance(found, Contact)
    assert found.email == "maria@customer.example"
    assert found.no_surveys
    wanted = mapping.render("contact", CONTACT)
    assert [name for name in wanted if mapping.differs("contact", name, wanted[name], found.shown[name])] == []


def test_our_task_is_made_once_is_recognised_and_tells_its_end(world: World) -> None:
    mapping = fitted(world)
    account, person = people(world)
    values = {
        "key": "follow-up-1",
        "subject": "Call Maria Virtanen by Fri 15:00: 1 of 5, case 00123",
        "body": "She said: it is slow.\nhttps://feedback.acme.example/f/1",
        "priority": "high",
        "status": "open",
        "due": ANSWERED.date(),
        "contact": person,
        "account": account,
    }
    made = [write(world, mapping, "task", None, values) for _ in range(2)]
    assert made[0] == made[1]
    found = pulled(world, mapping, made[0])
    assert isinstance(found, SeenTask)
    assert (found.key, found.open, found.outcome) == ("follow-up-1", True, None)
    world.pass_time()
    outcome = mapping.crm_field("task", "outcome")
    world.update("Task", made[0], {"Status": "Completed", outcome: "Solved"})
    found = pulled(world, mapping, made[0])
    assert isinstance(found, SeenTask)
    assert (found.open, found.outcome, found.closed_at) == (False, "Solved", world.clock.now())
