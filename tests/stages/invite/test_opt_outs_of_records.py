"""An opt-out is the person's, and stays with the record: without an address, under another one, and through merges of every kind."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import HOUR, LapWorld

from connector.ports import Page
from connector.store import tables
from connector.store.surveys import answers


def unsubscribe(world: LapWorld, invitation: str) -> None:
    with world.store.write() as tx:
        assert answers.stop_surveys(tx, invitation, now=world.clock.now())


def is_asked(world: LapWorld, contact: str) -> bool:
    """Close a case of a contact, and tell whether somebody is asked about it."""
    before = len(world.mailbox.messages)
    case = world.crm.case(world.crm.get(contact)["AccountId"], contact)
    world.lap()
    world.crm.close(case)
    world.lap()
    world.lap(HOUR)
    return len(world.mailbox.messages) > before


@BOTH_DATABASES
@pytest.mark.parametrize("read_between", [True, False])
def test_an_opt_out_outlasts_a_merge_into_a_contact_without_an_address(world: LapWorld, *, read_between: bool) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    nameless = world.crm.contact(account, "M. Virtanen", Email=None)
    other = world.crm.contact(account, "Maria V.")
    unsubscribe(world, world.ask(account, maria))
    world.crm.merge(nameless, maria)
    if read_between:
        world.lap()
    world.crm.merge(other, nameless)
    world.lap()
    assert not is_asked(world, other)
    assert world.crm.get(other)["Afterword_No_Surveys__c"] is True


def test_a_contact_without_an_address_that_wants_no_surveys_passes_it_on(world: LapWorld) -> None:
    account = world.account()
    nameless = world.crm.contact(account, "M. Virtanen", Email=None, Afterword_No_Surveys__c=True)
    maria = world.crm.contact(account, "Maria Virtanen")
    world.lap()
    world.crm.merge(maria, nameless)
    world.lap()
    assert not is_asked(world, maria)


def test_a_box_that_nobody_has_ticked_needs_no_row_until_somebody_ticks_it(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen", Afterword_No_Surveys__c=False)
    world.lap()
    assert [row.ref for row in world.rows(tables.outbox_record) if row.target == "contact"] == []
    world.crm.update(maria, {"Afterword_No_Surveys__c": True})
    world.lap()
    assert not is_asked(world, maria)
    world.crm.update(maria, {"Afterword_No_Surveys__c": False, "LastName": "Aho"})
    world.lap()
    assert [row.actual for row in world.rows(tables.outbox_record) if row.target == "contact"] == [{}]
    assert world.lap().written["acme"].updated == 0


def test_an_opt_out_by_an_earlier_mail_holds_for_the_address_of_today(world: LapWorld) -> None:
    world.crm.hide("Contact", "Afterword_No_Surveys__c")
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    invitation = world.ask(account, maria)
    world.crm.update(maria, {"Email": "maria@new.example"})
    world.lap()
    unsubscribe(world, invitation)
    assert not is_asked(world, maria)


@BOTH_DATABASES
def test_an_opt_out_outlasts_a_time_without_an_address(world: LapWorld) -> None:
    world.crm.hide("Contact", "Afterword_No_Surveys__c")
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    unsubscribe(world, world.ask(account, maria))
    for address in (None, "maria@new.example"):
        world.crm.update(maria, {"Email": address})
        world.lap()
    assert not is_asked(world, maria)


def test_an_opt_out_outlasts_a_second_merge_of_a_record_that_was_restored(world: LapWorld) -> None:
    account = world.account()
    maria, wrong, right = (world.crm.contact(account, name) for name in ("Maria Virtanen", "Mario V.", "Maria V."))
    world.lap()
    world.crm.merge(wrong, maria)
    world.lap()
    world.crm.restore(maria)
    world.lap()
    unsubscribe(world, world.ask(account, maria))
    world.crm.merge(right, maria)
    world.lap()
    assert not is_asked(world, right)


def test_what_came_in_after_a_restore_moves_with_the_second_merge(world: LapWorld) -> None:
    lost, wrong, right = (world.account(name) for name in ("Northwind", "Southwind", "Northwind Oy"))
    world.lap()
    world.crm.merge(wrong, lost)
    world.lap()
    world.crm.restore(lost)
    world.lap()
    world.rated(lost, 1, who="Maria Virtanen")
    (task,) = world.tasks()
    world.crm.merge(right, lost)
    world.lap()
    world.lap(HOUR)
    assert [row.state for row in world.rows(tables.follow_up)] == ["open"]
    assert "Maria Virtanen" in world.shows(right)["Attention"]
    assert [open_task["Id"] for open_task in world.tasks()] == [task["Id"]]


def test_a_merge_that_was_taken_back_before_its_survivor_was_read_is_not_carried_out(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    world.lap()
    other, honest = world.crm.contact(account, "Mario V."), world.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            yield replace(page, records=[record for record in page.records if record.id != other])

    with monkeypatch.context() as unread:
        unread.setattr(world.adapter, "changes", changes)
        world.crm.merge(other, maria)
        world.lap()
        world.crm.restore(maria)
        world.lap()
    world.crm.touch(other)
    world.lap()
    assert [row.alias for row in world.rows(tables.binding) if row.kind == "contact"] == [False, False]
