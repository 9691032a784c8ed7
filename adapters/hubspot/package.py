"""All that HubSpot has of its own, as it is found by its entry point."""

from typing import TYPE_CHECKING, Final

from adapters.hubspot.config import HubSpotAccess, HubSpotConfig
from connector.ports import AdapterPackage, AdapterTools, PackagedText

if TYPE_CHECKING:
    from adapters.hubspot.crm_adapter import HubSpotAdapter

_INIT: Final = """\
# access_token_file = "hubspot-token.txt"  # a file with the service key, or AFTERWORD_CRM__HUBSPOT__ACCESS_TOKEN"""


def connect(name: str, config: HubSpotConfig, tools: AdapterTools) -> "HubSpotAdapter":
    """Return the adapter of a connection, without calling HubSpot yet."""
    from adapters.hubspot.crm_adapter import HubSpotAdapter

    return HubSpotAdapter(HubSpotAccess.of(name, config, tools), tools.clock)


adapter: Final = AdapterPackage(
    config=HubSpotConfig,
    connect=connect,
    default_mapping=PackagedText("mappings", "hubspot.toml"),
    init_snippet=_INIT,
)
