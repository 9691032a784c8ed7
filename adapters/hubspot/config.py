"""What a connection to HubSpot is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from connector.errors import Problem, SettingsError
from connector.ports import Budget

DEFAULT_URL = "https://api.hubapi.com"


@dataclass(frozen=True, slots=True)
class HubSpotConfig:
    """Where HubSpot's API is and how to sign in. The token is kept out of `repr`."""

    connection: str
    url: str
    """Without a slash at its end."""
    access_token: str = field(repr=False)
    """Of a service key or a private app; neither runs out by itself."""
    ca_bundle: str | None = None
    budget: Budget | None = field(default=None, repr=False)
    """Asked before each call; None: nothing is held back."""

    @classmethod
    def from_settings(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Build from plain values (the token revealed). `SettingsError` names everything that is missing or wrong."""
        problems = list(_problems(name, values))
        if problems:
            raise SettingsError(problems)
        return cls(
            connection=name,
            url=_url(values),
            access_token=str(values["access_token"]).strip(),
            ca_bundle=str(values["ca_bundle"]) if values.get("ca_bundle") else None,
            budget=values.get("budget"),
        )


def _url(values: Mapping[str, Any]) -> str:
    return str(values.get("url") or DEFAULT_URL).rstrip("/")


def _problems(name: str, values: Mapping[str, Any]) -> list[Problem]:
    where = f"config.toml: crm.{name}"
    found = []
    if not _url(values).startswith("https://"):
        found.append(Problem(f"{where}.url", "is not an https address.", f"Leave it out, or write {DEFAULT_URL}."))
    token = str(values.get("access_token") or "").strip()
    if not token:
        remedy = "Make a service key in HubSpot (Settings > Integrations > Service Keys), and write its token here."
        found.append(Problem(f"{where}.access_token", "is missing.", remedy))
    elif not (token.isascii() and token.isprintable() and " " not in token):
        found.append(Problem(f"{where}.access_token", "holds characters that no token has.", "Copy it once more."))
    return found
