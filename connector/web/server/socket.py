"""The socket of the web application: taken before anything else is done, so that a second process finds out at once."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from connector.errors import Problem, SettingsError
from connector.settings import Listen

_WAITING: Final = 2048
"""How many callers may wait before the first is answered."""
_TAKEN: Final = "is taken: another program, or another `afterword run`, listens there."
_STOP_IT: Final = "Stop the other one, or write another port."


@contextmanager
def listening(listen: Listen, file: str) -> Iterator[socket.socket]:
    """Listen at the address of [web] listen for as long as the block runs. `SettingsError`: it is taken, or not to be had."""
    try:
        server = _open(listen)
    except OSError as error:
        what, remedy = _explained(error)
        raise SettingsError([Problem(f"{file}: web.listen", f"{listen.host}:{listen.port} {what}", remedy)]) from error
    with server:
        yield server


def _open(listen: Listen) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    server = socket.socket(family, kind, protocol)
    try:
        # What a process that has just ended left behind in the kernel is no reason to wait.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        # At once: as long as nobody listens, another may bind to the same port.
        server.listen(_WAITING)
    except OSError:
        server.close()
        raise
    return server


def _explained(error: OSError) -> tuple[str, str]:
    """Return what keeps us from listening, and what to do about it."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "is no address of this machine.", 'Write "127.0.0.1:8080" behind a proxy, or "0.0.0.0:8080" for all.'
    if error.errno == errno.EADDRINUSE:
        return _TAKEN, _STOP_IT
    if error.errno == errno.EACCES:
        return "is where this user may not listen.", "Write a port of 1024 or more; a proxy can stand before it."
    return f"cannot be listened at: {error.strerror}.", "Write another address or port."
