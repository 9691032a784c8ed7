"""What others do while a lap is at work: an admin presses the stop button, a customer says something."""

from collections.abc import Callable
from typing import Any

import pytest
from lap_world import CSAT, UNHAPPY, LapWorld

from connector.stages.lap import Report
from connector.store import connecting


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
    with world.store.write() as connection:
        connecting.pause(connection, crm, world.clock.now(), "paused by hand")


def resume(world: LapWorld) -> Report:
    with world.store.write() as connection:
        connecting.resume(connection, None)
    return world.lap()


@pytest.mark.parametrize("crm", [None, "acme"])
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


def test_what_is_left_of_a_write_back_waits_when_it_is_paused(
    world: LapWorld, unhappy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, world.adapter, "write", lambda: pause(world))
    world.lap()
    assert world.shows(unhappy)["People"] == 1
    assert world.tasks() == []
    resume(world)
    assert len(world.tasks()) == 1
