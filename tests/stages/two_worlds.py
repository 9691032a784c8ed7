"""A live installation beside two CRMs in memory."""

from pathlib import Path

from lap_world import CONFIG, LapWorld

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.runtime.clock import SteppedClock
from connector.settings import load
from connector.stages.connection.connect import Endpoint
from connector.store import Store

OTHER = """
[crm.other]
adapter = "salesforce"
mode = "live"
url = "https://other.my.salesforce.com"
access_token = "x"
"""


class TwoWorlds(LapWorld):
    """Live beside two CRMs: `crm` and `other`."""

    def __init__(self, folder: Path, clock: SteppedClock, store: Store) -> None:
        self.other = MemoryCrm(clock)
        self.other_adapter = MemoryAdapter(self.other, "other", page_size=20)
        super().__init__(folder, clock, store)
        here, self.adapter, there = self.installation.endpoints, self.other_adapter, self.adapter
        self._set_up()
        self.adapter = there
        assert len(here) == 2

    def configure(self, rules: str) -> None:
        self._configured = {"rules": rules}
        path = self.folder / "config.toml"
        path.write_text(CONFIG + OTHER + rules, encoding="utf-8")
        settings = load(path, environ={}, adapters=installed_adapters())
        mappings = wiring.read_mappings(settings)
        endpoints = [
            Endpoint(name, adapter, mappings[name], mode_live=True, mapping_name="m")
            for name, adapter in (("acme", self.adapter), ("other", self.other_adapter))
        ]
        self.installation = wiring.build(
            settings, clock=self.clock, store=self.store, channel=self.mailbox, endpoints=endpoints
        )

    def on(self, crm: MemoryCrm, contact: str) -> dict[str, object]:
        """What our fields of a contact show."""
        row = crm.get(contact)
        return {name[10:-3]: value for name, value in row.items() if name.startswith("Afterword_") and value}
