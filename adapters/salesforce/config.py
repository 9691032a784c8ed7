"""What a connection to Salesforce is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast
from urllib.parse import urlsplit

from connector.errors import Problem, SettingsError
from connector.ports import Budget, TokenVault

Auth = Literal["token", "client_credentials", "jwt", "refresh_token"]

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "token": ("access_token",),
    "client_credentials": ("client_id", "client_secret"),
    "jwt": ("client_id", "username", "private_key"),
    "refresh_token": ("client_id", "refresh_token"),
}


@dataclass(frozen=True, slots=True)
class SalesforceConfig:
    """Where the org is and how to sign in. Secrets are kept out of `repr`."""

    connection: str
    url: str
    """The My Domain address, without a slash at its end."""
    auth: Auth
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    private_key: str = field(default="", repr=False)
    """PEM text."""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    """Given when a user let the app in: exchanged for access tokens."""
    ca_bundle: str | None = None
    budget: Budget | None = field(default=None, repr=False)
    """Asked before each call; None: nothing is held back."""
    vault: TokenVault | None = field(default=None, repr=False)
    """Keeps what the refresh token was exchanged for; None: nobody does."""
    integration_user: str = ""
    """User name that is to get the permissions, when somebody else's token sets the org up. Empty: whoever we act as."""

    @classmethod
    def from_settings(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Build from plain values (secrets revealed). `SettingsError` names everything that is missing or wrong."""
        problems = list(_problems(name, values))
        if problems:
            raise SettingsError(problems)
        given = {key: str(values[key]).strip() for key in _TEXTS if values.get(key)}
        return cls(
            connection=name,
            url=str(values["url"]).rstrip("/"),
            auth=_auth(values),
            budget=values.get("budget"),
            vault=values.get("vault"),
            ca_bundle=str(values["ca_bundle"]) if values.get("ca_bundle") else None,
            **given,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error."""
        return tuple(
            text for text in (self.client_secret, self.private_key, self.access_token, self.refresh_token) if text
        )


_TEXTS = ("client_id", "client_secret", "username", "private_key", "access_token", "refresh_token", "integration_user")


_SENT = ("client_id", "client_secret", "access_token", "refresh_token")


def unsendable(secret: str) -> str:
    """Name the first character of a secret that no header can carry, or that nobody sees; empty: there is none."""
    return next((f"U+{ord(char):04X}" for char in secret if not "!" <= char <= "~"), "")


def _auth(values: Mapping[str, Any]) -> Auth:
    return cast(Auth, values.get("auth") or "token")


def _wrong_url(url: str) -> str:
    """Say what keeps an address from being the org's own, or nothing. The browser's address bar shows others than the API has."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "is not an https address."
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "is the address of a page."
    return "is the address of pages, not of the API." if (parts.hostname or "").endswith(".lightning.force.com") else ""


def _problems(name: str, values: Mapping[str, Any]) -> list[Problem]:
    where = f"config.toml: crm.{name}"
    found = []
    wrong = _wrong_url(str(values.get("url") or ""))
    if wrong:
        remedy = "Give the My Domain address alone, for instance https://acme.my.salesforce.com."
        found.append(Problem(f"{where}.url", wrong, remedy))
    auth = _auth(values)
    if auth not in _NEEDED:
        found.append(
            Problem(f"{where}.auth", f"{auth!r} is not a way to sign in.", f"Use one of {', '.join(_NEEDED)}.")
        )
    for key in _SENT:
        if odd := unsendable(str(values.get(key) or "").strip()):
            remedy = "Copy it again: nothing that stands before or behind it belongs to it."
            found.append(Problem(f"{where}.{key}", f"holds a character that none of them has ({odd}).", remedy))
    missing = [key for key in _NEEDED.get(auth, ()) if not values.get(key)]
    found += [Problem(f"{where}.{key}", "is missing.", f'auth = "{auth}" needs it.') for key in missing]
    return found
