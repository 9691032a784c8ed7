"""The HubSpot adapter keeps the contract, over HTTPS, against an account that speaks the vendor's protocol."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from crm_contract import CrmContract
from world_hubspot import HubSpotWorld, PortalSwitch

from adapters.sandbox.server import RunningServer, running
from connector.clock import SteppedClock
from connector.ports import Needs


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

    def test_scopes_that_are_needed_and_missing_are_named(self, world: HubSpotWorld) -> None:
        needs: Needs = {
            "companies": frozenset({"read", "update"}),
            "tasks": frozenset({"read", "create", "update"}),
            "tickets": frozenset({"read"}),
        }
        assert world.adapter.missing_rights(needs) == []
        world.portal.oauth.tokens[world.portal.access_token] = replace(
            world.portal.oauth.tokens[world.portal.access_token],
            scopes=frozenset({"crm.objects.companies.read", "crm.objects.contacts.write", "tickets"}),
        )
        (right,) = world.adapter.missing_rights(needs)
        assert right.name == "the scope crm.objects.companies.write"
        assert "Service Keys" in right.remedy

    def test_of_a_key_that_hubspot_tells_nothing_about_nothing_is_missing(self, world: HubSpotWorld) -> None:
        world.portal.faults.fail(404, {"status": "error", "message": "resource not found"}, path="access-token-info")
        assert world.adapter.missing_rights({"companies": frozenset({"update"})}) == []
