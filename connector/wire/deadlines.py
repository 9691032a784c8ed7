"""How long another machine is waited for: to connect, for the next bytes, and for a whole answer; and how large one may be."""

from typing import ClassVar, Final

from urllib3.connection import HTTPSConnection
from urllib3.response import HTTPResponse

from connector.wire.limited import limit_answer

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 60
TOTAL_SECONDS = 300
"""For an answer as a whole."""
MOST_BYTES: Final = 64 << 20
"""Of an answer that is taken into memory. A page of some thousand records has a few MB."""


class PatientConnection(HTTPSConnection):
    """A connection on which a whole answer has its time, from the moment at which it is waited for."""

    most_bytes: ClassVar[int] = MOST_BYTES
    """Of an answer as it is sent."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 itself overrides it
        """Wait for an answer; its body is read later, within the same time."""
        limit_answer(self, TOTAL_SECONDS, pause=READ_SECONDS, most=self.most_bytes)
        return super().getresponse()
