"""The packaged mapping for HubSpot, the adapter and an account together: what is set up, read, written and read back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from default_mappings import packaged
from test_default_salesforce_mapping import ACCOUNT, CONTACT
from world_hubspot import HubSpotWorld, PortalSwitch

from adapters.sandbox.server import RunningServer, running
from connector.errors import Unavailable
from connector.model import Account, Contact, Interaction, Owner, Pulled, Ref, SeenTask
from connector.ports import CrmMapping, Record, Write, WriteResult
from connector.runtime.clock import SteppedClock
from mappings.loading import load

DUE = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def portal_switch() -> PortalSwitch:
    return PortalSwitch()


@pytest.fixture(scope="module")
def portal_server(portal_switch: PortalSwitch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(portal_switch, cert_dir=tmp_path_factory.mktemp("certificates")) as server:
        yield server


@pytest.fixture
def world(clock: SteppedClock, portal_switch: PortalSwitch, portal_server: RunningServer) -> Iterator[HubSpotWorld]:
    world = HubSpotWorld(clock, portal_server)
    portal_switch.portal = world.portal
    yield world
    world.adapter.close()


@pytest.fixture
def mapping(world: HubSpotWorld) -> CrmMapping:
    """Set the account up, and return the mapping that fits it without a word of complaint."""
    source = load(packaged("hubspot"), "hubspot.toml")
    before, _ = source.fit({name: world.adapter.describe(name) for name in source.objects})
    steps = [step for step in world.adapter.plan_setup(before.wanted_fields()) if not step.manual]
    assert [result.error for result in world.adapter.apply_setup(steps) if not result.done] == []
    fitted, problems = source.fit({name: world.adapter.describe(name) for name in source.objects})
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert [problem for problem in problems if "setup-crm" in problem.remedy] == []
    assert fitted.events == {"case.closed", "call.held", "meeting.held", "deal.won", "deal.lost"}
    return fitted


def records(world: HubSpotWorld, mapping: CrmMapping) -> Iterator[Record]:
    for query in mapping.queries:
        for page in world.adapter.changes(query, since=None, after=None):
            yield from page.records


def pulled(world: HubSpotWorld, mapping: CrmMapping, object_name: str, record_id: str) -> Pulled:
    """Return what the mapping makes of a record."""
    found = [
        mapping.read("acme", record)
        for record in records(world, mapping)
        if (record.object, str(record.id)) == (object_name, record_id)
    ]
    assert [reading.error for reading in found] == [None]
    assert found[0].value is not None
    return found[0].value


def interaction(world: HubSpotWorld, mapping: CrmMapping, object_name: str, record_id: str) -> Interaction:
    found = pulled(world, mapping, object_name, record_id)
    assert isinstance(found, Interaction)
    return found


@pytest.fixture
def company(world: HubSpotWorld) -> str:
    owner = world.portal.add_owner("Olli Owner", "olli@acme.example")
    return world.insert("companies", {"name": "Acme", "lifecyclestage": "customer", "hubspot_owner_id": owner})


@pytest.fixture
def person(world: HubSpotWorld, company: str) -> str:
    values = {"firstname": "Maria", "lastname": "Virtanen", "email": "Maria@Customer.example", "hs_language": "fi"}
    return world.insert("contacts", {**values, "associations.companies": company})


def about(world: HubSpotWorld, object_name: str, values: dict[str, Any], *, company: str, person: str) -> str:
    """Make a record that is associated with a company and a person."""
    record_id = world.insert(object_name, values)
    world.portal.associate(object_name, record_id, "companies", company)
    world.portal.associate(object_name, record_id, "contacts", person)
    return record_id


def write(world: HubSpotWorld, mapping: CrmMapping, target: str, record_id: str, values: dict[str, Any]) -> None:
    fields = {mapping.crm_field(target, name): value for name, value in mapping.render(target, values).items()}
    (result,) = world.adapter.write([Write("it", mapping.object_of(target), fields, id=record_id)])
    assert result.error is None


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_ticket_is_read_with_all_who_took_part(
    world: HubSpotWorld, mapping: CrmMapping, company: str, person: str
) -> None:
    values = {"subject": "Down", "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH"}
    ticket = about(world, "tickets", values, company=company, person=person)
    assert (interaction(world, mapping, "tickets", ticket).ended, mapping.kinds("tickets")) == (None, ("case",))
    world.pass_time(timedelta(hours=1))
    closed = world.clock.now()
    world.update("tickets", ticket, {"hs_pipeline_stage": "4"})
    found = interaction(world, mapping, "tickets", ticket)
    assert (found.kind, found.ended, found.label) == ("case", "closed", f"ticket {ticket}")
    assert found.ended_at is not None
    assert abs(found.ended_at - closed) < timedelta(minutes=1)
    assert found.account == Ref("acme", "companies", company)
    assert found.contacts == (Ref("acme", "contacts", person),)
    assert found.facts["priority"] == "HIGH"


def test_calls_and_meetings_are_held(world: HubSpotWorld, mapping: CrmMapping, company: str, person: str) -> None:
    now = world.clock.now()
    with_both = {"company": company, "person": person}
    call = {"hs_timestamp": now, "hs_call_title": "Renewal", "hs_call_status": "COMPLETED"}
    found = interaction(world, mapping, "calls", about(world, "calls", call, **with_both))
    assert (found.ended, found.ended_at, found.label) == ("held", now, 'call "Renewal"')
    missed = {**call, "hs_call_status": "NO_ANSWER"}
    assert interaction(world, mapping, "calls", about(world, "calls", missed, **with_both)).ended is None
    ends = now + timedelta(hours=2)
    meeting = {"hs_timestamp": now, "hs_meeting_title": "Review", "hs_meeting_end_time": ends}
    found = interaction(world, mapping, "meetings", about(world, "meetings", meeting, **with_both))
    assert (found.ended, found.ended_at) == ("held", ends)
    assert found.account == Ref("acme", "companies", company)
    absent = {**meeting, "hs_meeting_outcome": "NO_SHOW"}
    assert interaction(world, mapping, "meetings", about(world, "meetings", absent, **with_both)).ended is None


@pytest.mark.parametrize(("stage", "ended"), [("closedwon", "won"), ("closedlost", "lost"), ("qualifiedtobuy", None)])
def test_deals_end_by_their_stage(
    world: HubSpotWorld, mapping: CrmMapping, company: str, *, person: str, stage: str, ended: str | None
) -> None:
    values = {"dealname": "Big", "pipeline": "default", "dealstage": stage, "closedate": world.clock.now()}
    found = interaction(world, mapping, "deals", about(world, "deals", values, company=company, person=person))
    assert found.ended == ended
    assert found.label == 'deal "Big"'
    assert found.account == Ref("acme", "companies", company)


def test_a_ticket_in_a_pipeline_of_the_accounts_own(
    world: HubSpotWorld, mapping: CrmMapping, company: str, person: str
) -> None:
    stages = {"Neu": {"ticketState": "OPEN"}, "Erledigt": {"ticketState": "CLOSED"}}
    pipeline, ids = world.portal.new_pipeline("tickets", "Kundendienst", stages)
    values = {"subject": "x", "hs_pipeline": pipeline, "hs_pipeline_stage": ids["Erledigt"]}
    ticket = about(world, "tickets", values, company=company, person=person)
    assert interaction(world, mapping, "tickets", ticket).ended == "closed"


def test_a_ticket_of_a_person_alone_belongs_to_their_company(
    world: HubSpotWorld, mapping: CrmMapping, company: str, person: str
) -> None:
    ticket = world.insert("tickets", {"subject": "x", "hs_pipeline": "0", "hs_pipeline_stage": "4"})
    world.portal.associate("tickets", ticket, "contacts", person)
    assert set(world.portal.associated("tickets", ticket, "companies")) == set()
    assert interaction(world, mapping, "tickets", ticket).account == Ref("acme", "companies", company)


def test_people_and_owners_are_read(world: HubSpotWorld, mapping: CrmMapping, company: str, person: str) -> None:
    found = pulled(world, mapping, "contacts", person)
    assert isinstance(found, Contact)
    assert (found.name, found.email, found.language) == ("Maria Virtanen", "maria@customer.example", "fi")
    assert found.account == Ref("acme", "companies", company)
    assert not found.no_surveys
    account = pulled(world, mapping, "companies", company)
    assert isinstance(account, Account)
    assert account.is_customer
    assert account.owner is not None
    owner = pulled(world, mapping, "owners", account.owner.id)
    assert isinstance(owner, Owner)
    assert (owner.name, owner.email, owner.active) == ("Olli Owner", "olli@acme.example", True)


def test_an_owner_who_has_left_is_read_as_inactive(world: HubSpotWorld, mapping: CrmMapping) -> None:
    gone = world.portal.add_owner("Lena Left", "lena@acme.example")
    world.portal.archive_owner(gone)
    found = pulled(world, mapping, "owners", gone)
    assert isinstance(found, Owner)
    assert not found.active


def test_a_merge_that_makes_a_new_company_leaves_two_traces(world: HubSpotWorld, mapping: CrmMapping) -> None:
    world.portal.configure(merges_make_new_ids=["companies"])
    one, two = world.company("One"), world.company("Two")
    survivor = world.portal.merge("companies", one, [two])
    assert survivor not in (one, two)
    told = {str(record.id): (record.deleted, record.merged_into) for record in records(world, mapping)}
    assert {key: told[key] for key in (one, two)} == {one: (True, survivor), two: (True, survivor)}
    assert told[survivor] == (False, None)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_written_is_seen_as_the_same(
    world: HubSpotWorld, mapping: CrmMapping, company: str, person: str
) -> None:
    write(world, mapping, "account", company, ACCOUNT)
    write(world, mapping, "contact", person, CONTACT)
    for target, object_name, record_id, values in (
        ("account", "companies", company, ACCOUNT),
        ("contact", "contacts", person, CONTACT),
    ):
        found = pulled(world, mapping, object_name, record_id)
        assert isinstance(found, Account | Contact)
        wanted = mapping.render(target, values)
        assert set(wanted) == set(found.shown) == mapping.names(target)
        assert [name for name in wanted if mapping.differs(target, name, wanted[name], found.shown[name])] == []


def test_our_checkbox_keeps_a_person_from_being_asked(world: HubSpotWorld, mapping: CrmMapping, person: str) -> None:
    world.update("contacts", person, {"afterword_no_surveys": True})
    found = pulled(world, mapping, "contacts", person)
    assert isinstance(found, Contact)
    assert found.no_surveys


def test_every_field_of_a_company_can_be_cleared(world: HubSpotWorld, mapping: CrmMapping, company: str) -> None:
    write(world, mapping, "account", company, ACCOUNT)
    write(world, mapping, "account", company, dict.fromkeys(ACCOUNT))
    found = pulled(world, mapping, "companies", company)
    assert isinstance(found, Account)
    assert set(found.shown.values()) == {None}


def the_task(world: HubSpotWorld, mapping: CrmMapping, company: str, person: str) -> WriteResult:
    values = {
        "subject": "Call Maria Virtanen by Fri 15:00: 1 of 5, ticket 123",
        "body": "She said: it is slow.\nhttps://feedback.acme.example/f/1",
        "priority": "high",
        "status": "open",
        "due": DUE.date(),
        "due_at": DUE,
    }
    fields = {mapping.crm_field("task", name): value for name, value in mapping.render("task", values).items()}
    related = (Ref("acme", "companies", company), Ref("acme", "contacts", person))
    external = (mapping.crm_field("task", "key"), "follow-up-1")
    (result,) = world.adapter.write([Write("follow-up-1", "tasks", fields, external=external, related=related)])
    assert result.error is None
    return result


@pytest.mark.parametrize("unique", [True, False])
def test_our_task_is_made_once_is_recognised_and_tells_its_end(
    world: HubSpotWorld, mapping: CrmMapping, company: str, *, person: str, unique: bool
) -> None:
    if not unique:
        forget_that_the_key_is_unique(world)
    results = [the_task(world, mapping, company, person) for _ in range(2)]
    assert [result.outcome for result in results] == ["created", "updated"]
    assert results[0].id == results[1].id
    task = str(results[0].id)
    assert set(world.portal.associated("tasks", task, "companies")) == {company}
    assert set(world.portal.associated("tasks", task, "contacts")) == {person}
    found = pulled(world, mapping, "tasks", task)
    assert isinstance(found, SeenTask)
    assert (found.key, found.open, found.outcome) == ("follow-up-1", True, None)
    world.pass_time()
    world.update("tasks", task, {"hs_task_status": "COMPLETED", mapping.crm_field("task", "outcome"): "Solved"})
    found = pulled(world, mapping, "tasks", task)
    assert isinstance(found, SeenTask)
    assert (found.open, found.outcome) == (False, "Solved")


def forget_that_the_key_is_unique(world: HubSpotWorld) -> None:
    """Let the account be one in which tasks have no unique properties."""
    tasks = world.portal.object("tasks").properties
    tasks["afterword_key"] = replace(tasks["afterword_key"], unique=False)
    world.adapter.describe("tasks")


def test_a_task_whose_first_answer_was_lost_is_not_made_twice(
    world: HubSpotWorld, mapping: CrmMapping, company: str, person: str
) -> None:
    forget_that_the_key_is_unique(world)
    world.portal.configure(search_lag_s=30)
    world.portal.faults.drop("after", path="/tasks/batch/create")
    with pytest.raises(Unavailable) as caught:
        the_task(world, mapping, company, person)
    assert not caught.value.not_sent
    assert the_task(world, mapping, company, person).outcome == "updated"
    assert world.living("tasks") == 1


def test_tasks_of_others_are_nothing_to_us(world: HubSpotWorld, mapping: CrmMapping) -> None:
    world.insert("tasks", {"hs_timestamp": world.clock.now(), "hs_task_subject": "Theirs"})
    assert [record for record in records(world, mapping) if record.object == "tasks"] == []
