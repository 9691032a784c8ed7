"""How long a client may take, and how much of the server it may hold: for a request to arrive, and for its answer to be read."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS: Final = 30.0
"""For the head and the body of a request, from when the connection is there or the last answer has gone out; and for a client to go on
reading an answer."""
MOST_WAITING: Final = 256
"""Connections on which it is the client's turn, to send a request or to read an answer. Of more, the one that waits longest goes."""
MOST: Final = 1024
"""Connections and requests in all; who comes then is asked to come again (503)."""
MOST_PIECES: Final = 1_000
"""Chunks in which a body may come: each one costs the loop that serves everybody as much time as hundreds of bytes."""
LARGEST_HEAD: Final = 16 * 1024
"""Bytes of a request's head, or of the lines behind a body in chunks."""


def patient(seconds: float = SECONDS, most_waiting: int = MOST_WAITING) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with an end to its patience, for one server."""
    waiting_clients: dict[_Patient, None] = {}

    class Patient(_Patient):
        """Waits so long for a client."""

        patience = seconds
        waiting = waiting_clients
        most = most_waiting

    return Patient


class _Requests(h11.Connection):
    """Refuses requests that are no browser's, and would cost much or mean two things."""

    _pieces = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = 0
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                # A proxy that goes by the length would take the rest for another request (RFC 9112 section 6.1).
                raise h11.RemoteProtocolError("a request with a length and in chunks")
        elif isinstance(event, h11.Data):
            self._pieces += 1
            if self._pieces > MOST_PIECES:
                raise h11.RemoteProtocolError("a body in very many chunks")
        return event


class _Patient(H11Protocol):
    """Ends connections on which a client takes too long."""

    patience: float
    waiting: "dict[_Patient, None]"
    """Those on which it is the client's turn, the one that has waited longest first."""
    most: int

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _Requests(h11.SERVER, LARGEST_HEAD)
        self._too_late: asyncio.TimerHandle | None = None
        self._is_stuck = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # In parts: h11 looks at the length of a head only while that is not complete.
        for start in range(0, len(data), LARGEST_HEAD):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + LARGEST_HEAD])
        self._look()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:  # what came before was answered already
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._is_stuck = True
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_stuck = False
        self._look()

    def shutdown(self) -> None:
        cycle = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_complete:
            # It would be waited for to the last moment, and then be broken off with an error in the log.
            self._give_up()
            return
        super().shutdown()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        """Wait for the client while it is its turn."""
        if self.transport.is_closing():
            return
        if self._is_answering():
            self._wait_no_more()
        elif self._too_late is None:
            self._wait()

    def _is_answering(self) -> bool:
        """Whether a request is here as a whole, is being answered, and the client reads the answer."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete and not self._is_stuck

    def _wait(self) -> None:
        self._too_late = self.loop.call_later(self.patience, self._give_up)
        self.waiting[self] = None
        if len(self.waiting) > self.most:
            next(iter(self.waiting))._give_up()

    def _wait_no_more(self) -> None:
        self.waiting.pop(self, None)
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _give_up(self) -> None:
        self._wait_no_more()
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # to close it would be to wait until the client has read everything
        else:
            self.transport.close()
