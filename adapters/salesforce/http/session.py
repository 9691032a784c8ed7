"""The one HTTP session of a connection: pool, timeouts, certificates, and the count of calls."""

from threading import BoundedSemaphore
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from adapters.salesforce.http.meter import SalesforceMeter
from connector.wire import deadlines
from connector.wire.limited import bounded

_CHUNK = 1 << 16
MOST_BYTES_IN_A_FILE: Final = 1 << 30
"""Of an answer that goes into a file, and of any answer as it is sent."""
AT_ONCE = 4
"""Calls under way together. Salesforce lets small editions have 5 long ones, of all programs; what is over waits here, not there."""


class SalesforceSession(requests.Session):
    """A session that never waits for ever, and follows no redirect: an API that redirects has moved, or is a sign-in page."""

    def __init__(self, meter: SalesforceMeter, *, ca_bundle: str | None = None) -> None:
        super().__init__()
        self._meter = meter
        self._ca_bundle = ca_bundle
        self._places = BoundedSemaphore(AT_ONCE)
        self.mount("https://", _Adapter(pool_connections=4, pool_maxsize=16))
        # requests would replace the bearer header by an entry of ~/.netrc, unless the session has an auth of its own.
        self.auth = _leave_as_is

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send with our deadlines. The CA bundle of the settings comes before the one that the environment names."""
        kwargs["timeout"] = kwargs.get("timeout") or (deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS)
        kwargs["allow_redirects"] = False
        if self._ca_bundle:
            kwargs["verify"] = self._ca_bundle
        into_a_file = kwargs.get("stream")
        with self._places:
            response = super().send(request, **{**kwargs, "stream": True})
            if not into_a_file:
                _read_whole(response)
        self._meter.learn(response.headers.get("Sforce-Limit-Info"))
        return response


class _Connection(deadlines.PatientConnection):
    """An answer that goes into a file may be larger than one that is taken into memory."""

    most_bytes = MOST_BYTES_IN_A_FILE


class _Adapter(HTTPAdapter):
    """Hands out connections on which a whole answer has its time, through a proxy too."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.scheme == "https":
            pool.ConnectionCls = _Connection
        return pool


def _read_whole(response: requests.Response) -> None:
    """Take an answer into memory as the library does, unless it is too large: a few bytes may unpack to very many."""
    with response:
        response._content = b"".join(bounded(response.iter_content(_CHUNK), deadlines.MOST_BYTES))


def _leave_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
