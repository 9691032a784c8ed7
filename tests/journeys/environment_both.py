"""One installation beside a pretend Salesforce and a pretend HubSpot at once."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from default_mappings import packaged
from environment import (
    LIMITS,
    RULES,
    Environment,
    Mail,
    Mailbox,
    OrgClock,
    _mail_server,
    _web,
    cases_alone,
    mapping_line,
)
from environment_hubspot import HubSpotEnvironment

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.server import RunningServer, SandboxServer
from adapters.sandbox.web import App
from connector.commands import setup_crm
from connector.runtime.clock import SteppedClock, SystemClock

LINKS = {"salesforce": 'link = "Website"', "hubspot": 'link = "domain"'}


@dataclass
class Line:
    """The line to one CRM, which can be cut."""

    app: App
    certificates: Path
    running: RunningServer = field(init=False)

    def __post_init__(self) -> None:
        self.running = SandboxServer(self.app, self.certificates).start()

    def cut(self) -> None:
        """Let nobody listen there any more."""
        self.running.stop()

    def mend(self) -> None:
        """Let the CRM be there again, where it was, with all that happened in it meanwhile."""
        self.running = SandboxServer(self.app, self.certificates, port=self.running.server.port).start()

    @property
    def crm(self) -> dict[str, str]:
        """Where the CRM is."""
        return {"url": self.running.url, "ca_bundle": str(self.running.ca_bundle)}


@dataclass
class TwoCrmEnvironment(Environment):
    """An installation with both CRMs: its own verbs are those of Salesforce, called acme; HubSpot's are in `hub`."""

    hub: HubSpotEnvironment = None  # type: ignore[assignment]  # given by name
    lines: dict[str, Line] = field(default_factory=dict)
    linking: tuple[str, ...] = ()
    """The adapters whose mapping says what links its accounts to those of the other CRM."""
    cases_alone: bool = False
    """Whether the mappings know cases and tickets only: HubSpot's limit of searches then holds up no lap on the machine's time."""

    def configure(self, rules: str = RULES, *, mode: str = "live", limits: str = LIMITS, extra: str = "") -> None:
        both = f"""{self._mapping(self)}
{extra}
[crm.hub]
mode = "{mode}"
url = "{self.hub.crm["url"]}"
ca_bundle = "{self.hub.crm["ca_bundle"]}"
{self.hub.signed_in}
{self._mapping(self.hub)}
"""
        super().configure(rules, mode=mode, limits=limits, extra=both)

    def set_up(self) -> None:
        super().set_up()
        endpoint, store = self.installation.endpoints[1], self.installation.store
        steps = setup_crm.plan(endpoint, endpoint.adapter)
        results = setup_crm.apply(store, endpoint, endpoint.adapter, steps, clock=self.clock)
        assert [result.error for result in results if result.error is not None] == []

    def link(self, *adapters: str, rules: str = RULES) -> None:
        """Let the mappings of these name what links accounts, and those of the others not."""
        self.linking = adapters
        self.configure(rules)

    def _mapping(self, env: Environment) -> str:
        adapter = env.ADAPTER
        text = packaged(adapter)
        if adapter in self.linking:
            assert text.count(f"# {LINKS[adapter]}") == 1
            text = text.replace(f"# {LINKS[adapter]}", LINKS[adapter])
        return mapping_line(env, cases_alone(text) if self.cases_alone else text)

    def mark_writes(self) -> None:
        super().mark_writes()
        self.hub.mark_writes()


def unsubscribe(mail: Mail) -> None:
    """Do what a mail program does when its reader presses "unsubscribe"."""
    found = re.search(r"<(https?://[^>]+)>", mail.unsubscribe)
    assert found is not None
    done = requests.post(found[1], data={"List-Unsubscribe": "One-Click"}, timeout=300)
    assert done.status_code == 200


@contextmanager
def standing_beside_both(
    folder: Path, store_url: str, clock: SteppedClock | None = None
) -> Iterator[TwoCrmEnvironment]:
    """Build everything up, for as long as the block runs. Without a clock, everybody follows the machine's time."""

    def time() -> SandboxClock:
        return OrgClock(clock) if clock is not None else SandboxClock()

    mailbox, present = Mailbox(), clock or SystemClock()
    org, portal = Salesforce(time()), HubSpot(time())
    with ExitStack() as stack:
        apps: dict[str, App] = {"acme": org, "hub": portal}
        lines = {}
        for name, app in apps.items():
            lines[name] = Line(app, folder / f"certificates-{name}")
            stack.callback(lines[name].cut)
        port = stack.enter_context(_mail_server(mailbox))
        hub = HubSpotEnvironment(folder, present, portal, lines["hub"].crm, mailbox, port, store_url)
        env = TwoCrmEnvironment(folder, present, org, lines["acme"].crm, mailbox, port, store_url, hub=hub, lines=lines)
        stack.callback(env.close)
        stack.enter_context(_web(env))
        env.set_up()
        env.note_renewals()
        hub.note_renewals()
        env.mark_crm()
        yield env
