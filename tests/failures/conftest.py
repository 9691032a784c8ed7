"""Installations among real parts, as in the journeys: beside either CRM, live since a minute ago."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from house import House, standing
from house_hubspot import HubSpotHouse
from house_renewing import Renewing

from connector.clock import SteppedClock

_H = TypeVar("_H", bound=House)


@pytest.fixture
def new_acme(tmp_path: Path, sqlite_address: str, clock: SteppedClock) -> Iterator[House]:
    """Beside a pretend Salesforce, before its first lap."""
    with standing(House, tmp_path, sqlite_address, clock) as house:
        yield house


@pytest.fixture
def new_hub(tmp_path: Path, sqlite_address: str, clock: SteppedClock) -> Iterator[HubSpotHouse]:
    """Beside a pretend HubSpot, before its first lap."""
    with standing(HubSpotHouse, tmp_path, sqlite_address, clock) as house:
        yield house


@pytest.fixture
def acme(new_acme: House) -> House:
    """Beside a pretend Salesforce."""
    return _live(new_acme)


@pytest.fixture
def hub(new_hub: HubSpotHouse) -> HubSpotHouse:
    """Beside a pretend HubSpot."""
    return _live(new_hub)


@pytest.fixture(params=["acme", "hub"])
def either(request: pytest.FixtureRequest) -> House:
    """Beside one CRM, then beside the other."""
    house: House = request.getfixturevalue(request.param)
    return house


@pytest.fixture(params=["new_acme", "new_hub"])
def either_new(request: pytest.FixtureRequest) -> House:
    """Beside one CRM, then beside the other, before the first lap."""
    house: House = request.getfixturevalue(request.param)
    return house


@pytest.fixture
def renewing(either_new: House) -> Renewing:
    """Beside one CRM, then beside the other, with access tokens that end and refresh tokens that are good once."""
    either_new.org.log.clear()
    return Renewing(either_new, either_new.ADAPTER)


def _live(house: _H) -> _H:
    assert house.lap().exit_code == 0
    house.mark()
    return house
