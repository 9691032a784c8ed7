"""How to reach the mail server, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal

import requests

from connector.model import ascii_domain

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class MailOAuth:
    """Signing in with a token: Microsoft 365 and Google allow nothing else to most organisations."""

    token_url: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    """None: the client speaks for itself (the client credentials grant)."""
    scope: str | None = None
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    """How the token is asked for."""


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """One mail server, and in whose name we send."""

    host: str
    port: int
    security: Security
    from_name: str
    from_address: str
    reply_to: str | None = None
    ehlo_name: str = ""
    """The full name by which we greet the server; empty: the sender's domain."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    oauth: MailOAuth | None = None
    ca_bundle: Path | None = None
    """Certificates to trust instead of the system's."""


def config(values: Mapping[str, Any]) -> EmailConfig:
    """Read the values of ``[email]``, secrets in clear, by the names of the keys: host, from, and optionally port (587), security
    (starttls), username, password, reply_to, ehlo_name, ca_bundle and oauth (a table: token_url, client_id, client_secret,
    refresh_token, scope, and the session that it is asked for by).
    """
    name, address = parseaddr(values["from"])
    oauth = values.get("oauth")
    bundle = values.get("ca_bundle")
    return EmailConfig(
        host=values["host"],
        port=values.get("port", 587),
        security=values.get("security", "starttls"),
        from_name=name,
        from_address=address,
        reply_to=values.get("reply_to"),
        ehlo_name=values.get("ehlo_name") or _domain(address),
        username=values.get("username"),
        password=values.get("password"),
        oauth=MailOAuth(**oauth) if oauth else None,
        ca_bundle=Path(bundle) if bundle else None,
    )


def _domain(address: str) -> str:
    try:
        return ascii_domain(address.rpartition("@")[2])
    except ValueError:
        return "localhost"  # what is wrong with the address is said when it is used
