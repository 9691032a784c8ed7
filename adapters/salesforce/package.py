"""All that Salesforce has of its own, as it is found by its entry point."""

from typing import TYPE_CHECKING, Final

from adapters.salesforce.config import SalesforceAccess, SalesforceConfig
from connector.ports import AdapterPackage, AdapterTools, PackagedText

if TYPE_CHECKING:
    from adapters.salesforce.crm_adapter import SalesforceAdapter

_INIT: Final = """\
url = "https://NAME.my.salesforce.com"     # your My Domain address
auth = "token"                             # for a first look; "client_credentials" does not run out
# access_token = ""                        # for token, or AFTERWORD_CRM__SALESFORCE__ACCESS_TOKEN
# client_id = ""                           # for client_credentials: the consumer key
# client_secret_file = "salesforce-secret.txt"   # and a file with the consumer secret"""


def connect(name: str, config: SalesforceConfig, tools: AdapterTools) -> "SalesforceAdapter":
    """Return the adapter of a connection, without calling Salesforce yet."""
    from adapters.salesforce.crm_adapter import SalesforceAdapter

    return SalesforceAdapter(SalesforceAccess.of(name, config, tools), tools.clock)


def normalise_id(text: str) -> str:
    """Return an id with 18 characters, the last three of which guard the case of the first 15: pages show either form."""
    from adapters.salesforce.records.soql import id18, is_id

    return id18(text) if is_id(text) else text


adapter: Final = AdapterPackage(
    config=SalesforceConfig,
    connect=connect,
    default_mapping=PackagedText("mappings", "salesforce.toml"),
    init_snippet=_INIT,
    normalise_id=normalise_id,
)
