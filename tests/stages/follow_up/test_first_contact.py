"""A call, a meeting or a mail with the person after the answer is the first contact."""

from datetime import datetime, timedelta
from typing import Any

import beginnings
import pytest
from beginnings import Begin
from databases import BOTH_DATABASES
from lap_world import DAY, HOUR, LapWorld

from connector.store import tables


@pytest.fixture
def world(begin: Begin) -> LapWorld:
    """An answer has just opened a follow-up."""
    return begin(beginnings.unhappy)


@pytest.fixture
def unhappy(world: LapWorld) -> tuple[str, str]:
    """Return the account of the follow-up and its contact."""
    account, contact = (row["Id"] for name in ("Account", "Contact") for row in world.crm.all(name))
    return account, contact


def first_contact(world: LapWorld) -> datetime | None:
    (row,) = world.rows(tables.follow_up)
    at: datetime | None = row.first_contact_at
    return at


@BOTH_DATABASES
def test_a_call_with_the_person_is_the_first_contact(world: LapWorld, unhappy: tuple[str, str]) -> None:
    account, contact = unhappy
    world.clock.advance(HOUR)
    world.crm.call(account, contact)
    called = world.clock.now()
    world.lap(HOUR)
    assert first_contact(world) == called.replace(microsecond=0)
    world.crm.call(account, contact)
    world.lap(HOUR)
    assert first_contact(world) == called.replace(microsecond=0)


def test_a_meeting_counts_when_it_has_been_held(world: LapWorld, unhappy: tuple[str, str]) -> None:
    account, contact = unhappy
    start = world.clock.now() + DAY
    world.crm.meeting(account, contact, start=start)
    world.lap(HOUR)
    assert first_contact(world) is None
    world.lap(DAY + HOUR)
    assert first_contact(world) == start + HOUR


@pytest.mark.parametrize("what", ["somebody else", "before the answer", "another account's"])
def test_what_is_no_contact_with_the_person_after_the_answer(
    world: LapWorld, unhappy: tuple[str, str], what: str
) -> None:
    account, contact = unhappy
    before: dict[str, Any] = {"at": world.clock.now() - DAY} if what == "before the answer" else {}
    if what == "somebody else":
        contact = world.crm.contact(account, "Aino Koski")
    elif what == "another account's":
        account = world.account("Other")
        contact = world.crm.contact(account, "Aino Koski")
    world.crm.call(account, contact, **before)
    world.lap(timedelta(hours=2))
    assert first_contact(world) is None
