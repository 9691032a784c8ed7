"""Whoever said no, or was asked lately, is not asked because the CRM calls them something else now."""

import asking
import pytest
from lap_world import HOUR, LapWorld
from sqlalchemy import update

from connector.stages.invite import stage as invite
from connector.store import Store, tables
from connector.store.surveys import answers


@pytest.fixture
def account(world: LapWorld) -> str:
    return world.account()


@pytest.fixture
def maria(world: LapWorld, account: str) -> str:
    """A contact who was asked and wants no more surveys; the CRM does not know that yet."""
    contact = world.crm.contact(account, "Maria Virtanen")
    invitation = world.ask(account, contact)
    with world.store.write() as tx:
        assert answers.stop_surveys(tx, invitation, now=world.clock.now())
    return contact


def reasons(world: LapWorld, account: str, contact: str) -> list[str | None]:
    """Close a case of a contact, and return why they were not asked about it."""
    before = {row.id for row in world.rows(tables.decision)}
    case = world.crm.case(account, contact)
    world.clock.advance(HOUR)
    world.crm.close(case)
    world.lap()
    return [row.reason for row in world.rows(tables.decision) if row.id not in before]


def test_an_opt_out_outlasts_a_new_address(world: LapWorld, account: str, maria: str) -> None:
    world.crm.update(maria, {"Email": "maria.aho@customer.example"})
    assert reasons(world, account, maria) == ["opted_out"]


@pytest.mark.parametrize("told", [False, True])
def test_an_opt_out_outlasts_a_merge_and_is_shown_on_what_is_left(
    world: LapWorld, account: str, maria: str, told: bool
) -> None:
    other = world.crm.contact(account, "Maria Aho")
    if told:
        world.lap()
    world.crm.merge(other, maria)
    world.lap()
    assert reasons(world, account, other) == ["opted_out"]
    assert world.shows(other)["No_Surveys"] is True
    assert len(world.mailbox.messages) == 1


def test_others_are_asked_at_a_new_address_and_after_a_merge(world: LapWorld, account: str, maria: str) -> None:
    mika, other = (world.crm.contact(account, name) for name in ("Mika Laine", "Mikael Laine"))
    world.lap()
    world.crm.update(mika, {"Email": "mika@customer.example"})
    world.crm.merge(mika, other)
    world.lap()
    assert reasons(world, account, mika) == [None]


def test_the_quiet_period_outlasts_a_new_address_and_a_merge(store: Store) -> None:
    here = asking.world(store)
    here.limits = asking.limits(quiet_period="90d")
    here.person("anna")
    here.case("c1")
    here.case("c2", ["anna"])
    assert invite.run(here.context()).invited == 2
    here.change_row(tables.contact, "maria", email="new@oy.example", person="another")
    here.change_row(tables.contact, "anna", person=None)
    here.person("survivor")
    with here.store.write() as tx:  # what a merge does with what belonged to the loser
        tx.execute(
            update(tables.invitation).where(tables.invitation.c.contact_id == "anna").values(contact_id="survivor")
        )
    here.clock.advance(asking.DAY)
    here.case("c3")
    here.case("c4", ["survivor"])
    assert invite.run(here.context()).not_invited == {"quiet_period": 2}
