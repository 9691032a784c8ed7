"""The keys of a connection to HubSpot, and what its calls are made with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, field_validator

from adapters.hubspot.read_times import OwnReadTimes
from connector.domain.config.credentials import revealed
from connector.ports import (
    AdapterConfig,
    AdapterTools,
    Budget,
    FileKey,
    Missing,
    ReadTimes,
    SecretKey,
    TextKey,
    TokenVault,
    UrlKey,
    Wrong,
    check_sendable,
)

DEFAULT_URL = "https://api.hubapi.com"


class HubSpotAuth(StrEnum):
    """How a connection proves who it is."""

    TOKEN = "token"  # noqa: S105 - the name of the way, not a token
    """By a service key, or the token of a private app; neither runs out by itself."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105
    """By a public app that was installed."""


_NEEDED: Mapping[str, tuple[str, ...]] = {
    HubSpotAuth.TOKEN: ("access_token",),
    HubSpotAuth.REFRESH_TOKEN: ("client_id", "client_secret", "refresh_token"),
}
_OF_OTHERS = ("jwt", "client_credentials")
"""Ways of signing in that HubSpot's people look for after they have set Salesforce up."""


def _own_url(url: str) -> str:
    if not url.startswith("https://"):
        raise Wrong("is not an https address.", f"Leave it out, or write {DEFAULT_URL}.")
    return url


def _own_way(auth: object) -> object:
    if auth in _OF_OTHERS:
        raise Wrong("is for Salesforce.", "Remove it.")
    return auth


class HubSpotConfig(AdapterConfig):
    """The keys of HubSpot in [crm.NAME]."""

    url: Annotated[UrlKey, AfterValidator(_own_url)] = DEFAULT_URL
    auth: Annotated[HubSpotAuth, BeforeValidator(_own_way)] = HubSpotAuth.TOKEN
    client_id: TextKey | None = None
    client_secret: SecretKey | None = None
    access_token: SecretKey | None = None
    refresh_token: SecretKey | None = None
    """Of a public app that was installed: exchanged for access tokens."""
    ca_bundle: FileKey | None = None

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Missing]:
        """See `Table.rules`."""
        needed = _NEEDED[HubSpotAuth.REFRESH_TOKEN if cls.exchanges_token(written) else HubSpotAuth.TOKEN]
        return [Missing(key, "HubSpot needs it.") for key in needed if key not in written]

    @field_validator("client_id", "client_secret", "access_token", "refresh_token")
    @classmethod
    def _can_be_sent(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        """Judge what is sent; credentials of the other way to sign in may hold whatever they like."""
        if info.field_name in _NEEDED[info.data.get("auth", HubSpotAuth.TOKEN)]:
            check_sendable(value.get_secret_value() if isinstance(value, SecretStr) else value or "")
        return value

    @classmethod
    def exchanges_token(cls, written: Mapping[str, Any]) -> bool:
        """See `AdapterConfig.exchanges_token`."""
        return written.get("auth") == HubSpotAuth.REFRESH_TOKEN

    @property
    def given_token(self) -> SecretStr | None:
        """See `AdapterConfig.given_token`."""
        return self.refresh_token if self.auth is HubSpotAuth.REFRESH_TOKEN else None


@dataclass(frozen=True, slots=True)
class HubSpotAccess:
    """Where HubSpot's API is, how to sign in, and what calls need. Secrets are kept out of `repr`."""

    connection: str
    url: str
    """Without a slash at its end."""
    access_token: str = field(default="", repr=False)
    """Of a service key or a private app; empty for an app that was installed."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    """Of an app that was installed; empty for a service key."""
    ca_bundle: str | None = None
    budget: Budget | None = field(default=None, repr=False)
    vault: TokenVault | None = field(default=None, repr=False)
    read_times: ReadTimes = field(default_factory=OwnReadTimes, repr=False)

    @classmethod
    def of(cls, name: str, config: HubSpotConfig, tools: AdapterTools) -> Self:
        """Return what the connection of a name is made with."""
        renews = tools.admin is None and config.auth is HubSpotAuth.REFRESH_TOKEN
        token = tools.admin.token if tools.admin else revealed(config.access_token)
        return cls(
            connection=name,
            url=config.url,
            access_token="" if renews else token,
            client_id=(config.client_id or "") if renews else "",
            client_secret=revealed(config.client_secret) if renews else "",
            refresh_token=revealed(config.refresh_token) if renews else "",
            ca_bundle=str(config.ca_bundle) if config.ca_bundle else None,
            budget=tools.budget,
            vault=tools.vault,
            read_times=tools.read_times or OwnReadTimes(),
        )

    @property
    def renews(self) -> bool:
        """Whether access tokens end, and are got with a refresh token."""
        return bool(self.refresh_token)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error."""
        return tuple(text for text in (self.access_token, self.client_secret, self.refresh_token) if text)
