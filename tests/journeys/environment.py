"""One whole installation among real parts: a pretend Salesforce over HTTPS, an SMTP server, the web application over HTTP."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from fastapi import FastAPI
from processes import Command, Done
from serving import serving
from settled import settle

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.log import LoggedCall
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.server import running
from adapters.sandbox.web import Request, Response
from connector.app import wiring
from connector.app.service import sign_in_mails, web_parts
from connector.commands import setup_crm
from connector.commands import status as statuses
from connector.commands import why as survey_log
from connector.model import MARK_KEY
from connector.ports import AdapterTools, AdminToken, Clock, CrmAdapter
from connector.runtime.clock import SteppedClock, SystemClock
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.lap import Report
from connector.web.app import create_app

AFTER_CASE = '[surveys.after-case]\non = "case.closed"\ndelay = "24h"\n'
UNHAPPY = '[follow_up.unhappy]\nwhen = "csat <= 2"\ndue = "24h"\npriority = "high"\n'
RULES = AFTER_CASE + UNHAPPY
LIMITS = 'quiet_period = "0s"\nminimum_gap = "0s"\naccount_cap = "1000 per 30d"\ndaily_sends = 100000\n'
SECRET = "a secret that is only good for this test, long enough"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LAG = timedelta(minutes=5)
"""How long both CRMs may hide what was written."""


class OrgClock(SandboxClock):
    """The CRM's clock is the installation's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now())
        self._shared = clock

    def now(self) -> datetime:
        """Return the shared present."""
        return self._shared.now()


@dataclass(frozen=True)
class Mail:
    """An e-mail that arrived."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    unsubscribe: str

    @property
    def survey(self) -> str:
        """The address of the survey page."""
        found = re.search(r"https?://\S+?/s/[^\s?\"<>)]+", self.text)
        assert found is not None, self.text
        return found[0]

    @property
    def links(self) -> list[str]:
        """Every address in it."""
        in_html = re.findall(r'(?:href|src|action)="(https?://[^"]+)"', self.html)
        in_text = re.findall(r"https?://[^\s<>]+", self.text + self.unsubscribe)
        return sorted({link.replace("&amp;", "&") for link in (*in_html, *in_text)})


@dataclass
class Mailbox:
    """The mail server's side: keeps what arrives, and does what a test asks it to do before it answers."""

    mails: list[Mail] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """By address: the answer to its RCPT."""
    answer: str = "250 taken"
    """To a message that has arrived."""
    on_rcpt: Callable[[str], None] = lambda _address: None
    on_mail: Callable[[Mail], None] = lambda _mail: None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.on_rcpt(address)
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        mail = _mail(envelope)
        self.mails.append(mail)
        self.on_mail(mail)
        return self.answer

    def to(self, address: str) -> list[Mail]:
        """Return what one person got."""
        return [mail for mail in self.mails if mail.to == address]


def _mail(envelope: Envelope) -> Mail:
    content = envelope.content
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=policy.default)
    bodies = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    return Mail(
        to=envelope.rcpt_tos[0],
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        text=bodies.get("text/plain", ""),
        html=bodies.get("text/html", ""),
        unsubscribe=str(message["List-Unsubscribe"] or ""),
    )


class Task(NamedTuple):
    """A follow-up task as the CRM has it."""

    key: str
    subject: str
    account: str
    contact: str


@dataclass
class Environment:
    """An installation in a folder, and verbs for everybody around it."""

    ADAPTER: ClassVar[str] = "salesforce"
    CRM: ClassVar[Callable[[SandboxClock], Any]] = Salesforce
    ACCOUNT: ClassVar[str] = "Account"
    CONTACT: ClassVar[str] = "Contact"

    folder: Path
    clock: Clock
    org: Salesforce
    crm: dict[str, str]
    """Where the CRM is: its url and ca_bundle."""
    mailbox: Mailbox
    mail_port: int
    store_url: str
    web: str = ""
    installation: Installation = None  # type: ignore[assignment]  # set by `configure`
    answered: list[str] = field(default_factory=list)
    trouble: Callable[[], str] = lambda: ""
    """What the pages are told of the service behind them."""
    renewals: set[int] = field(default_factory=set)
    """The numbers of the calls that renewed the installation's mark, which is nobody's record."""
    _mark: int = 0

    # ── the admin ──

    def configure(self, rules: str = RULES, *, mode: str = "live", limits: str = LIMITS, extra: str = "") -> None:
        """Write config.toml anew, and start again with it."""
        text = f"""
[store]
url = "{self.store_url}"
[web]
public_url = "{self.web}"
secret = "{SECRET}"
[email]
host = "127.0.0.1"
port = {self.mail_port}
security = "none"
from = "Acme Care <care@acme.example>"
[crm.acme]
mode = "{mode}"
url = "{self.crm["url"]}"
ca_bundle = "{self.crm["ca_bundle"]}"
{self.signed_in}
{extra}
[limits]
{limits}
{rules}"""
        self.write_config(text)
        self.restart()

    @property
    def signed_in(self) -> str:
        """What config.toml says of the adapter, and of how it signs in."""
        return f"""adapter = "salesforce"
auth = "client_credentials"
client_id = "{self.org.client.client_id}"
client_secret = "{self.org.client.client_secret}\""""

    def write_config(self, text: str) -> None:
        """Put a config.toml in place."""
        self.config.write_text(text, encoding="utf-8")

    @property
    def config(self) -> Path:
        """Where config.toml lies."""
        return self.folder / "config.toml"

    def restart(self) -> None:
        """Begin again from what lies on disk."""
        self.close()
        self.installation = wiring.build(wiring.read_settings(self.config, {}), clock=self.clock)

    def close(self) -> None:
        """Let go of everything."""
        if self.installation is None:
            return
        for endpoint in self.installation.endpoints:
            endpoint.adapter.close()
        if self.installation.channel is not None:
            self.installation.channel.close()
        self.installation.store.close()

    def set_up(self) -> None:
        """Make our fields in the CRM, with an admin's token."""
        endpoint, store = self.installation.endpoints[0], self.installation.store
        with self.admin() as admin:
            results = setup_crm.apply(store, endpoint, admin, setup_crm.plan(endpoint, admin), clock=self.clock)
            assert [result.error for result in results if result.error is not None] == []

    @contextmanager
    def admin(self) -> Iterator[CrmAdapter]:
        """An adapter that acts with an admin's rights."""
        settings = self.installation.settings.connection("acme")
        user = self.installation.endpoints[0].adapter.org().user
        tools = AdapterTools(self.clock, admin=AdminToken(self.org.admin_token, user))
        with closing(wiring.adapter_for("acme", settings, tools)) as adapter:
            yield adapter

    def note_renewals(self) -> None:
        """Tell the calls that renew the installation's mark from others."""
        real = self.org.handle

        def handle(request: Request) -> Response:
            answer = real(request)
            if b"renewed: " in request.body:
                self.renewals.add(self.org.log.mark())
            return answer

        self.org.handle = handle  # type: ignore[method-assign]

    def mark_crm(self) -> None:
        """Mark the CRM as this installation's, as the end of `setup-crm` does, long enough ago for its lag."""
        at = SteppedClock(self.clock.now() - 2 * LAG)
        for endpoint in self.installation.endpoints:
            state = setup_crm.mark(self.installation.store, endpoint, base=self.folder, clock=at)
            assert state.error is None

    def command(self, *words: str) -> Done:
        """Run one command of the product as a process of its own, on the machine's time."""
        return self.start(*words).done()

    def start(self, *words: str) -> Command:
        """Begin a command."""
        return Command(self.folder, [*words, "-c", str(self.config)])

    # ── time ──

    def advance(self, step: timedelta) -> None:
        """Let time pass."""
        assert isinstance(self.clock, SteppedClock)
        self.clock.advance(step)

    def lap(self, stages: tuple[lap.Stage, ...] = lap.ALL) -> Report:
        """Run one lap."""
        return lap.run(self.installation, stages=stages)

    def later(self, step: timedelta) -> Report:
        """Let time pass and run a lap."""
        self.advance(step)
        return self.lap()

    # ── people at work in the CRM ──

    def rep(self, name: str, email: str) -> str:
        """Hire somebody who owns accounts."""
        return self.org.add_user(name, email)

    def account(self, name: str, kind: str = "Customer", owner: str | None = None) -> str:
        """Make an account."""
        return self.org.insert("Account", {"Name": name, "Type": kind, **({"OwnerId": owner} if owner else {})})

    def contact(self, account: str, name: str, email: str) -> str:
        """Make a contact."""
        first, _, last = name.rpartition(" ")
        return self.org.insert("Contact", {"AccountId": account, "FirstName": first, "LastName": last, "Email": email})

    def case(self, account: str, contact: str, owner: str | None = None, **values: Any) -> str:
        """Open a case."""
        people = {"AccountId": account, "ContactId": contact} | ({"OwnerId": owner} if owner else {})
        return self.org.insert("Case", {**people, "Subject": "It does not start", **values})

    def close_case(self, case: str) -> None:
        """Close a case."""
        self.org.update("Case", case, {"Status": "Closed"})

    def reopen(self, case: str) -> None:
        """Open it again."""
        self.org.update("Case", case, {"Status": "Working"})

    def closed_case(self, account: str, contact: str, owner: str | None = None) -> str:
        """Open a case and close it."""
        case = self.case(account, contact, owner)
        self.close_case(case)
        return case

    def finish(self, task: dict[str, Any]) -> None:
        """Complete a task, as a rep does."""
        self.org.update("Task", task["Id"], {"Status": "Completed", "Afterword_Outcome__c": "Solved"})

    def record(self, object_name: str, record_id: str) -> dict[str, Any]:
        """Return a record as the CRM has it."""
        row = self.org.get(object_name, record_id)
        assert row is not None
        return row

    def shows(self, object_name: str, record_id: str) -> dict[str, Any]:
        """Return what our fields of a record show, by their names without prefix and suffix."""
        row = self.record(object_name, record_id)
        return {name[10:-3]: value for name, value in row.items() if name.startswith("Afterword_")}

    def figures(self, object_name: str, record_id: str) -> dict[str, Any]:
        """Return the same by names in lower case, as every CRM's fields are called; what is empty is left out."""
        shown = self.shows(object_name, record_id)
        return {name.lower(): value for name, value in shown.items() if value not in (None, "")}

    def tasks(self) -> list[dict[str, Any]]:
        """Return the follow-up tasks that exist."""
        return [row for row in self.org.rows("Task") if row.get("Afterword_Key__c") not in (None, MARK_KEY)]

    def follow_ups(self) -> list[Task]:
        """Return the follow-up tasks in words that every CRM shares."""
        return [Task(row["Afterword_Key__c"], row["Subject"], row["WhatId"], row["WhoId"]) for row in self.tasks()]

    # ── customers ──

    def answer(self, mail: Mail, rating: int, comment: str = "") -> None:
        """Answer as a person does: open the page, press the button."""
        page = requests.get(mail.survey, params={"rating": rating}, timeout=300)
        assert page.status_code == 200, page.text
        sent = requests.post(mail.survey, data={"rating": rating, "comment": comment}, timeout=300)
        assert sent.status_code == 200, sent.text

    # ── looking at what happened ──

    def mark(self) -> None:
        """Count writes and mails from here."""
        self.mark_writes()
        self.mailbox.mails.clear()

    def mark_writes(self) -> None:
        """Count writes from here."""
        self._mark = self.org.log.mark()

    @property
    def writes(self) -> list[LoggedCall]:
        """The writing calls that reached the CRM since the mark, less those that renewed the installation's."""
        return [call for call in self.org.log.since(self._mark, kind="write") if call.number not in self.renewals]

    def status(self) -> dict[str, Any]:
        """Return what `afterword status` tells."""
        return statuses.status(self.installation)

    def why(self, record_id: str) -> str:
        """Return what `afterword why` tells about a record."""
        normalisers = [endpoint.normalise_id for endpoint in self.installation.endpoints]
        return "\n".join(
            survey_log.explain(
                self.installation.store,
                record_id,
                normalisers=normalisers,
                surveys=self.installation.settings.events,
            )
        )


AnyEnvironment = TypeVar("AnyEnvironment", bound=Environment)


@contextmanager
def standing(
    kind: type[AnyEnvironment], folder: Path, store_url: str, clock: SteppedClock | None = None
) -> Iterator[AnyEnvironment]:
    """Build everything up, for as long as the block runs. Without a clock, everybody follows the machine's time."""
    mailbox = Mailbox()
    org = kind.CRM(OrgClock(clock) if clock is not None else SandboxClock())
    with ExitStack() as stack:
        server = stack.enter_context(running(org, cert_dir=folder / "certificates"))
        port = stack.enter_context(_mail_server(mailbox))
        crm = {"url": server.url, "ca_bundle": str(server.ca_bundle)}
        env = kind(folder, clock or SystemClock(), org, crm, mailbox, port, store_url)
        stack.callback(env.close)
        stack.enter_context(_web(env))
        settle(env)
        env.note_renewals()
        env.mark_crm()
        yield env


def cases_alone(mapping: str) -> str:
    """Leave calls, meetings and deals out of a mapping: a limit of searches then holds up no lap on the machine's time."""
    mapping = re.sub(r"(?ms)^\[interaction\.(call|meeting|deal)\b.*?(?=^\[task\])", "", mapping)
    return re.sub(r"(?m)^related = .*$", 'related = ["case"]', mapping)


def mapping_line(env: Environment, text: str) -> str:
    """Put a mapping in place, and return the line of config.toml that names it."""
    (env.folder / f"{env.ADAPTER}.toml").write_text(text, encoding="utf-8")
    return f'mapping = "{env.ADAPTER}.toml"'


@contextmanager
def _mail_server(mailbox: Mailbox) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@contextmanager
def _web(env: Environment) -> Iterator[None]:
    """Serve the pages from an installation of their own on the same store, as another process would."""
    with ExitStack() as stack:

        def pages(address: str) -> FastAPI:
            env.web = address
            env.configure()
            installation = wiring.build(wiring.read_settings(env.config, {}), clock=env.clock)
            stack.callback(installation.store.close)
            for endpoint in installation.endpoints:
                stack.callback(endpoint.adapter.close)
            if installation.channel is not None:
                stack.callback(installation.channel.close)
            mails = sign_in_mails(installation)
            stack.callback(mails.close)
            return create_app(
                web_parts(installation, env.answered.append, lambda: env.trouble(), on_sign_in=mails.wake)
            )

        with serving(pages):
            yield


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)
