"""The installations that the stories play in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House, standing

from connector.clock import SteppedClock


@pytest.fixture
def house(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[House]:
    """An installation that was never live, on a clock that stands still."""
    with standing(House, tmp_path, store_address, clock) as house:
        yield house


@pytest.fixture
def live(house: House) -> House:
    """An installation that went live on an empty org a minute ago."""
    assert house.lap().exit_code == 0
    house.mark()
    return house


@pytest.fixture
def today(tmp_path: Path, store_address: str) -> Iterator[House]:
    """An installation on the machine's time, for commands run as processes of their own."""
    with standing(House, tmp_path, store_address) as house:
        yield house
