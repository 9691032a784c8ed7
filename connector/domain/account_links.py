"""When accounts of several CRMs are one customer: only where a mapping names a key that both share. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 500
"""A longer key is somebody's note: a domain has at most 253 characters. The index of PostgreSQL takes some 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class Linkable:
    """An account with a shared key, and the customer it is counted as now."""

    id: str
    connection: str
    customer: str


def link_key(text: str | None) -> str | None:
    """Return a shared key in the form in which it is compared; None when there is none.

    An address of a website is reduced to its domain, so that ``https://www.acme.example/en`` is ``acme.example``; anything else is
    compared without regard to case and space around it.
    """
    plain = (text or "").strip().casefold()
    if not plain or len(plain) > _LONGEST:
        return None
    host = _host(plain) if "." in plain and " " not in plain else None
    return host.removeprefix("www.").rstrip(".") if host else plain


def _host(plain: str) -> str | None:
    """Return an address's host; None for what only looks like an address, such as ``http://[acme.example``."""
    try:
        return urlsplit(plain if "//" in plain else f"//{plain}").hostname
    except ValueError:
        return None


def customer_of(group: Sequence[Linkable], known: Mapping[str, bool]) -> str | None:
    """Return the customer that all accounts of one key are; None when the key does not tell them apart.

    A key that several accounts of one CRM share (a group of companies with one website) links nothing. `known` tells which
    customers have figures already: one of those is kept, so that a newcomer joins and does not take over.
    """
    if len({account.connection for account in group}) < len(group) or len(group) < 2:
        return None
    customers = sorted(account.customer for account in group)
    return next((customer for customer in customers if known.get(customer)), min(account.id for account in group))
