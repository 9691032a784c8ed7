"""A pretend CRM of a given size in a process of its own: what is measured shares no memory and no core time with it."""

import argparse
import json
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import requests

from adapters.sandbox.salesforce.org.seed import Sizes
from adapters.sandbox.server import running
from adapters.sandbox.web import App

SEED = 20
USUAL = Sizes(accounts=2_000, contacts=10_000, cases=5_000, calls=600, meetings=300, opportunities=300)
Log = list[dict[str, Any]]


def times(sizes: Sizes, factor: int) -> Sizes:
    """Return sizes that are so many times as large."""
    return Sizes(**{name: count * factor for name, count in asdict(sizes).items()})


@dataclass(frozen=True)
class Crm(ABC):
    """A pretend CRM at work: how to reach it as a CRM, and how to look behind it."""

    url: str
    ca_bundle: str
    access_token: str
    admin_token: str

    @property
    @abstractmethod
    def connection(self) -> str:
        """The lines of a config.toml by which it is reached, without those that all CRMs share."""

    @property
    def waits(self) -> bool:
        """Whether it has limits of speed that cannot be lifted, so that a lap stands still for most of its time."""
        return False

    @abstractmethod
    def called(self, log: Log) -> Log:
        """Return the calls that count against the CRM's limits."""

    @abstractmethod
    def reads(self, log: Log) -> int:
        """Return how many calls asked for records."""

    @abstractmethod
    def least(self, log: Log) -> int:
        """Return with how few calls these records could have been had."""

    @abstractmethod
    def bare_plan(self, log: Log) -> dict[str, Any]:
        """Return what a bare loop needs to fetch the same pages."""

    def rows(self, object_name: str) -> list[dict[str, Any]]:
        """Return all live records of an object."""
        found: list[dict[str, Any]] = self.control("GET", f"sandbox/rows/{object_name}")
        return found

    def row(self, object_name: str, record_id: str) -> dict[str, Any]:
        """Return one record."""
        found: dict[str, Any] = self.control("GET", f"sandbox/rows/{object_name}/{record_id}")
        return found

    def insert(self, object_name: str, values: dict[str, Any]) -> str:
        """Make a record; returns its id."""
        return str(self.control("POST", f"sandbox/rows/{object_name}", {"values": values})["id"])

    def mark(self) -> int:
        """Return the number of the last call."""
        return int(self.control("GET", "sandbox/state")["last_call"])

    def calls(self, since: int) -> Log:
        """Return the calls to the data API after a mark."""
        return self.called(self.control("GET", f"sandbox/log?since={since}"))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call what lies behind the CRM."""
        answer = self._session.request(method, f"{self.url}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # else a certificate bundle named by the environment would come first
        session.verify = self.ca_bundle
        return session


_Some = TypeVar("_Some", bound=Crm)


@contextmanager
def served(module: str, kind: type[_Some], sizes: Sizes) -> Iterator[_Some]:
    """Serve a CRM of these sizes for the length of a `with` block: `module` runs as a process, and calls `serve`."""
    command = [sys.executable, "-m", module, json.dumps(asdict(sizes))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield kind(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def serve(make: Callable[[Sizes], tuple[App, dict[str, str]]]) -> None:
    """Serve until SIGTERM what `make` returns; print the address and the credentials (as it returns them) when ready."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sizes", type=json.loads, help="how many records of each kind, as JSON")
    app, credentials = make(Sizes(**arguments.parse_args().sizes))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with running(app) as server:
        print(json.dumps({"url": server.url, "ca_bundle": str(Path(server.ca_bundle)), **credentials}), flush=True)
        stop.wait()
