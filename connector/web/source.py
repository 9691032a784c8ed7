"""Where a request comes from, as far as it is to be told from others."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from connector.surveys.tokens import Tokens

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
