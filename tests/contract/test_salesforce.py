"""The Salesforce adapter keeps the contract, over HTTPS, against an org that speaks the vendor's protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_contract import CrmContract
from crm_contract_setup import wanted
from world_salesforce import SalesforceWorld, Switchboard

from adapters.sandbox.salesforce.setup import place_dynamically
from adapters.sandbox.server import RunningServer, running
from connector.runtime.clock import SteppedClock


class TestSalesforce(CrmContract):
    """See `CrmContract`."""

    @pytest.fixture
    def world(self, clock: SteppedClock, switchboard: Switchboard, server: RunningServer) -> Iterator[SalesforceWorld]:
        world = SalesforceWorld(clock, server)
        switchboard.org = world.org
        yield world
        world.adapter.close()

    def test_closing_ends_every_connection(self, clock: SteppedClock, switchboard: Switchboard, tmp_path: Path) -> None:
        with running(switchboard, cert_dir=tmp_path) as alone:
            world = SalesforceWorld(clock, alone)
            switchboard.org = world.org
            world.read()
            assert alone.server.connections() > 0
            world.adapter.close()
            assert alone.server.connections(seconds=5) == 0

    def test_fields_that_no_page_shows_are_named_with_the_way_there(self, world: SalesforceWorld) -> None:
        made = self.set_up(world)
        assert world.adapter.unseen(wanted(world)) == []
        layout = next(result for result in made if result.step.key.startswith("layout:"))
        assert all(result.done for result in world.adapter.apply_setup(world.adapter.plan_undo([layout])))
        (unseen,) = world.adapter.unseen(wanted(world))
        assert (unseen.object, unseen.page, unseen.fields[0]) == ("Account", "page layouts", "Customer mood")
        assert "Key" not in unseen.fields
        assert "Page Layouts" in unseen.path

    def test_a_page_with_fields_of_its_own_is_arranged_by_hand(self, world: SalesforceWorld) -> None:
        place_dynamically(world.org, "Account", "Care Page", ["Name", "afterword_mood__c"])
        steps = world.adapter.plan_setup(wanted(world))
        (by_hand,) = (step for step in steps if "Care Page" in step.sentence)
        assert by_hand.manual
        assert "Lightning App Builder > Care Page > Edit > Fields, drag in People, Summary" in by_hand.sentence
        self.set_up(world)
        (unseen,) = world.adapter.unseen(wanted(world))
        assert unseen.page == "Lightning page “Care Page” (Dynamic Forms)"
        assert unseen.fields[:2] == ("People", "Summary")

    def test_a_lightning_page_without_fields_of_its_own_shows_the_layout(self, world: SalesforceWorld) -> None:
        place_dynamically(world.org, "Account", "Plain Page", [])
        self.set_up(world)
        assert world.adapter.unseen(wanted(world)) == []
