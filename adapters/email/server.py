"""A mail server as the library knows it, with a patience for each answer."""

import smtplib
import ssl
from typing import Any

from adapters.email.config import EmailConfig
from adapters.email.timeouts import Timeouts


class Server(smtplib.SMTP):
    """Waits for each answer as long as `patience` says, in seconds; the library knows one time for everything."""

    def __init__(self, host: str, port: int, *, timeouts: Timeouts, **options: Any) -> None:
        self.patience = timeouts.greeting
        super().__init__(host, port, timeout=timeouts.connection, **options)
        self.patience = timeouts.command

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's next answer."""
        if self.sock is not None:
            self.sock.settimeout(self.patience)
        return super().getreply()


class TlsServer(Server, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


def connect(config: EmailConfig, timeouts: Timeouts) -> Server:
    """Connect and secure the connection, without signing in. Raises what smtplib raises, or OSError."""
    if config.security == "tls":
        return TlsServer(config.host, config.port, timeouts=timeouts, context=_tls(config))
    server = Server(config.host, config.port, timeouts=timeouts)
    if config.security == "starttls":
        try:
            server.starttls(context=_tls(config))
        except BaseException:
            server.close()
            raise
    return server


def _tls(config: EmailConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(config.ca_bundle) if config.ca_bundle else None)
