"""A mail server that keeps what arrives."""

import email
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from functools import cached_property
from html import unescape
from typing import Any

from aiosmtpd.controller import Controller

from connector.ports import Clock

_SURVEY = re.compile(r"/s/[^/]+$")
_HREF = re.compile(r'href="(https?://[^"]+)"')


@dataclass(frozen=True)
class ArrivedMail:
    """One mail as it arrived."""

    number: int
    at: datetime
    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"])

    @cached_property
    def html(self) -> str:
        """What a mail program shows."""
        return self._body("html")

    @property
    def links(self) -> list[str]:
        """Every address that can be clicked, each once, in order."""
        return list(dict.fromkeys(unescape(link) for link in _HREF.findall(self.html)))

    @property
    def survey(self) -> str:
        """The address of the survey page that the mail leads to; empty when it asks nothing."""
        pages = (link.partition("?")[0] for link in self.links)
        return next((page for page in pages if _SURVEY.search(page)), "")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Inbox:
    """All mail that arrived, of everybody. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._mails: list[ArrivedMail] = []

    def __len__(self) -> int:
        with self._lock:
            return len(self._mails)

    def since(self, number: int = 0) -> list[ArrivedMail]:
        """Return the mails after the first `number`, oldest first."""
        with self._lock:
            return self._mails[number:]

    def get(self, number: int) -> ArrivedMail | None:
        """Return a mail by its number, from 0."""
        with self._lock:
            return self._mails[number] if 0 <= number < len(self._mails) else None

    def take(self, recipients: list[str], content: bytes) -> None:
        """Keep a message, once for each recipient."""
        message = email.message_from_bytes(content, policy=policy.default)
        with self._lock:
            for recipient in recipients:
                self._mails.append(ArrivedMail(len(self._mails), self._clock.now(), recipient, message))

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a message in, as aiosmtpd asks."""
        self.take(list(envelope.rcpt_tos), envelope.content)
        return "250 taken"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    """Serve SMTP on a free port of this machine; yields the port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
