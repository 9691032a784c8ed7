"""The Salesforce adapter keeps the contract, over HTTPS, against an org that speaks the vendor's protocol."""

from collections.abc import Iterator

import pytest
from crm_contract import CrmContract
from world_salesforce import SalesforceWorld, Switchboard

from adapters.sandbox.server import RunningServer
from connector.clock import SteppedClock


class TestSalesforce(CrmContract):
    """See `CrmContract`."""

    @pytest.fixture
    def world(self, clock: SteppedClock, switchboard: Switchboard, server: RunningServer) -> Iterator[SalesforceWorld]:
        world = SalesforceWorld(clock, server)
        switchboard.org = world.org
        yield world
        world.adapter.close()
