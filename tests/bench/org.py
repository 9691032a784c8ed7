"""A pretend Salesforce of a given size in a process of its own: what is measured shares no memory and no core time with it."""

import argparse
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.seed import Sizes, seed
from adapters.sandbox.server import running

SEED = 20
USUAL = Sizes(accounts=2_000, contacts=10_000, cases=5_000, calls=600, meetings=300, opportunities=300)


def times(sizes: Sizes, factor: int) -> Sizes:
    """Return sizes that are so many times as large."""
    return Sizes(**{name: count * factor for name, count in asdict(sizes).items()})


@dataclass(frozen=True)
class Org:
    """The pretend org at work: how to reach it as a CRM, and how to look behind it."""

    url: str
    ca_bundle: str
    client_id: str
    client_secret: str
    access_token: str
    admin_token: str

    def rows(self, object_name: str) -> list[dict[str, Any]]:
        """Return all live records of an object."""
        found: list[dict[str, Any]] = self._control("GET", f"rows/{object_name}")
        return found

    def row(self, object_name: str, record_id: str) -> dict[str, Any]:
        """Return one record."""
        found: dict[str, Any] = self._control("GET", f"rows/{object_name}/{record_id}")
        return found

    def insert(self, object_name: str, values: dict[str, Any]) -> str:
        """Make a record; returns its id."""
        return str(self._control("POST", f"rows/{object_name}", {"values": values})["id"])

    def mark(self) -> int:
        """Return the number of the last call."""
        return int(self._control("GET", "state")["last_call"])

    def calls(self, since: int) -> list[dict[str, Any]]:
        """Return the calls to the data API after a mark."""
        log: list[dict[str, Any]] = self._control("GET", f"log?since={since}")
        return [call for call in log if call["path"].startswith("/services/data/")]

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # else a certificate bundle named by the environment would come first
        session.verify = self.ca_bundle
        return session


@contextmanager
def serving(sizes: Sizes) -> Iterator[Org]:
    """Serve an org of these sizes for the length of a `with` block."""
    command = [
        sys.executable,
        "-m",
        __name__ if __name__ != "__main__" else "tests.bench.org",
        json.dumps(asdict(sizes)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Org(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def main() -> None:
    """Serve until SIGTERM; print the address and the credentials when ready."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("sizes", type=json.loads, help="how many records of each kind, as JSON")
    sizes = Sizes(**arguments.parse_args().sizes)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    org = Salesforce()
    seed(org, seed=SEED, now=datetime.now(UTC), sizes=sizes)
    with running(org) as server:
        told = Org(
            url=server.url,
            ca_bundle=str(Path(server.ca_bundle)),
            client_id=org.client.client_id,
            client_secret=org.client.client_secret,
            access_token=org.access_token,
            admin_token=org.admin_token,
        )
        print(json.dumps(asdict(told)), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
