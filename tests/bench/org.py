"""A pretend Salesforce to measure against."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.org.seed import Sizes, seed
from adapters.sandbox.web import App
from tests.bench.crm import SEED, Crm, Log, serve, served

MOST_PER_PAGE = 2_000
_CONNECTION = """\
adapter = "salesforce"
url = "{url}"
auth = "client_credentials"
client_id = "{client_id}"
client_secret = "{client_secret}"
"""


@dataclass(frozen=True)
class Org(Crm):
    """A pretend org."""

    client_id: str
    client_secret: str

    @property
    def connection(self) -> str:
        """See `Crm`."""
        return _CONNECTION.format(url=self.url, client_id=self.client_id, client_secret=self.client_secret)

    def called(self, log: Log) -> Log:
        """Return the calls below /services/data/: tokens are free."""
        return [call for call in log if call["path"].startswith("/services/data/")]

    def reads(self, log: Log) -> int:
        """See `Crm`."""
        return sum(1 for call in log if _is_reading(call))

    def least(self, log: Log) -> int:
        """Return one for each 2,000 records of an object, and one for an object without any."""
        rows: dict[str, int] = {}
        for call in log:
            if _is_reading(call):
                rows[call["sobject"]] = rows.get(call["sobject"], 0) + call["rows"]
        return sum(max(1, math.ceil(count / MOST_PER_PAGE)) for count in rows.values())

    def bare_plan(self, log: Log) -> dict[str, Any]:
        """Return the first page of each listing; the answers lead to the others."""
        headers = {"Sforce-Query-Options": "batchSize=2000"}
        return {"asked": [["GET", call["path"], "", True] for call in log if _is_listing(call)], "headers": headers}


def serving(sizes: Sizes) -> AbstractContextManager[Org]:
    """Serve an org of these sizes for the length of a `with` block."""
    return served("tests.bench.org", Org, sizes)


def _is_reading(call: dict[str, Any]) -> bool:
    """Tell if a call asks for records, and not for a description."""
    return call["kind"] == "read" and "/query" in call["path"]


def _is_listing(call: dict[str, Any]) -> bool:
    """Tell if a call begins a listing of changes."""
    return _is_reading(call) and "/queryAll?" in call["path"] and "ORDER" in call["path"].upper()


def _make(sizes: Sizes) -> tuple[App, dict[str, str]]:
    org = Salesforce()
    seed(org, seed=SEED, now=datetime.now(UTC), sizes=sizes)
    credentials = {"client_id": org.client.client_id, "client_secret": org.client.client_secret}
    return org, credentials | {"access_token": org.access_token, "admin_token": org.admin_token}


if __name__ == "__main__":
    serve(_make)
