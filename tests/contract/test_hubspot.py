"""The HubSpot adapter keeps the contract, over HTTPS, against an account that speaks the vendor's protocol."""

from collections.abc import Iterator

import pytest
from crm_contract import CrmContract
from world_hubspot import HubSpotWorld, PortalSwitch

from adapters.sandbox.server import RunningServer, running
from connector.clock import SteppedClock


@pytest.fixture(scope="module")
def portal_switch() -> PortalSwitch:
    """What the server serves: each test plugs in its own account."""
    return PortalSwitch()


@pytest.fixture(scope="module")
def portal_server(portal_switch: PortalSwitch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server, with a certificate of its own."""
    with running(portal_switch, cert_dir=tmp_path_factory.mktemp("certificates")) as server:
        yield server


class TestHubSpot(CrmContract):
    """See `CrmContract`."""

    @pytest.fixture
    def world(
        self, clock: SteppedClock, portal_switch: PortalSwitch, portal_server: RunningServer
    ) -> Iterator[HubSpotWorld]:
        world = HubSpotWorld(clock, portal_server)
        portal_switch.portal = world.portal
        yield world
        world.adapter.close()
