"""How long a request may take to arrive: half a request is not waited for, and many of them keep nobody else out."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS: Final = 30.0
"""For the head and the body of a request, from when the connection, or the first byte of a further request, is there."""
MOST_HALF: Final = 256
"""Connections on which a request is not complete yet; of more, the one that has taken longest goes."""
MOST: Final = 1024
"""Connections and requests in all; who comes then is asked to come again (503)."""


def patient(seconds: float = SECONDS, most_half: int = MOST_HALF) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with an end to its patience, for one server."""
    half: dict[_Patient, None] = {}

    class Patient(_Patient):
        """Waits so long for a request."""

        patience = seconds
        waiting = half
        most_waiting = most_half

    return Patient


class _Patient(H11Protocol):
    """Ends connections on which a request takes too long to arrive."""

    patience: float
    waiting: "dict[_Patient, None]"
    """Those on which a request is not complete, the one that has waited longest first."""
    most_waiting: int

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_complete():
            self._wait_no_more()
        elif self._too_late is None:
            self._wait()

    def shutdown(self) -> None:
        cycle = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_complete:
            # It would be waited for to the last moment, and then be broken off with an error in the log.
            self._give_up()
            return
        super().shutdown()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The next request may have come with this one, as far as its head or a part of its body.
        if not self.cycle.response_complete and not self._is_complete() and self._too_late is None:
            self._wait()

    def _is_complete(self) -> bool:
        """Whether a request is here as a whole, and is being answered."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _wait(self) -> None:
        self._too_late = self.loop.call_later(self.patience, self._give_up)
        self.waiting[self] = None
        if len(self.waiting) > self.most_waiting:
            next(iter(self.waiting))._give_up()

    def _wait_no_more(self) -> None:
        self.waiting.pop(self, None)
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _give_up(self) -> None:
        self._wait_no_more()
        self.transport.close()
