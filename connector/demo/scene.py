"""Everything that the demo consists of, started together and ended together."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.pages import Pages, show_to_everybody
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.seed import seed as fill
from adapters.sandbox.server import running
from connector import service, setting_up, wiring
from connector.clock import SteppedClock
from connector.demo import folder as project
from connector.demo.mail import Inbox, mail_server
from connector.demo.records import Records
from connector.demo.serving import bound_socket, port_of, served
from connector.errors import AfterwordError
from connector.stages.connect import Endpoint
from connector.stages.lap import Installation
from connector.store.migrate import migrate
from connector.web.app import create_app

BEGIN: Final = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
"""A Monday morning in Helsinki: the story is the same whenever it is told."""

OURS: Final = "Afterword_"
"""How the fields that the mapping names begin."""


class OrgClock(SandboxClock):
    """The pretend CRM's clock is the one that everybody shares."""

    def __init__(self, shared: SteppedClock) -> None:
        super().__init__(shared.now())
        self._shared = shared

    def now(self) -> datetime:
        """See `SteppedClock.now`."""
        return self._shared.now()

    def advance(self, step: timedelta) -> datetime:
        """See `SteppedClock.advance`."""
        return self._shared.advance(step)

    def set(self, moment: datetime) -> None:
        """See `SteppedClock.set`."""
        self._shared.set(moment)


@dataclass
class Scene:
    """A pretend CRM, a mail server, an installation of Afterword with its pages, and the one clock they share."""

    clock: SteppedClock
    org: Salesforce
    inbox: Inbox
    house: Installation
    records: Records
    began: datetime
    set_up: int
    """How many things `setup-crm` added to the CRM."""
    on_answer: Callable[[str], None] = field(default=lambda _customer: None)
    """Told about every answer on the survey page."""


@contextmanager
def scene(folder: Path, *, seed: int, accounts: int, stop: threading.Event) -> Iterator[Scene]:
    """Start everything on free ports of this machine, with a CRM that was set up; end it all with the block."""
    project.make_room(folder)
    clock = SteppedClock(BEGIN)
    org = Salesforce(OrgClock(clock))
    fill(org, seed=seed, accounts=accounts, now=clock.now())
    org.mount_pages(Pages(org))
    inbox = Inbox(clock)
    with ExitStack() as stack:
        crm = stack.enter_context(running(org, cert_dir=folder))
        mail_port = stack.enter_context(mail_server(inbox))
        web = bound_socket()
        stack.callback(web.close)
        where = project.Addresses(port_of(web), mail_port, crm.url, org.client.client_id, org.client.client_secret)
        house = stack.enter_context(_installation(project.write(folder, where), clock, stop))
        made = _set_up(house, org.admin_token)
        show_to_everybody(org, OURS)
        records = stack.enter_context(_reading(house))
        whole = Scene(clock, org, inbox, house, records, clock.now(), made)
        app = create_app(service.web_parts(house, lambda customer: whole.on_answer(customer)))
        stack.enter_context(served(app, web))
        yield whole


@contextmanager
def _installation(config: Path, clock: SteppedClock, stop: threading.Event) -> Iterator[Installation]:
    house = wiring.build(wiring.read_settings(config, {}), clock=clock, stop=stop)
    with ExitStack() as stack:
        stack.callback(house.store.close)
        for endpoint in house.endpoints:
            stack.callback(endpoint.adapter.close)
        if house.channel is not None:
            stack.callback(house.channel.close)
        migrate(house.store)
        yield house


def _set_up(house: Installation, admin_token: str) -> int:
    """Do what `setup-crm --admin-token-file` does, and return how many things were made."""
    endpoint = _only(house)
    settings = house.settings.connection(endpoint.name)
    user = endpoint.adapter.org().user
    admin = wiring.adapter_for(
        endpoint.name, settings, house.clock, auth="token", access_token=admin_token, integration_user=user
    )
    with closing(admin):
        steps = setting_up.plan(endpoint, admin)
        results = list(setting_up.apply(house.store, endpoint, admin, steps, clock=house.clock))
    failed = [result.error for result in results if result.error is not None]
    if failed:
        raise AfterwordError(f"the pretend CRM refused to be set up: {failed[0]}", where="demo", remedy="")
    return sum(1 for result in results if result.done)


@contextmanager
def _reading(house: Installation) -> Iterator[Records]:
    """Give a look at the CRM's records through an adapter of its own: what it says is what the CRM has, not what we kept."""
    endpoint = _only(house)
    adapter = wiring.adapter_for(endpoint.name, house.settings.connection(endpoint.name), house.clock)
    with closing(adapter):
        yield Records.of(endpoint, adapter)


def _only(house: Installation) -> Endpoint:
    return house.endpoints[0]
