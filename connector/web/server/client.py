"""Where a request comes from, as far as it is to be told from others."""

import os
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from connector.surveys.tokens import Tokens

_THIS_MACHINE: Final = (ip_network("127.0.0.0/8"), ip_network("::1"))
_MAPPED: Final = 96
"""Bits before an IPv4 address in its IPv6 form."""
_ONE_SITE: Final = 64
"""Bits of an IPv6 address that tell one connection to the internet from others."""


def source_of(request: Request, tokens: Tokens) -> str:
    """Return a keyed hash of the network address; empty where there is none, as behind a socket of the machine."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        address = mapped or ip_network((address, _ONE_SITE), strict=False).network_address
    return tokens.keyed(f"source {address}")


def believed(proxies: Iterable[IPv4Network | IPv6Network]) -> list[str]:
    """Return whose ``X-Forwarded-For`` is believed, as uvicorn takes it: these, this machine, and what uvicorn's own variable names."""
    known = [form for network in (*_THIS_MACHINE, *proxies) for form in _forms(network)]
    named = [part.strip() for part in os.environ.get("FORWARDED_ALLOW_IPS", "").split(",") if part.strip()]
    return ["*"] if "*" in named else [*known, *named]


def _forms(network: IPv4Network | IPv6Network) -> Iterator[str]:
    """Yield a network as it shows at a socket: one that listens for both kinds of address has those of IPv4 in an IPv6 form."""
    yield str(network)
    if isinstance(network, IPv4Network):
        yield f"::ffff:{network.network_address}/{_MAPPED + network.prefixlen}"
