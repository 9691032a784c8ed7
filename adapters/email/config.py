"""How to reach the mail server."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import requests

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
    ehlo_name: str = "localhost"
    """The full name by which we greet the server."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    oauth: MailOAuth | None = None
    ca_bundle: Path | None = None
    """Certificates to trust instead of the system's."""
