"""TinyCRM for Afterword, as somebody else would ship it: it needs nothing of Afterword but its ports."""

from collections.abc import Iterable, Mapping
from typing import Any

from afterword_tinycrm.adapter import TinyAdapter
from afterword_tinycrm.crm import servers
from connector.ports import (
    AdapterConfig,
    AdapterPackage,
    AdapterTools,
    Missing,
    PackagedText,
    SecretKey,
    TextKey,
    UrlKey,
)


class TinyConfig(AdapterConfig):
    """The keys of TinyCRM in [crm.NAME]."""

    server: UrlKey
    workspace: TextKey | None = None
    door_key: SecretKey | None = None

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Missing]:
        """See `Table.rules`."""
        if "door_key" not in written:
            yield Missing("door_key", "The workspace is locked.")


def connect(name: str, config: TinyConfig, tools: AdapterTools) -> TinyAdapter:
    """Return the adapter of a connection."""
    return TinyAdapter(name, config.server, servers[config.server], tools)


adapter = AdapterPackage(
    config=TinyConfig,
    connect=connect,
    default_mapping=PackagedText("afterword_tinycrm", "mapping.toml"),
    init_snippet='server = "https://tiny.example"\n# door_key_file = "door.key"',
    normalise_id=str.upper,
)
