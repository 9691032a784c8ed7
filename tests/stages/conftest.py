"""A live installation on a CRM in memory."""

from pathlib import Path

import pytest
from asking import World
from asking import world as asking_world
from lap_world import CSAT, UNHAPPY, LapWorld
from two_worlds import TwoWorlds

from connector.clock import SteppedClock
from connector.store import Store


@pytest.fixture
def here(store: Store) -> World:
    """Live, with one customer that has one contact, maria; nobody was asked yet."""
    return asking_world(store)


@pytest.fixture
def world(tmp_path: Path, clock: SteppedClock, store: Store) -> LapWorld:
    """Live since a lap ago, on an empty CRM."""
    world = LapWorld(tmp_path, clock, store)
    assert world.lap().exit_code == 0
    return world


@pytest.fixture
def both(tmp_path: Path, clock: SteppedClock, store: Store) -> TwoWorlds:
    """Live since a lap ago, beside two empty CRMs."""
    world = TwoWorlds(tmp_path, clock, store)
    world.configure(CSAT + UNHAPPY)
    assert world.lap().exit_code == 0
    return world
