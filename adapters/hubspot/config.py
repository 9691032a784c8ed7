"""What a connection to HubSpot is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from adapters.hubspot.pass_memory import OwnPasses
from connector.errors import Problem, SettingsError
from connector.ports import Budget, Passes, TokenVault

DEFAULT_URL = "https://api.hubapi.com"


@dataclass(frozen=True, slots=True)
class HubSpotConfig:
    """Where HubSpot's API is and how to sign in. The token is kept out of `repr`."""

    connection: str
    url: str
    """Without a slash at its end."""
    access_token: str = field(default="", repr=False)
    """Of a service key or a private app; neither runs out by itself."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    """Of a public app that was installed: exchanged for access tokens."""
    ca_bundle: str | None = None
    budget: Budget | None = field(default=None, repr=False)
    """Asked before each call; None: nothing is held back."""
    vault: TokenVault | None = field(default=None, repr=False)
    """Keeps what the refresh token was exchanged for; None: nobody does."""

    passes: Passes = field(default_factory=OwnPasses, repr=False)
    """Keeps when what is read only now and then was read last."""

    @classmethod
    def from_settings(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Build from plain values (the token revealed). `SettingsError` names everything that is missing or wrong."""
        problems = list(_problems(name, values))
        if problems:
            raise SettingsError(problems)
        return cls(
            connection=name,
            url=_url(values),
            ca_bundle=str(values["ca_bundle"]) if values.get("ca_bundle") else None,
            budget=values.get("budget"),
            vault=values.get("vault"),
            passes=values.get("passes") or OwnPasses(),
            **{key: _text(values, key) for key in _needed(values)},
        )

    @property
    def renews(self) -> bool:
        """Whether access tokens end, and are got with a refresh token."""
        return bool(self.refresh_token)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error."""
        return tuple(text for text in (self.access_token, self.client_secret, self.refresh_token) if text)


_REMEDIES: Mapping[str, str] = {
    "access_token": "Make a service key in HubSpot (Settings > Integrations > Service Keys), and write its token here.",
    "client_id": "It stands beside the app's settings in HubSpot.",
    "client_secret": "It stands beside the app's settings in HubSpot.",
    "refresh_token": "HubSpot gives it when the app is installed.",
}


def _needed(values: Mapping[str, Any]) -> tuple[str, ...]:
    by_app = values.get("auth") == "refresh_token"
    return ("client_id", "client_secret", "refresh_token") if by_app else ("access_token",)


def _text(values: Mapping[str, Any], key: str) -> str:
    return str(values.get(key) or "").strip()


def _url(values: Mapping[str, Any]) -> str:
    return str(values.get("url") or DEFAULT_URL).rstrip("/")


def is_sendable(secret: str) -> bool:
    """Tell whether a header can carry it, and everybody sees all of it."""
    return secret.isascii() and secret.isprintable() and " " not in secret


def _problems(name: str, values: Mapping[str, Any]) -> list[Problem]:
    where = f"config.toml: crm.{name}"
    found = []
    if not _url(values).startswith("https://"):
        found.append(Problem(f"{where}.url", "is not an https address.", f"Leave it out, or write {DEFAULT_URL}."))
    for key in _needed(values):
        text = _text(values, key)
        if not text:
            found.append(Problem(f"{where}.{key}", "is missing.", _REMEDIES[key]))
        elif not is_sendable(text):
            found.append(Problem(f"{where}.{key}", "holds characters that no token has.", "Copy it once more."))
    return found
