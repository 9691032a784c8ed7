"""How long HubSpot is waited for: to connect, for the next bytes, and for a whole answer; and how large one may be."""

from typing import Any

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from connector.wire.limited import TooLarge, Unreadable, limit_answer

CONNECT_SECONDS = 5
READ_SECONDS = 60
TOTAL_SECONDS = 300
"""For an answer as a whole."""
MOST_BYTES = 64 << 20
"""Of an answer. A page of 200 records has a few MB."""


class PatientConnection(HTTPSConnection):
    """A connection on which a whole answer has its time, from the moment at which it is waited for."""

    def getresponse(self) -> Any:
        """Wait for an answer; its body is read later, within the same time."""
        limit_answer(self, TOTAL_SECONDS, pause=READ_SECONDS, most=MOST_BYTES)
        response = super().getresponse()
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise Unreadable("the answer is packed, which nobody asked for.")
        if (response.length_remaining or 0) > MOST_BYTES:
            response.close()
            raise TooLarge(MOST_BYTES)
        return response


class PatientPool(HTTPSConnectionPool):
    """A pool of such connections."""

    ConnectionCls = PatientConnection
