"""A live installation on a CRM in memory."""

from pathlib import Path

import pytest
from asking import World
from asking import world as asking_world
from beginnings import Begin, Beginnings, Build, W, live
from lap_world import LapWorld
from two_worlds import TwoWorlds

from connector.runtime.clock import SteppedClock
from connector.store import Store


@pytest.fixture
def here(store: Store) -> World:
    """Live, with one customer that has one contact, maria; nobody was asked yet."""
    return asking_world(store)


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Beginnings:
    """What tests begin with, built once for each test process."""
    return Beginnings(tmp_path_factory.mktemp("beginnings"), migrated_file)


@pytest.fixture
def begin(tmp_path: Path, clock: SteppedClock, store: Store, beginnings: Beginnings) -> Begin:
    """Give the test a world as some steps leave it: on SQLite a copy, else one that has taken the steps."""

    def begin(build: Build[W], kind: type[W] = LapWorld) -> W:
        if store.is_sqlite:
            return beginnings.of(kind, build, clock.now()).twin(tmp_path, clock, store)
        world = kind(tmp_path, clock, store)
        build(world)
        return world

    return begin


@pytest.fixture
def world(begin: Begin) -> LapWorld:
    """Live since a lap ago, on an empty CRM."""
    return begin(live)


@pytest.fixture
def both(begin: Begin) -> TwoWorlds:
    """Live since a lap ago, beside two empty CRMs."""
    return begin(live, TwoWorlds)
