"""Web applications in threads of their own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

_LONGEST_START = 10.0
_GRACE_SECONDS = 2


def bound_socket() -> socket.socket:
    """Return a socket on a free port of this machine, so that its address is known before anything is served."""
    # Named, since asyncio turns Nagle's algorithm off only for what says that it is TCP; else each answer waits 40 ms for an ACK.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


def port_of(bound: socket.socket) -> int:
    """Return the port of a bound socket."""
    return int(bound.getsockname()[1])


@contextmanager
def served(app: FastAPI, bound: socket.socket) -> Iterator[None]:
    """Serve an application on a bound socket until the block ends, and wait for the answers under way."""
    config = uvicorn.Config(
        app, log_config=None, server_header=False, ws="none", lifespan="off", timeout_graceful_shutdown=_GRACE_SECONDS
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="demo-web", daemon=True)
    thread.start()
    try:
        _wait_for(server)
        yield
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _wait_for(server: uvicorn.Server) -> None:
    until = time.monotonic() + _LONGEST_START
    while not server.started:
        if time.monotonic() > until:
            raise TimeoutError("the web server did not start")
        time.sleep(0.01)
