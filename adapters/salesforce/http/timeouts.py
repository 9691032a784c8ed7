"""How long Salesforce is waited for: to connect, for the next bytes, and for a whole answer; and how large one may be."""

from typing import Any

from urllib3.connection import HTTPSConnection

from connector.wire.limited import limit_answer

CONNECT_SECONDS = 5
READ_SECONDS = 60
TOTAL_SECONDS = 300
"""For an answer as a whole."""
MOST_BYTES = 64 << 20
"""Of an answer that is taken into memory. A page of 2,000 records has a few MB."""
MOST_BYTES_IN_A_FILE = 1 << 30
"""Of an answer that goes into a file, and of any answer as it is sent."""


class PatientConnection(HTTPSConnection):
    """A connection on which a whole answer has its time, from the moment at which it is waited for."""

    def getresponse(self) -> Any:
        """Wait for an answer; its body is read later, within the same time."""
        limit_answer(self, TOTAL_SECONDS, pause=READ_SECONDS, most=MOST_BYTES_IN_A_FILE)
        return super().getresponse()
