"""A mail server as the library knows it, with a patience for each answer, and a limit to how long one may be."""

import io
import smtplib
import ssl
from typing import Any, Final

from adapters.email.config import EmailConfig
from adapters.email.timeouts import Timeouts
from connector.wire.limited import LimitedReader

MOST_BYTES: Final = 64 << 10
"""Of one reply, all its lines together: RFC 5321 has 512 for each."""


class _Lines(io.BufferedReader):
    """The lines of replies, with the codes of those that were read since `codes` was emptied."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw)
        self.codes: list[str] = []

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line."""
        line = super().readline(size)
        self.codes.append(line[:3].decode(errors="replace"))
        return line


class MailServer(smtplib.SMTP):
    """Waits for each answer as long as `patience` says, in seconds; the library knows one time for everything."""

    def __init__(self, host: str, port: int, *, timeouts: Timeouts, **options: Any) -> None:
        self.patience = timeouts.greeting
        super().__init__(host, port, timeout=timeouts.connection, **options)
        self.patience = timeouts.command

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's next answer. Raises `ConnectionError` where one line of it says yes and another no."""
        if self.file is None:
            self._replies = LimitedReader(self.sock, what="reply")
            self._lines = self.file = _Lines(self._replies)
        self._replies.limit(self.patience, most=MOST_BYTES)
        self._lines.codes.clear()
        reply = super().getreply()
        codes = list(dict.fromkeys(self._lines.codes))
        # The library goes by the last line; all have the same code (RFC 5321 §4.2.1), or at least one of the same kind.
        if len({code[:1] for code in codes}) > 1:
            raise ConnectionError(f"the lines of one answer contradict each other: {', '.join(codes)}")
        return reply

    def ask(self, command: str, argument: str = "") -> tuple[int, bytes]:
        """Say a command, and return the answer to it. Raises `ConnectionError` where something was said before."""
        self.listen()
        return self.docmd(command, argument)

    def listen(self) -> None:
        """Raise `ConnectionError` where the server has said more than it was asked: the next answer would be taken for another's."""
        if self.file is None:
            return
        self._replies.limit(0)
        try:
            early = self.file.peek(1)
        except TimeoutError:
            return
        raise ConnectionError(f"it spoke out of turn: {early.decode(errors='replace').strip()}")


class TlsServer(MailServer, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


def connect(config: EmailConfig, timeouts: Timeouts) -> MailServer:
    """Connect and secure the connection, without signing in. Raises what smtplib raises, or OSError."""
    if config.security == "tls":
        return TlsServer(
            config.host, config.port, timeouts=timeouts, local_hostname=config.ehlo_name, context=_tls(config)
        )
    server = MailServer(config.host, config.port, timeouts=timeouts, local_hostname=config.ehlo_name)
    if config.security == "starttls":
        try:
            server.starttls(context=_tls(config))
        except BaseException:
            server.close()
            raise
    return server


def _tls(config: EmailConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(config.ca_bundle) if config.ca_bundle else None)
