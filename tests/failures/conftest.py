"""Installations among real parts, as in the journeys: beside either CRM, live since a minute ago."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from environment import Environment, standing
from environment_hubspot import HubSpotEnvironment
from environment_renewing import Renewing

from connector.runtime.clock import SteppedClock

_H = TypeVar("_H", bound=Environment)


@pytest.fixture
def new_acme(tmp_path: Path, sqlite_address: str, clock: SteppedClock) -> Iterator[Environment]:
    """Beside a pretend Salesforce, before its first lap."""
    with standing(Environment, tmp_path, sqlite_address, clock) as env:
        yield env


@pytest.fixture
def new_hub(tmp_path: Path, sqlite_address: str, clock: SteppedClock) -> Iterator[HubSpotEnvironment]:
    """Beside a pretend HubSpot, before its first lap."""
    with standing(HubSpotEnvironment, tmp_path, sqlite_address, clock) as env:
        yield env


@pytest.fixture
def acme(new_acme: Environment) -> Environment:
    """Beside a pretend Salesforce."""
    return _live(new_acme)


@pytest.fixture
def hub(new_hub: HubSpotEnvironment) -> HubSpotEnvironment:
    """Beside a pretend HubSpot."""
    return _live(new_hub)


@pytest.fixture(params=["acme", "hub"])
def either(request: pytest.FixtureRequest) -> Environment:
    """Beside one CRM, then beside the other."""
    env: Environment = request.getfixturevalue(request.param)
    return env


@pytest.fixture(params=["new_acme", "new_hub"])
def either_new(request: pytest.FixtureRequest) -> Environment:
    """Beside one CRM, then beside the other, before the first lap."""
    env: Environment = request.getfixturevalue(request.param)
    return env


@pytest.fixture
def renewing(either_new: Environment) -> Renewing:
    """Beside one CRM, then beside the other, with access tokens that end and refresh tokens that are good once."""
    either_new.org.log.clear()
    return Renewing(either_new, either_new.ADAPTER)


def _live(env: _H) -> _H:
    assert env.lap().exit_code == 0
    env.mark()
    return env
