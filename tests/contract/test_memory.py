"""The CRM in memory keeps the contract."""

import pytest
from crm_contract import CrmContract
from world_memory import MemoryWorld

from connector.runtime.clock import SteppedClock


class TestMemory(CrmContract):
    """See `CrmContract`."""

    @pytest.fixture
    def world(self, clock: SteppedClock) -> MemoryWorld:
        return MemoryWorld(clock)
