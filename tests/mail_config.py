"""A mail server as a test names it: by the keys of ``[email]``, with what matters to nobody left out."""

from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from adapters.email import EmailConfig, MailOAuth
from connector.model import ascii_domain


def mail_config(keys: Mapping[str, Any]) -> EmailConfig:
    """Return what the keys say; `ca_bundle` is no key, and names certificates to trust."""
    name, address = parseaddr(keys["from"])
    oauth, bundle = keys.get("oauth"), keys.get("ca_bundle")
    given = {key: value for key, value in keys.items() if key not in ("from", "oauth", "ca_bundle")}
    return EmailConfig(
        **{"port": 587, "security": "starttls", "ehlo_name": _ascii_domain(address), **given},
        from_name=name,
        from_address=address,
        oauth=MailOAuth(**oauth) if oauth else None,
        ca_bundle=Path(bundle) if bundle else None,
    )


def _ascii_domain(address: str) -> str:
    try:
        return ascii_domain(address.rpartition("@")[2])
    except ValueError:
        return "localhost"
