"""The keys of a connection to Salesforce, and what its calls are made with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from connector.domain.config.credentials import revealed
from connector.ports import (
    AdapterConfig,
    AdapterTools,
    Budget,
    FileKey,
    Missing,
    SecretKey,
    SentKey,
    SentSecretKey,
    TextKey,
    TokenVault,
    UrlKey,
    Wrong,
)


class SalesforceAuth(StrEnum):
    """How a connection proves who it is."""

    CLIENT_CREDENTIALS = "client_credentials"
    JWT = "jwt"
    TOKEN = "token"  # noqa: S105 - the name of the way, not a token
    REFRESH_TOKEN = "refresh_token"  # noqa: S105


_NEEDED: Mapping[str, tuple[str, ...]] = {
    SalesforceAuth.TOKEN: ("access_token",),
    SalesforceAuth.CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    SalesforceAuth.JWT: ("client_id", "username", "private_key"),
    SalesforceAuth.REFRESH_TOKEN: ("client_id", "refresh_token"),
}
_NEEDS_URL = 'Salesforce needs it: the address of your org, "https://NAME.my.salesforce.com".'


def _org_url(url: str) -> str:
    """The browser's address bar shows others than the API has."""
    parts = urlsplit(url)
    wrong = ""
    if parts.scheme != "https":
        wrong = "is not an https address."
    elif parts.path.strip("/") or parts.query or parts.fragment:
        wrong = "is the address of a page."
    elif (parts.hostname or "").endswith(".lightning.force.com"):
        wrong = "is the address of pages, not of the API."
    if wrong:
        raise Wrong(
            wrong, "Give the My Domain address alone, for instance https://acme.my.salesforce.com.", shown=False
        )
    return url


class SalesforceConfig(AdapterConfig):
    """The keys of Salesforce in [crm.NAME]; which credentials are there follows from `auth`."""

    url: Annotated[UrlKey, AfterValidator(_org_url)]
    """The My Domain address."""
    auth: SalesforceAuth = SalesforceAuth.TOKEN
    client_id: SentKey | None = None
    client_secret: SentSecretKey | None = None
    username: TextKey | None = None
    private_key: SecretKey | None = None
    """PEM text."""
    access_token: SentSecretKey | None = None
    refresh_token: SentSecretKey | None = None
    """Given when a user let the app in: exchanged for access tokens."""
    ca_bundle: FileKey | None = None

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        if "url" not in written:
            yield Missing("url", _NEEDS_URL)
        if "auth" not in written and "access_token" not in written:
            yield Wrong("is missing.", f"Write one of: {', '.join(SalesforceAuth)}.", at=("auth",))
            return
        auth = written.get("auth", SalesforceAuth.TOKEN)
        needed = _NEEDED.get(auth, ()) if isinstance(auth, str) else ()
        yield from (Missing(key, f'auth = "{auth}" needs it.') for key in needed if key not in written)

    @classmethod
    def exchanges_token(cls, written: Mapping[str, Any]) -> bool:
        """See `AdapterConfig.exchanges_token`."""
        return written.get("auth") == SalesforceAuth.REFRESH_TOKEN

    @property
    def given_token(self) -> SecretStr | None:
        """See `AdapterConfig.given_token`."""
        return self.refresh_token if self.auth is SalesforceAuth.REFRESH_TOKEN else None


@dataclass(frozen=True, slots=True)
class SalesforceAccess:
    """Where the org is, how to sign in, and what calls need. Secrets are kept out of `repr`."""

    connection: str
    url: str
    """The My Domain address, without a slash at its end."""
    auth: str
    """One of `SalesforceAuth`."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    private_key: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    ca_bundle: str | None = None
    budget: Budget | None = field(default=None, repr=False)
    vault: TokenVault | None = field(default=None, repr=False)
    integration_user: str = ""
    """User name that is to get the permissions, when somebody else's token sets the org up. Empty: whoever we act as."""

    @classmethod
    def of(cls, name: str, config: SalesforceConfig, tools: AdapterTools) -> Self:
        """Return what the connection of a name is made with."""
        admin = tools.admin
        return cls(
            connection=name,
            url=config.url,
            auth=SalesforceAuth.TOKEN if admin else config.auth,
            client_id=config.client_id or "",
            client_secret=revealed(config.client_secret),
            username=config.username or "",
            private_key=revealed(config.private_key),
            access_token=admin.token if admin else revealed(config.access_token),
            refresh_token=revealed(config.refresh_token),
            ca_bundle=str(config.ca_bundle) if config.ca_bundle else None,
            budget=tools.budget,
            vault=tools.vault,
            integration_user=admin.integration_user if admin else "",
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error."""
        return tuple(
            text for text in (self.client_secret, self.private_key, self.access_token, self.refresh_token) if text
        )
