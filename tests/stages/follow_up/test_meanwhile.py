"""What others do while a lap is at work: an admin presses the stop button, a customer says something."""

from collections.abc import Callable
from typing import Any

import pytest
from databases import BOTH_DATABASES, ON_POSTGRESQL
from lap_world import CSAT, UNHAPPY, LapWorld

from connector.model import Ref
from connector.stages.lap import Report
from connector.stages.write_back import fields
from connector.store import tables
from connector.store.crm.records import Absorber
from connector.store.ops import connections
from connector.store.outbox import fields as stored_fields
from connector.store.results import follow_up_facts


def meanwhile(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, happens: Callable[[], object]) -> None:
    """Let something happen once, as soon as a function has been called."""
    real, still = getattr(where, name), [happens]

    def instead(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        if still:
            still.pop()()
        return found

    monkeypatch.setattr(where, name, instead)


@pytest.fixture
def unhappy(world: LapWorld) -> str:
    """An account from which a bad answer waits to be taken in; its rep is to be told."""
    world.configure(CSAT + UNHAPPY + 'notify = ["account_owner"]\n')
    account = world.account()
    world.answer(world.ask(account, world.crm.contact(account, "Maria Virtanen")), 1)
    return account


def pause(world: LapWorld, crm: str | None = None) -> None:
    with world.store.write() as tx:
        connections.pause(tx, crm, world.clock.now(), "paused by hand")


def resume(world: LapWorld) -> Report:
    with world.store.write() as tx:
        connections.resume(tx, None)
    return world.lap()


@pytest.mark.parametrize("crm", [None, "acme"])
@BOTH_DATABASES
def test_a_lap_that_was_reading_when_it_was_paused_tells_nobody_and_writes_nothing(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch, crm: str | None
) -> None:
    before, mails = world.writes(), len(world.mailbox.messages)
    meanwhile(monkeypatch, world.adapter, "changes", lambda: pause(world, crm))
    assert world.lap().exit_code == 0
    assert (world.writes(), len(world.mailbox.messages)) == (before, mails)
    resume(world)
    assert world.shows(unhappy)["People"] == 1
    assert len(world.tasks()) == 1
    assert len(world.mailbox.messages) == mails + 1


@BOTH_DATABASES
def test_what_is_left_of_a_write_back_waits_when_it_is_paused(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, world.adapter, "write", lambda: pause(world))
    world.lap()
    assert world.shows(unhappy)["People"] == 1
    assert world.tasks() == []
    resume(world)
    assert len(world.tasks()) == 1


def say_no(world: LapWorld, contact: str) -> None:
    """As the survey page does when somebody wants no more surveys."""
    with world.store.write() as tx:
        stored_fields.set_desired(tx, Ref("acme", "Contact", contact), "contact", {"no_surveys": True})


@BOTH_DATABASES
def test_a_no_that_comes_in_while_records_are_compared_is_written(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lap()
    (contact,) = (row["Id"] for row in world.crm.all("Contact"))
    with world.store.write() as tx:
        stored_fields.compare_again(tx, "acme")
    plan = fields.plan

    def slow(mapping: Any, row: Any, now: Any) -> Any:
        if row.target == "contact":
            say_no(world, contact)
        return plan(mapping, row, now)

    monkeypatch.setattr(fields, "plan", slow)
    world.lap()
    monkeypatch.undo()
    world.lap()
    assert world.shows(contact)["No_Surveys"] is True


@ON_POSTGRESQL
@pytest.mark.parametrize("rated_before", [False, True])
def test_a_no_that_comes_in_while_the_record_is_read_is_written(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch, rated_before: bool
) -> None:
    contact = world.crm.contact(world.account(), "Maria Virtanen")
    if rated_before:
        world.crm.update(contact, {"Afterword_Last_Rating__c": "5 of 5"})
    world.lap()
    world.crm.update(contact, {"Afterword_Last_Rating__c": "typed by somebody"})
    outbox_records = Absorber._outbox_records

    def slow(self: Absorber, refs: list[str]) -> Any:
        found = outbox_records(self, refs)
        if f"Contact/{contact}" in refs:
            say_no(world, contact)
        return found

    monkeypatch.setattr(Absorber, "_outbox_records", slow)
    world.lap()
    monkeypatch.undo()
    world.lap()
    assert world.shows(contact)["No_Surveys"] is True


@ON_POSTGRESQL
def test_an_answer_that_comes_in_while_the_rules_look_at_another_one_is_looked_at_next(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.configure(CSAT + UNHAPPY + '[follow_up.lost]\nwhen = "csat <= 1"\n')
    world.lap()
    happy, sad = (world.ask(unhappy, world.crm.contact(unhappy, name)) for name in ("Mika Aho", "Aino Laine"))
    world.answer(happy, 5)
    meanwhile(monkeypatch, follow_up_facts, "last_opened", lambda: world.answer(sad, 1))
    world.lap()
    world.lap()
    assert len(world.tasks()) == 2
    assert {row.stale_at for row in world.rows(tables.customer_score)} == {None}
