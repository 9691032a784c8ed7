"""The installations that the stories play in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from environment import Environment, standing

from connector.runtime.clock import SteppedClock


@pytest.fixture
def env(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[Environment]:
    """An installation that was never live, on a clock that stands still."""
    with standing(Environment, tmp_path, store_address, clock) as env:
        yield env


@pytest.fixture
def live(env: Environment) -> Environment:
    """An installation that went live on an empty org a minute ago."""
    assert env.lap().exit_code == 0
    env.mark()
    return env


@pytest.fixture
def today(tmp_path: Path, store_address: str) -> Iterator[Environment]:
    """An installation on the machine's time, for commands run as processes of their own."""
    with standing(Environment, tmp_path, store_address) as env:
        yield env
