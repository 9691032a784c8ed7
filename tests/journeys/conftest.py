"""The installations that the stories play in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House, standing

from connector.clock import SteppedClock


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path, clock: SteppedClock) -> Iterator[House]:
    """An installation that was never live, on a clock that stands still."""
    with standing(tmp_path, migrated_file, clock) as house:
        yield house


@pytest.fixture
def live(house: House) -> House:
    """An installation that went live on an empty org a minute ago."""
    assert house.lap().exit_code == 0
    house.mark()
    return house


@pytest.fixture
def today(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    """An installation on the machine's time, for commands run as processes of their own."""
    with standing(tmp_path, migrated_file) as house:
        yield house
