"""Mail servers to test against: a real one, and one that breaks off where it is told to."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from connector.ports.mail import Message

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class StillClock:
    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here should wait")


def message(**changes: Any) -> Message:
    values = {
        "to": "maria@customer.example",
        "to_name": "Maria Virtanen",
        "subject": "How did it go? (case 00123)",
        "text": "Hello,\n.a line with a dot first\n..and two\nä ö 中文\n",
        "html": "<p>Hello</p>",
        "message_id": "m1@acme.example",
        "headers": {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        "language": "fi",
    }
    return Message(**values | changes)


@dataclass
class Sink:
    """An aiosmtpd handler that keeps what arrives, and refuses what it is told to."""

    arrived: list[Envelope] = field(default_factory=list)
    sessions: list[Any] = field(default_factory=list)
    refuse_rcpt: Mapping[str, str] = field(default_factory=dict)
    refuse_data: str = ""
    logins: list[LoginPassword] = field(default_factory=list)
    transports: list[Any] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802 - aiosmtpd's name
        if address in self.refuse_rcpt:
            return self.refuse_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        if self.refuse_data:
            return self.refuse_data
        self.arrived.append(envelope)
        self.sessions.append(session)
        return "250 taken"

    def authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=data.password == b"right", handled=False)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that only these tests trust."""

    ca: trustme.CA
    path: str

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context


class _Server(SMTP):
    """Remembers its connections, those too whose TLS handshake failed."""

    def connection_made(self, transport: Any) -> None:
        self.event_handler.transports.append(transport)
        super().connection_made(transport)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)

    def cut_off_everybody(self) -> None:
        over = threading.Event()

        def abort() -> None:
            for transport in self.handler.transports:
                transport.abort()
            self.loop.call_later(0.02, over.set)

        self.loop.call_soon_threadsafe(abort)
        over.wait(5)


@contextmanager
def smtp_server(sink: Sink, **options: Any) -> Iterator[int]:
    """Run a real SMTP server; yields its port."""
    controller = _Controller(sink, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.cut_off_everybody()
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


GREETING = b"220 test\r\n"
SCRIPT = {
    "EHLO": b"250-test\r\n250 8BITMIME\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "RSET": b"250 OK\r\n",
    "DATA": b"354 go\r\n",
    ".": b"250 taken\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass
class Broken:
    """A mail server by hand: answers as its script says; a script value of None hangs up."""

    script: dict[str, bytes | None]
    greeting: bytes | None = GREETING
    seen: list[str] = field(default_factory=list)
    dots: int = 0
    """How many messages it has received to the final dot."""

    slow: Mapping[str, float] = field(default_factory=dict)
    """Seconds that it takes over an answer."""
    live: socket.socket | None = None
    """The connection that is being served, or was last."""
    greeted_as: list[str] = field(default_factory=list)
    """By which names it was greeted."""

    def serve(self, connection: socket.socket) -> None:
        self.live = connection
        if self.greeting is None:
            return
        connection.sendall(self.greeting)
        lines = connection.makefile("rb")
        with lines:
            while (line := lines.readline()) and self._answer(connection, lines, line.split()[0].decode().upper()):
                if line.upper().startswith(b"EHLO"):
                    self.greeted_as.append(line.split()[1].decode())

    def _answer(self, connection: socket.socket, lines: Any, verb: str) -> bool:
        self.seen.append(verb)
        reply = self.script.get(verb)
        if reply is None:
            return False
        time.sleep(self.slow.get(verb, 0))
        connection.sendall(reply)
        return verb != "DATA" or not reply.startswith(b"354") or self._data(connection, lines)

    def _data(self, connection: socket.socket, lines: Any) -> bool:
        if "body" in self.script:
            lines.read(1000)
            return False
        while (line := lines.readline()) != b".\r\n":
            if not line:
                return False
        self.dots += 1
        reply = self.script["."]
        time.sleep(self.slow.get(".", 0))
        if reply is not None:
            connection.sendall(reply)
        return reply is not None


@contextmanager
def broken_server(broken: Broken, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a server that breaks off, over TLS if asked; yields its port.

    One client at a time; whoever is still there at the end is cut off.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, _over(tls, broken)), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        if broken.live is not None:
            with contextlib.suppress(OSError):
                broken.live.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=300)


def _over(tls: ssl.SSLContext | None, broken: Broken) -> Callable[[socket.socket], None]:
    if tls is None:
        return broken.serve

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            broken.serve(secured)

    return serve


def _accept(listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            serve(connection)
