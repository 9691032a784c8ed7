"""An adapter on a pretend wire."""

from collections.abc import Iterator

import pytest
import urllib3
from connected import connected
from written_hubspot import TOKEN, SteppingClock, Wire

from adapters.hubspot import adapter
from adapters.hubspot.crm_adapter import HubSpotAdapter


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(
        urllib3.PoolManager, "request", lambda _, method, url, **rest: wire.request(method, url, **rest)
    )
    return wire


@pytest.fixture
def hub(wire: Wire, clock: SteppingClock) -> Iterator[HubSpotAdapter]:
    made = connected(adapter, "acme-hub", {"access_token": TOKEN}, clock)
    yield made
    made.close()
