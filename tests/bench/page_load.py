"""How many survey pages and answers a second, beside a page of FastAPI that does nothing, over 1 and over 16 connections."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench.answering import free_port, wait_for
from tests.bench.page_server import INVITATIONS, LINKS

SECONDS = 3.0
CONNECTIONS = (1, 16)
ROUNDS = 3
"""Of each, the two kinds in turn: the median counts."""
_FORM = "application/x-www-form-urlencoded"


@dataclass
class Load:
    """What was measured over some connections."""

    seconds: float
    took: list[float] = field(default_factory=list)
    """Of each request."""

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return len(self.took) / self.seconds


def load_figures(folder: Path) -> dict[str, Any]:
    """Measure, and return the figures: requests a second, of the bare page's, and how long the slowest in a hundred takes."""
    folder.mkdir()
    found: dict[str, Any] = {}
    with _serving("survey", folder) as survey, _serving("bare", folder) as bare:
        links = (folder / LINKS).read_text(encoding="utf-8").split()
        numbers = count()
        for method, request in (("get", _get), ("post", _post)):
            for connections in CONNECTIONS:
                loads: dict[int, list[Load]] = {survey: [], bare: []}
                for _ in range(ROUNDS):
                    for port, done in loads.items():
                        done.append(_load(port, connections, lambda request=request: request(links, next(numbers))))
                found[f"{method}, {connections}"] = _figures(loads[survey], loads[bare])
    return found


def _figures(survey: list[Load], bare: list[Load]) -> dict[str, Any]:
    took = [seconds for load in survey for seconds in load.took]
    a_second, bare_a_second = (median(load.per_second for load in loads) for loads in (survey, bare))
    p99 = quantiles(took, n=100)[-1]
    return {
        "per_second": round(a_second),
        "bare_per_second": round(bare_a_second),
        "of_bare": round(a_second / bare_a_second, 2),
        "median_ms": round(1000 * median(took), 2),
        "p99_ms": round(1000 * p99, 2),
        "p99_of_median": round(p99 / median(took), 1),
    }


def _get(links: list[str], number: int) -> bytes:
    return f"GET {links[number % INVITATIONS]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _post(links: list[str], number: int) -> bytes:
    """Return an answer that nobody has given yet: the words differ in each round."""
    body = f"rating={1 + number % 5}&comment=answer+{number}"
    head = f"Host: localhost\r\nContent-Type: {_FORM}\r\nContent-Length: {len(body)}\r\n"
    return f"POST {links[number % INVITATIONS]} HTTP/1.1\r\n{head}\r\n{body}".encode()


def _load(port: int, connections: int, request: Callable[[], bytes]) -> Load:
    """Ask over and over again by so many connections, each waiting for its answer, for some seconds."""
    load = Load(SECONDS)
    until = time.perf_counter() + SECONDS
    faults: list[Exception] = []

    def ask() -> None:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while (began := time.perf_counter()) < until:
                    connection.sendall(request())
                    _read_answer(connection)
                    load.took.append(time.perf_counter() - began)
        except (OSError, ValueError) as fault:
            faults.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return load


def _read_answer(connection: socket.socket) -> None:
    """Read one answer. Raises `ValueError` where it is none of success."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.lower().split(b"\r\n")
    if status.split()[1] not in (b"200", b"303"):
        raise ValueError(f"the page answered {status.decode()}")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    missing = length - len(body)
    while missing > 0:
        missing -= len(_received(connection))


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the page's server has closed the connection")
    return data


@contextmanager
def _serving(kind: str, folder: Path) -> Iterator[int]:
    """Run a server for the length of a `with` block; gives its port."""
    port = free_port()
    line = [sys.executable, "-m", "tests.bench.page_server", kind, str(port), str(folder)]
    with subprocess.Popen(line, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _listens(port), f"the {kind} page")
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
