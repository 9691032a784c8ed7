"""The HubSpot adapter keeps the contract, over HTTPS, against an account that speaks the vendor's protocol."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from crm_contract import CrmContract
from world_hubspot import HubSpotWorld, PortalSwitch

from adapters.sandbox.server import RunningServer, running
from connector.errors import Unavailable
from connector.ports import Needs
from connector.runtime.clock import SteppedClock


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

    def test_closing_ends_every_connection(
        self, clock: SteppedClock, portal_switch: PortalSwitch, tmp_path: Path
    ) -> None:
        with running(portal_switch, cert_dir=tmp_path) as alone:
            world = HubSpotWorld(clock, alone)
            portal_switch.portal = world.portal
            world.read()
            assert alone.server.connections() > 0
            world.adapter.close()
            assert alone.server.connections(seconds=5) == 0

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

    def test_of_a_service_key_whose_scopes_no_address_tells_those_to_write_are_tried_out(
        self, world: HubSpotWorld
    ) -> None:
        needs: Needs = {
            "companies": frozenset({"read", "update"}),
            "contacts": frozenset({"read", "update"}),
            "tasks": frozenset({"read", "create", "update"}),
            "deals": frozenset({"read"}),
        }
        world.company()
        before = {name: world.portal.rows(name) for name in needs}
        key = world.portal.oauth.service_key({"crm.objects.companies.read", "crm.objects.contacts.write"})
        world.use(key)
        rights = world.adapter.missing_rights(needs)
        assert [right.name for right in rights] == ["the scope crm.objects.companies.write"]
        world.use(world.portal.oauth.service_key())
        assert world.adapter.missing_rights(needs) == []
        assert {name: world.portal.rows(name) for name in needs} == before

    def test_a_right_that_cannot_be_tried_out_now_is_not_taken_for_missing(self, world: HubSpotWorld) -> None:
        world.use(world.portal.oauth.service_key())
        world.portal.faults.fail(503, path="/batch/update", times=None)
        with pytest.raises(Unavailable):
            world.adapter.missing_rights({"companies": frozenset({"update"})})
