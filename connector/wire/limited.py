"""Reading with one limit of time and size for a whole answer: bytes that trickle in, each in time, would block a lap for ever."""

import io
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from urllib3.connection import HTTPConnection


class Unreadable(OSError):
    """The answer is of a kind that is not read."""


class TooLarge(Unreadable):
    """The answer is larger than its limit."""

    def __init__(self, most: int, what: str = "answer") -> None:
        size = f"{most >> 20} MB" if most >> 20 else f"{most >> 10} KB"
        super().__init__(f"the {what} is larger than {size}.")


def bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield the chunks. `TooLarge`: together they are larger than `most`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise TooLarge(most)
        yield chunk


class LimitedReader(io.RawIOBase):
    """A reader of a socket with limits of time and size."""

    def __init__(self, sock: Any, *, mode: str = "rb", what: str = "answer") -> None:
        self._sock = sock
        self._raw = sock.makefile(mode, buffering=0)
        self._what = what
        self.limit(0)

    def limit(self, seconds: float, *, pause: float | None = None, most: int | None = None) -> None:
        """Let what comes from now on have so many seconds as a whole, and at most `pause` of them for the next bytes, and at most
        so many bytes; None: no more is asked of it."""
        self._ends = monotonic() + seconds
        self._pause = seconds if pause is None else pause
        self._most = self._left = most

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there. `TimeoutError`: the time is over; `TooLarge`."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError(f"the whole {self._what} took too long")
        self._sock.settimeout(min(left, self._pause))
        count: int | None = self._raw.readinto(buffer)
        if self._left is not None and self._most is not None:
            self._left -= count or 0
            if self._left < 0:
                raise TooLarge(self._most, self._what)
        return count

    def close(self) -> None:
        """Release the socket."""
        if not self.closed:
            self._raw.close()
        super().close()


def limit_answer(connection: HTTPConnection, seconds: float, *, pause: float, most: int | None = None) -> None:
    """Let the next answer on a connection, its head too, have these limits; see `LimitedReader.limit`. Its time begins now."""
    source = _Source(connection.sock, monotonic() + seconds, pause, most)
    connection.response_class = lambda _sock, *rest, **named: HTTPResponse(source, *rest, **named)  # type: ignore[arg-type, assignment]


class _Source:
    """A socket as far as an answer needs one: something to read from."""

    def __init__(self, sock: Any, ends: float, pause: float, most: int | None) -> None:
        self._sock = sock
        self._ends = ends
        self._pause = pause
        self._most = most

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return it as the library reads it."""
        reader = LimitedReader(self._sock, mode=mode)
        reader.limit(self._ends - monotonic(), pause=self._pause, most=self._most)
        return io.BufferedReader(reader)
