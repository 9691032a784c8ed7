"""Requests to URLs that others gave us, in sessions that can reach neither private networks nor other hosts by redirect."""

import ipaddress
import socket
from collections.abc import Collection
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import requests
import structlog
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from connector.domain.config.web_addresses import is_loopback
from connector.wire.limited import limit_answer

log = structlog.get_logger("afterword")
MOST_BYTES: Final = 64 << 10
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 20
TOTAL_SECONDS: Final = 60
"""For an answer as a whole."""
_CHUNK: Final = 4 << 10


class NotAllowed(requests.ConnectionError):
    """The URL has no TLS, or leads into a private network that ``allow_hosts`` does not name."""


class ForeignSession(requests.Session):
    """A session for addresses from config.toml and hooks: https only, no redirect is followed, the address that a name has is looked
    at before it is used, and of an answer no more is taken in than it may have of size and time.

    `allow_hosts` may be asked without TLS and have private addresses; so may this machine, where an address names it itself.
    """

    def __init__(self, allow_hosts: Collection[str] = ()) -> None:
        super().__init__()
        self._allowed = frozenset(host.lower() for host in allow_hosts)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(self._allowed))
        # requests would send the password of an entry in ~/.netrc along.
        self.auth = _leave_as_is

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and take in what the answer begins with: its status is known by then, whatever else comes or does not.

        `NotAllowed`, or what requests raises.
        """
        parts = urlsplit(str(request.url))
        host = (parts.hostname or "").lower()
        if host not in self._allowed and not is_loopback(host):
            if _is_private(host):
                raise NotAllowed("the address is one of a private network")
            if parts.scheme != "https":
                raise NotAllowed("the address is not https")
            if select_proxy(str(request.url), kwargs.get("proxies") or {}) is not None:
                _look_up_for_proxy(host)
        timeout = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        kwargs |= {"allow_redirects": False, "stream": True, "timeout": timeout}
        with super().send(request, **kwargs) as response:
            response._content = _beginning(response)
        return response


def _look_up_for_proxy(host: str) -> None:
    """Look at the addresses that a name has here before a proxy is asked, which looks it up by itself. `NotAllowed`.

    Where this machine does not know the name, all that is left is what the proxy lets through.
    """
    try:
        addresses = _looked_up(host, 0)
    except (socket.gaierror, UnicodeError):
        return
    if not all(is_public(address) for address in addresses):
        raise NotAllowed("the name leads to a private address, which [web] allow_hosts does not name")


def _looked_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises what the resolver raises."""
    rows = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _beginning(response: requests.Response) -> bytes:
    beginning = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK):
            beginning += chunk
            if len(beginning) >= MOST_BYTES:
                break
    except requests.RequestException as error:
        log.info("an answer broke off", status=response.status_code, error=type(error).__name__)
    return bytes(beginning[:MOST_BYTES])


def _leave_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


# ── whom a name leads to ─────────────────────────────────────────────────────────────────────────────────────────────


def is_public(address: str) -> bool:
    """Whether an IP address is public: not of a private network, this machine or its cloud."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        if ip in _TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GIVEN_OUT:
            return False
    return ip.is_global and not ip.is_multicast


def _is_private(host: str) -> bool:
    """Whether a host is a private address itself, which a proxy would reach too."""
    try:
        return not is_public(host)
    except ValueError:
        return False


_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT: Final = ipaddress.ip_network("2000::/3")
"""What the internet uses of IPv6. What lies outside is local to somebody, be it in forms that are used no more (fec0::)."""


class _Checked(HTTPConnection):
    """A connection to an address that was looked at: whoever answers for a name may answer otherwise the next time."""

    allowed: ClassVar[frozenset[str]] = frozenset()

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        addresses = self._addresses(name)
        failure: Exception | None = None
        for address in addresses:
            try:
                self._dns_host = address
                return super()._new_conn()
            except NewConnectionError as error:
                failure = error
            finally:
                self._dns_host = name
        raise failure or NewConnectionError(
            self, "the name leads to a private address, which [web] allow_hosts does not name"
        )

    def getresponse(self) -> Any:
        """Wait for an answer: all of it, its head too, has its time."""
        limit_answer(self, TOTAL_SECONDS, pause=READ_SECONDS)
        return super().getresponse()

    def _addresses(self, name: str) -> list[str]:
        host = name.rstrip(".").lower()
        try:
            addresses = _looked_up(host, self.port or 0)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        if host in self.allowed:
            return addresses
        if is_loopback(host):
            return [address for address in addresses if ipaddress.ip_address(address).is_loopback]
        return [address for address in addresses if is_public(address)]


class _CheckedTls(_Checked, HTTPSConnection):
    """The same with TLS."""


class _Adapter(HTTPAdapter):
    """Hands out such connections; a proxy that this machine's environment names looks names up itself."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._kinds = {
            "https": type("Tls", (_CheckedTls,), {"allowed": allowed}),
            "http": type("Plain", (_Checked,), {"allowed": allowed}),
        }
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.proxy is None:
            pool.ConnectionCls = self._kinds[pool.scheme]
        return pool
