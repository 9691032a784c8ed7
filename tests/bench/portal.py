"""A pretend HubSpot to measure against, with its limits of speed lifted."""

import json
import math
from collections import Counter, deque
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce.org.seed import Sizes
from adapters.sandbox.web import App, Request, Response, json_response
from tests.bench.crm import Crm, Log, serve, served
from tests.bench.portal_rows import fill

FASTEST = 100_000
"""Calls in ten seconds. Afterword learns it from the answers, as it learns a real account's."""
_ASKED = "bench/asked"


@dataclass(frozen=True)
class Portal(Crm):
    """A pretend portal."""

    @property
    def connection(self) -> str:
        """See `Crm`."""
        return f'adapter = "hubspot"\nurl = "{self.url}"\naccess_token = "{self.access_token}"\n'

    @property
    def waits(self) -> bool:
        """Whether a lap waits: HubSpot does not announce how many searches it allows, so Afterword keeps to what is documented."""
        return True

    def calls(self, since: int) -> Log:
        """Return the calls to the API after a mark, each with its `body`."""
        bodies: dict[tuple[str, str], deque[str]] = {}
        for mark, method, path, body in self.control("GET", _ASKED):
            if mark >= since:
                bodies.setdefault((method, path), deque()).append(body)
        return [call | {"body": bodies[call["method"], call["path"]].popleft()} for call in super().calls(since)]

    def called(self, log: Log) -> Log:
        """Return the calls to the API."""
        return [call for call in log if call["kind"] in ("read", "write")]

    def reads(self, log: Log) -> int:
        """See `Crm`."""
        return sum(1 for call in log if _is_reading(call))

    def least(self, log: Log) -> int:
        """Return one for as many records of an object as a page holds (associations: a batch), and one for an object without any."""
        rows: Counter[str] = Counter()
        for call in log:
            if _is_reading(call):
                rows[call["path"]] += len(json.loads(call["body"])["inputs"]) if _is_links(call) else call["rows"]
        return sum(max(1, math.ceil(count / _most(path))) for path, count in rows.items())

    def bare_plan(self, log: Log) -> dict[str, Any]:
        """Return every call by which the lap read records, as it was sent."""
        asked = [[call["method"], call["path"], call["body"], not _is_links(call)] for call in log if _is_reading(call)]
        return {"asked": asked, "headers": {"Content-Type": "application/json"}}


def serving(sizes: Sizes) -> AbstractContextManager[Portal]:
    """Serve a portal of these sizes for the length of a `with` block."""
    return served("tests.bench.portal", Portal, sizes)


def _is_reading(call: dict[str, Any]) -> bool:
    """Tell if a call asks for records or their associations, and not for a description."""
    return call["kind"] == "read" and call["path"].startswith(("/crm/objects/", "/crm/associations/", "/crm/owners/"))


def _is_links(call: dict[str, Any]) -> bool:
    return str(call["path"]).startswith("/crm/associations/")


def _most(path: str) -> int:
    """Return how many records one call can bring, as HubSpot documents it."""
    if path.startswith("/crm/associations/"):
        return 1_000
    if path.startswith("/crm/owners/"):
        return 500
    return 200 if path.endswith("/search") else 100


class _Noting:
    """A portal that also keeps what it was sent: which mark its log had reached, method, path and body."""

    def __init__(self, portal: HubSpot) -> None:
        self._portal = portal
        self._asked: list[tuple[int, str, str, str]] = []

    def handle(self, request: Request) -> Response:
        if request.path == f"/{_ASKED}":
            return json_response(self._asked)
        if not request.path.startswith("/sandbox/"):
            self._asked.append((self._portal.log.mark(), request.method, request.target, request.body.decode()))
        return self._portal.handle(request)

    def http_date(self) -> str:
        return self._portal.http_date()


def _make(sizes: Sizes) -> tuple[App, dict[str, str]]:
    portal = HubSpot()
    portal.configure(burst=FASTEST, searches_per_s=0)
    fill(portal, sizes, datetime.now(UTC))
    return _Noting(portal), {"access_token": portal.access_token, "admin_token": portal.access_token}


if __name__ == "__main__":
    serve(_make)
