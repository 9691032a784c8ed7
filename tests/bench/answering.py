"""From an answer on the survey page to the fields in the CRM: the whole product at work, with real mail, pages and calls."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from tests.bench.installation import Installation, afterword, install
from tests.bench.org import Org

PATIENCE = 60.0
MARK_PATIENCE = 480.0
"""Seconds until the first mail: before it, it has to be certain that no other installation works on the CRM."""
_LINK = re.compile(r"/s/[\w.=-]+")


@dataclass
class Mailbox:
    """Takes every mail, and keeps the path of the survey that it leads to, by recipient."""

    links: dict[str, str] = field(default_factory=dict)

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one mail."""
        text = bytes(envelope.content or b"").decode("utf-8", "replace").replace("=\r\n", "").replace("=3D", "=")
        found = _LINK.search(text)
        if found:
            self.links[envelope.rcpt_tos[0].lower()] = found[0]
        return "250 OK"


def delays(folder: Path, org: Org, answers: int) -> list[float]:
    """Return, for each of so many answers, the seconds from its POST until the account in the CRM shows it."""
    mailbox = Mailbox()
    web_port = free_port()
    mail = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        installation = install(folder, org, web_port=web_port, mail_port=mail.port)
        installation.set_up()
        installation.lap()  # goes live; what ended before it is not asked about
        accounts = close_cases(org, answers)
        with serving(installation, web_port) as page:
            wait_for(lambda: mailbox.links.keys() >= accounts.keys(), "the invitations", patience=MARK_PATIENCE)
            return [_one(org, page + mailbox.links[email], account) for email, account in accounts.items()]
    finally:
        mail.stop()


def close_cases(org: Org, count: int) -> dict[str, str]:
    """Close a case of so many customers, each of another account; returns the accounts by the customers' addresses."""
    customers = {row["Id"] for row in org.rows("Account") if str(row.get("Type", "")).startswith("Customer")}
    asked: dict[str, str] = {}
    for row in org.rows("Contact"):
        account, email = str(row.get("AccountId")), str(row.get("Email", "")).lower()
        if account not in customers or not email or row.get("HasOptedOutOfEmail"):
            continue
        if email in asked or account in asked.values():  # a person is asked once, for whatever account
            continue
        case = {"AccountId": account, "ContactId": row["Id"], "Subject": "It does not start", "Status": "Closed"}
        org.insert("Case", case)
        asked[email] = account
        if len(asked) == count:
            break
    return asked


@contextmanager
def serving(installation: Installation, port: int) -> Iterator[str]:
    """Run `afterword run` for the length of a `with` block."""
    with subprocess.Popen([*afterword("run"), "-c", str(installation.config)], stderr=subprocess.DEVNULL) as process:
        page = f"http://127.0.0.1:{port}"
        try:
            wait_for_page(page)
            yield page
        finally:
            process.terminate()


def wait_for_page(page: str) -> None:
    """Wait until the web application answers. Raises `TimeoutError`."""
    wait_for(lambda: _answers(page), "the web application")


def wait_for(happened: Any, what: str, *, every: float = 0.05, patience: float = PATIENCE) -> None:
    """Wait until it has happened. Raises `TimeoutError`."""
    until = time.monotonic() + patience
    while not happened():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {patience:g} s for {what}")
        time.sleep(every)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(page: str) -> bool:
    try:
        return requests.get(f"{page}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def _one(org: Org, address: str, account: str) -> float:
    """Answer one survey, and watch the account."""
    began = time.perf_counter()
    requests.post(address, data={"rating": "2"}, allow_redirects=False, timeout=30).raise_for_status()
    wait_for(lambda: org.row("Account", account).get("Afterword_Last_Answer__c"), "the answer in the CRM", every=0.005)
    return time.perf_counter() - began
