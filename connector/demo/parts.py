"""The parts of the demo, started and ended together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.server import running
from adapters.sandbox.workplaces.crm import Crm, WorkplaceCompany
from adapters.sandbox.workplaces.hubspot import HubSpotCrm
from adapters.sandbox.workplaces.salesforce import SalesforceCrm
from connector.app import service, wiring
from connector.commands import setup_crm
from connector.demo import folder as project
from connector.demo.mail import Inbox, mail_server
from connector.demo.people import choose, has_opted_out, is_angry, is_scanned, is_silent
from connector.demo.records import RecordViewer
from connector.demo.serving import bound_socket, port_of, served
from connector.errors import AfterwordError
from connector.ports import AdapterTools, AdminToken, CrmAdapter
from connector.runtime.cancellation import CancellationToken
from connector.runtime.clock import SteppedClock
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.store.db.migrate import migrate
from connector.web.app import create_app

BEGIN: Final = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
"""A Monday morning in Helsinki: every run of the demo begins then."""


class CrmClock(SandboxClock):
    """A pretend CRM's clock is the one that everybody shares."""

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


@dataclass(frozen=True)
class Branch:
    """One CRM of the demo."""

    crm: Crm
    companies: Sequence[WorkplaceCompany]
    """The customers of the demo."""
    records: RecordViewer
    url: str
    """Where its API is served."""
    set_up: int
    """How many things `setup-crm` added to it."""


@dataclass
class DemoParts:
    """Two pretend CRMs, a mail server, an installation of Afterword with its pages, and the one clock they share."""

    clock: SteppedClock
    branches: Sequence[Branch]
    inbox: Inbox
    installation: Installation
    began: datetime
    on_answer: Callable[[str], None] = field(default=lambda _customer: None)
    """Called with the customer after every answer on the survey page."""

    @property
    def crms(self) -> list[Crm]:
        """Return the CRMs."""
        return [branch.crm for branch in self.branches]

    @property
    def shared(self) -> list[str]:
        """Return the domains of the demo's customers whom every CRM knows."""
        first, *others = [[company.account.domain for company in branch.companies] for branch in self.branches]
        return [domain for domain in first if all(domain in other for other in others)]


@contextmanager
def started_parts(folder: Path, *, seed: int, accounts: int, stop: CancellationToken) -> Iterator[DemoParts]:
    """Start everything on free ports of this machine, with CRMs that were set up; end it all with the block."""
    project.make_room(folder)
    clock = SteppedClock(BEGIN)
    filled = _filled_crms(CrmClock(clock), seed=seed, accounts=accounts)
    inbox = Inbox(clock)
    with ExitStack() as stack:
        urls = [(crm, stack.enter_context(running(crm, cert_dir=folder)).url) for crm, _ in filled]
        mail_port = stack.enter_context(mail_server(inbox))
        web = bound_socket()
        stack.callback(web.close)
        where = project.Addresses(port_of(web), mail_port, urls)
        installation = stack.enter_context(_installation(project.write(folder, where), clock, stop))
        branches = [
            stack.enter_context(_branch(installation, crm, companies, url))
            for (crm, companies), (_, url) in zip(filled, urls, strict=True)
        ]
        demo = DemoParts(clock, branches, inbox, installation, clock.now())
        mails = service.sign_in_mails(installation)
        stack.callback(mails.close)
        parts = service.web_parts(installation, lambda customer: demo.on_answer(customer), on_sign_in=mails.wake)
        app = create_app(parts)
        stack.enter_context(served(app, web))
        yield demo


def _filled_crms(clock: SandboxClock, *, seed: int, accounts: int) -> list[tuple[Crm, list[WorkplaceCompany]]]:
    """Fill the CRMs, and choose the customers of the demo; the first of them is known to both."""
    salesforce = SalesforceCrm(clock, seed=seed, accounts=accounts)
    salesforce_companies = choose(salesforce, (is_angry, is_silent, is_scanned, is_angry), seed=seed)
    shared = salesforce_companies[:1]
    hubspot = HubSpotCrm(
        clock, seed=seed, accounts=accounts, shared=[salesforce.known(company.account.ref.id) for company in shared]
    )
    hubspot_companies = choose(hubspot, (is_angry, has_opted_out, is_scanned), seed=seed, like=shared)
    return [(salesforce, salesforce_companies), (hubspot, hubspot_companies)]


@contextmanager
def _installation(config: Path, clock: SteppedClock, stop: CancellationToken) -> Iterator[Installation]:
    installation = wiring.build(wiring.read_settings(config, {}), clock=clock, stop=stop)
    with ExitStack() as stack:
        stack.callback(installation.store.close)
        for endpoint in installation.endpoints:
            stack.callback(endpoint.adapter.close)
        if installation.channel is not None:
            stack.callback(installation.channel.close)
        migrate(installation.store)
        yield installation


@contextmanager
def _branch(installation: Installation, crm: Crm, companies: Sequence[WorkplaceCompany], url: str) -> Iterator[Branch]:
    """Set a CRM up, and look at its records through an adapter of our own: what it says is what the CRM has, not what we kept."""
    endpoint = next(candidate for candidate in installation.endpoints if candidate.name == crm.name)
    crm.served_at(url)
    made_count = _set_up(installation, crm, endpoint)
    crm.show_our_fields()
    with closing(_adapter(installation, crm)) as adapter:
        yield Branch(crm, companies, RecordViewer.of(crm, endpoint, adapter), url, made_count)


def _set_up(installation: Installation, crm: Crm, endpoint: Endpoint) -> int:
    """Do what `setup-crm --admin-token-file` does, and return how many things were made."""
    with closing(_adapter(installation, crm, crm.as_admin(endpoint.adapter.org().user))) as admin:
        steps = setup_crm.plan(endpoint, admin)
        results = list(setup_crm.apply(installation.store, endpoint, admin, steps, clock=installation.clock))
    failed = [result.error for result in results if result.error is not None]
    marked = setup_crm.mark(installation.store, endpoint, base=installation.settings.base, clock=installation.clock)
    failed += [marked.error] if marked.error is not None else []
    if failed:
        raise AfterwordError(f"the pretend {crm.title} refused to be set up: {failed[0]}", where="demo", remedy="")
    return sum(1 for result in results if result.done)


def _adapter(installation: Installation, crm: Crm, admin: AdminToken | None = None) -> CrmAdapter:
    tools = AdapterTools(installation.clock, admin=admin)
    return wiring.adapter_for(crm.name, installation.settings.connection(crm.name), tools)
