"""The one HTTP session of a connection: pool, timeouts, certificates, and the count of calls."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from adapters.salesforce.meter import Meter

CONNECT_SECONDS = 5
READ_SECONDS = 60


class Session(requests.Session):
    """A session that never waits for ever, and follows no redirect: an API that redirects has moved, or is a sign-in page."""

    def __init__(self, meter: Meter, *, ca_bundle: str | None = None) -> None:
        super().__init__()
        self._meter = meter
        self._ca_bundle = ca_bundle
        self.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=16))
        # requests would replace the bearer header by an entry of ~/.netrc, unless the session has an auth of its own.
        self.auth = _leave_as_is

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send with our timeouts. The CA bundle of the settings comes before the one that the environment names."""
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        kwargs["allow_redirects"] = False
        if self._ca_bundle:
            kwargs["verify"] = self._ca_bundle
        limit_info = None
        try:
            response = super().send(request, **kwargs)
            limit_info = response.headers.get("Sforce-Limit-Info")
        finally:
            # Tokens are free; everything below /services/data/ counts against the org's day, answered or not.
            if request.path_url.startswith("/services/data/"):
                self._meter.count(limit_info)
        return response


def _leave_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
