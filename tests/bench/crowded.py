"""The survey page while others do their worst: sign-in mails that take 20 s each, half requests, a flood of corrections."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from tests.bench.answering import MARK_PATIENCE, Mailbox, close_cases, free_port, serving, wait_for
from tests.bench.installation import install
from tests.bench.org import Org

SLOW = 20.0
"""Seconds that the mail server takes for each sign-in mail."""
SIGN_INS = 60
HALVES = 100
GETS = 200
ANSWERS = 20


@dataclass
class SlowMailbox(Mailbox):
    """Takes its time with mails that lead to no survey."""

    slow: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one mail."""
        if re.search(rb"/sign-in/", bytes(envelope.content or b"").replace(b"=\r\n", b"")):
            self.slow.append(envelope.rcpt_tos[0])
            await asyncio.sleep(SLOW)
        return await super().handle_DATA(server, session, envelope)


def page_times(folder: Path, org: Org) -> tuple[list[float], list[float]]:
    """Return the seconds of many GETs of survey pages, and of many answers, each to a survey of its own."""
    mailbox = SlowMailbox()
    web_port = free_port()
    mail = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        installation = install(folder, org, web_port=web_port, mail_port=mail.port)
        installation.set_up()
        installation.lap()  # goes live; what ended before it is not asked about
        asked = close_cases(org, ANSWERS + 1)
        with serving(installation, web_port) as page:
            wait_for(lambda: mailbox.links.keys() >= asked.keys(), "the invitations", patience=MARK_PATIENCE)
            flooded, *links = [page + mailbox.links[email] for email in asked]
            with _crowd(page, web_port, flooded, users=_users(org)):
                wait_for(lambda: bool(mailbox.slow), "the first sign-in mail")
                gets = [_timed(requests.get, links[number % len(links)]) for number in range(GETS)]
                posts = [_timed(_answer, link) for link in links]
        return gets, posts
    finally:
        mail.stop()


def _users(org: Org) -> list[str]:
    return [str(row["Email"]) for row in org.rows("User") if row.get("IsActive") and row.get("Email")]


@contextmanager
def _crowd(page: str, port: int, flooded: str, *, users: list[str]) -> Iterator[None]:
    """Be all the others for the length of a `with` block."""
    over = threading.Event()

    def correct() -> None:
        number = 0
        while not over.is_set():
            number += 1
            data = {"rating": str(1 + number % 5), "comment": str(number)}
            requests.post(flooded, data=data, allow_redirects=False, timeout=60)

    def sign_in() -> None:
        addresses = [*users, *(f"nobody{number}@example.com" for number in range(SIGN_INS))][:SIGN_INS]
        for address in addresses:
            requests.post(f"{page}/sign-in", data={"address": address, "account": ""}, timeout=60)

    threads = [threading.Thread(target=correct), threading.Thread(target=sign_in)]
    with ExitStack() as stack:
        for _ in range(HALVES):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\naddress=")
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _answer(link: str, **options: Any) -> requests.Response:
    return requests.post(link, data={"rating": "2"}, allow_redirects=False, **options)  # noqa: S113 - from `_timed`


def _timed(ask: Callable[..., requests.Response], link: str) -> float:
    began = time.perf_counter()
    ask(link, timeout=60).raise_for_status()
    return time.perf_counter() - began
