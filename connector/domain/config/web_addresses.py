"""Web addresses and hosts as people write them into files."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from connector.domain.config.wrong import Wrong
from connector.model import ascii_domain


def url(text: str) -> str:
    """Read an https address; http is taken for this machine alone. A trailing slash is dropped."""
    parts = split_address(text)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not _is_reachable(parts.hostname)
    ):
        raise Wrong("is not a web address.", 'Write it in full, for example "https://www.acme.example".')
    if parts.username or parts.password:
        raise Wrong("holds a user name or password.", "Leave out what stands before the @.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Wrong("is not https.", "Write https://; http is accepted only for an address of this machine.")
    return text.strip().rstrip("/")


def split_address(text: str) -> SplitResult | None:
    """Return the parts of a web address; None where it is none."""
    if not text.isprintable() or " " in text.strip():
        return None
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts


def in_ascii(domain: str) -> str | None:
    """Return a domain as the DNS has it; None where there can be none of this name."""
    try:
        return ascii_domain(domain)
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """Whether a host name means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_reachable(name: str) -> bool:
    """Tell whether a host of an address is one that can be looked up: not `smtp..acme.example`."""
    return ":" in name or in_ascii(name) is not None
