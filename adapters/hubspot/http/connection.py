"""Connections to HubSpot: an answer has its time, and is neither packed nor too large."""

from typing import Any

from urllib3.connectionpool import HTTPSConnectionPool

from connector.wire.deadlines import PatientConnection
from connector.wire.limited import TooLarge, Unreadable


class HubSpotConnection(PatientConnection):
    """The package reads an answer as a whole, and unpacks it: it must be known before how large it is."""

    def getresponse(self) -> Any:
        """Wait for an answer; its body is read later, within the same time."""
        response = super().getresponse()
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise Unreadable("the answer is packed, which nobody asked for.")
        if (response.length_remaining or 0) > self.most_bytes:
            response.close()
            raise TooLarge(self.most_bytes)
        return response


class HubSpotPool(HTTPSConnectionPool):
    """A pool of such connections."""

    ConnectionCls = HubSpotConnection
