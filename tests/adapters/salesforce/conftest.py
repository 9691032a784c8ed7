"""An adapter on a pretend wire: every answer is written by the test."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from connected import connected

from adapters.salesforce import adapter
from adapters.salesforce.crm_adapter import SalesforceAdapter
from connector.ports import AdminToken, Budget

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v64.0"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HTTP_NOON = "Fri, 20 Nov 2026 12:00:00 GMT"


class SteppingClock:
    """Stands still but for the naps that are taken by it."""

    def __init__(self) -> None:
        self.moment = NOON
        self.naps: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Wire:
    """Answers requests in the order the test lays down, and remembers them."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock

    def answer(
        self, method: str, path: str, body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Queue one answer for a method and path (without its query)."""
        url = path if path.startswith("https://") else f"{HOST}{path}" if path.startswith("/") else f"{DATA}/{path}"
        text = body if isinstance(body, str | Exception) else json.dumps(body)
        sent = {"Date": HTTP_NOON, **(headers or {})}
        self.mock.add(method, url, body=text, status=status, headers=sent, content_type="application/json")

    def refuse(self, method: str, path: str, code: str, message: str, *, status: int = 400) -> None:
        """Queue an error in Salesforce's form."""
        self.answer(method, path, [{"errorCode": code, "message": message, "fields": []}], status=status)

    def rows(
        self, *rows: dict[str, Any], done: bool = True, following: str | None = None, resource: str = "queryAll"
    ) -> None:
        """Queue a page of a query."""
        body = {"totalSize": len(rows), "done": done, "records": list(rows)}
        self.answer("GET", resource, body | ({"nextRecordsUrl": following} if following else {}))

    def describe(self, name: str, *fields: str | dict[str, Any]) -> None:
        """Queue a describe with the fields that most objects have, and these."""
        usual = ("Id", "SystemModstamp", "IsDeleted", "MasterRecordId") if name != "User" else ("Id", "SystemModstamp")
        self.answer(
            "GET", f"sobjects/{name}/describe", {"name": name, "fields": [_field(f) for f in (*usual, *fields)]}
        )

    @property
    def queries(self) -> list[str]:
        """The SOQL of every query sent."""
        asked = [urlsplit(url) for url in map(url_of, self.mock.calls)]
        return [parse_qs(url.query)["q"][0] for url in asked if "/query" in url.path and url.query]

    def bodies(self, path: str) -> list[Any]:
        """The JSON bodies sent to a path."""
        return [json.loads(call.request.body or b"") for call in self.mock.calls if url_of(call).endswith(path)]


def url_of(call: Any) -> str:
    """The address that a call went to."""
    return str(call.request.url)


def _field(field: str | dict[str, Any]) -> dict[str, Any]:
    given = {"name": field} if isinstance(field, str) else field
    return {"label": given["name"], "type": "string", "filterable": True, "updateable": True, "nillable": True} | given


@pytest.fixture
def wire() -> Iterator[Wire]:
    with responses.RequestsMock(registry=responses.registries.OrderedRegistry) as mock:
        yield Wire(mock)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


Connect = Callable[..., SalesforceAdapter]


@pytest.fixture
def connect(clock: SteppingClock) -> Iterator[Connect]:
    made: list[SalesforceAdapter] = []

    def build(budget: Budget | None = None, admin: AdminToken | None = None, **keys: Any) -> SalesforceAdapter:
        given = {"url": HOST, "auth": "token", "access_token": "00Dx!secret"} | keys
        made.append(connected(adapter, "acme", given, clock, budget=budget, admin=admin))
        return made[-1]

    yield build
    for each in made:
        each.close()


@pytest.fixture
def crm(connect: Connect) -> SalesforceAdapter:
    return connect()
