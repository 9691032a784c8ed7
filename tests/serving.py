"""Serving an application over HTTP for as long as a test needs it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi.dependencies import models


@contextmanager
def serving(make: Callable[[str], Any], **options: Any) -> Iterator[None]:
    """Serve the application that `make` returns for its address until the block ends; `options` are uvicorn's."""
    config = uvicorn.Config("", host="127.0.0.1", port=0, ws="none", lifespan="off", log_config=None, **options)
    listening: socket.socket = config.bind_socket()
    config.app = make(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config.load()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=300)
        listening.close()
        _forget_applications()


def _forget_applications() -> None:
    """Let go of what FastAPI keeps of hundreds of applications: their routes, and with them all that these reach."""
    for kept in vars(models).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()
