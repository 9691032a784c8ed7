"""How long Salesforce is waited for: to connect, for the next bytes, and for a whole answer; and how large one may be."""

import io
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from urllib3.connection import HTTPSConnection

CONNECT_SECONDS = 5
READ_SECONDS = 60
TOTAL_SECONDS = 300
"""Bytes that come one by one, each in time, would hold up a lap for ever."""
MOST_BYTES = 64 << 20
"""Of an answer that is taken into memory. A page of 2,000 records has a few MB."""
MOST_BYTES_IN_A_FILE = 1 << 30
"""Of an answer that goes into a file, and of any answer as it is sent."""


class TooLarge(OSError):
    """An answer is larger than any that Salesforce would give."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the answer is larger than {most >> 20} MB.")


def bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield the chunks. `TooLarge`: together they are larger than `most`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise TooLarge(most)
        yield chunk


class PatientConnection(HTTPSConnection):
    """A connection on which a whole answer has its time, from the moment at which it is waited for."""

    def getresponse(self) -> Any:
        """Wait for an answer; its body is read later, within the same time."""
        bounded = _Bounded(self.sock, monotonic() + TOTAL_SECONDS)
        self.response_class = lambda _sock, *rest, **named: HTTPResponse(bounded, *rest, **named)  # type: ignore[arg-type, assignment]
        return super().getresponse()


class _Bounded:
    """A socket as far as an answer needs one: something to read from."""

    def __init__(self, sock: Any, ends: float) -> None:
        self._sock = sock
        self._ends = ends

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._sock.makefile(mode, buffering=0), self._ends))


class _Reader(io.RawIOBase):
    """Reads as long as there is time left."""

    def __init__(self, sock: Any, raw: Any, ends: float) -> None:
        self._sock = sock
        self._raw = raw
        self._ends = ends
        self._left = MOST_BYTES_IN_A_FILE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(min(left, READ_SECONDS))
        found: int | None = self._raw.readinto(buffer)
        self._left -= found or 0
        if self._left < 0:
            raise TooLarge(MOST_BYTES_IN_A_FILE)
        return found

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
