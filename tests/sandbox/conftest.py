"""The pretend CRMs on a clock that stands still, over HTTPS, as a connector's libraries see them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
import simple_salesforce
from hubspot import HubSpot as HubSpotClient
from hubspot_wire import Hub
from playwright.sync_api import Browser, sync_playwright

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.server import RunningServer, running

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class Http(requests.Session):
    """A session that trusts the sandbox alone and takes paths below the data API."""

    def __init__(self, url: str, ca_bundle: str, token: str | None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.verify = ca_bundle
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def api(self, method: str, path: str, *, version: str = "62.0", **options: object) -> requests.Response:
        return self.request(method, f"{self.url}/services/data/v{version}/{path}", timeout=300, **options)  # type: ignore[arg-type]

    def query(self, soql: str, *, deleted: bool = False) -> requests.Response:
        return self.api("GET", "queryAll" if deleted else "query", params={"q": soql})

    def found(self, soql: str, *, deleted: bool = False) -> list[dict]:  # type: ignore[type-arg]
        answer = self.query(soql, deleted=deleted)
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(START)


@pytest.fixture
def org(clock: SandboxClock) -> Salesforce:
    return Salesforce(clock)


@pytest.fixture
def server(org: Salesforce) -> Iterator[RunningServer]:
    with running(org) as server:
        yield server


@pytest.fixture
def http(server: RunningServer, org: Salesforce) -> Iterator[Http]:
    """The integration user."""
    with Http(server.url, str(server.ca_bundle), org.access_token) as session:
        yield session


@pytest.fixture
def admin(server: RunningServer, org: Salesforce) -> Iterator[Http]:
    """The administrator."""
    with Http(server.url, str(server.ca_bundle), org.admin_token) as session:
        yield session


@pytest.fixture
def anyone(server: RunningServer) -> Iterator[Http]:
    """Somebody without a token."""
    with Http(server.url, str(server.ca_bundle), None) as session:
        yield session


@pytest.fixture
def sf(server: RunningServer, org: Salesforce, http: Http) -> simple_salesforce.Salesforce:
    """The integration user through the vendor's usual Python package."""
    return simple_salesforce.Salesforce(
        session_id=org.access_token, instance_url=server.url, session=http, version="62.0"
    )


@pytest.fixture
def portal(clock: SandboxClock) -> HubSpot:
    return HubSpot(clock)


@pytest.fixture
def hub_server(portal: HubSpot) -> Iterator[RunningServer]:
    with running(portal) as server:
        yield server


@pytest.fixture
def hub(hub_server: RunningServer, portal: HubSpot) -> Iterator[Hub]:
    """A private app that may do everything, in a portal without limits."""
    portal.configure(burst=0, searches_per_s=0)
    with Hub(hub_server.url, str(hub_server.ca_bundle), portal.access_token) as session:
        yield session


@pytest.fixture
def hubspot(hub_server: RunningServer, portal: HubSpot) -> HubSpotClient:
    """The same through the vendor's Python package."""
    portal.configure(burst=0, searches_per_s=0)
    return HubSpotClient(access_token=portal.access_token, host=hub_server.url, ssl_ca_cert=str(hub_server.ca_bundle))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()
