"""The SMTP channel.

What it promises is to know how an attempt ended. The message is handed over when the final dot has left; so DATA is driven here step
by step: a failure before the dot is `MailUnavailable` (certainly not sent), silence after it is `MailInDoubt`.
"""

import contextlib
import smtplib
import ssl
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.email.address import OwnAddresses, own_addresses
from adapters.email.config import EmailConfig
from adapters.email.login import Login
from adapters.email.mime import Mail, mime
from adapters.email.refusal_codes import Reply, after_data, before_data, recipient_refused
from adapters.email.refused_party import cause_of_bounce
from adapters.email.remedies import remedy_for
from adapters.email.server import MailServer, connect
from adapters.email.server_ids import server_id
from adapters.email.timeouts import PATIENT, PROMPT
from adapters.email.trouble import TROUBLE, in_words
from connector.domain.quoting import quoted
from connector.errors import MailError, MailInDoubt, MailThrottled, MailUnavailable, MessageRefused, Problem
from connector.model import BounceCause
from connector.ports import Clock
from connector.ports.mail import Message

_WHERE = "e-mail"
_BLOCK = 65536
"""Bytes that are handed over at a time."""


class SmtpChannel:
    """Sends through one mail server; keeps its connection between messages. May be used by several threads, one at a time."""

    def __init__(self, config: EmailConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._login = Login(config, clock)
        self._lock = threading.Lock()
        self._open: MailServer | None = None
        self.timeouts = PATIENT
        """How long the server may take over each step."""

    def prepare(self, message: Message) -> "SmtpMessage":
        """Make the message's bytes; the server is not asked.

        `MailboxRefused`: nobody could write to the address. `MailUnavailable`: from or reply_to is no address; `MessageRefused`, when
        this message alone cannot be made.
        """
        return SmtpMessage(self, mime(message, config=self._config, now=self._clock.now()))

    def hand_over(self, mail: Mail) -> str | None:
        """Send a mail; see `SmtpMessage.send`."""
        with self._lock:
            server = self._ready()
            with self._dropped_unless_sent():
                self._envelope(server, mail)
                return server_id(self._hand_over(server, mail).every_word)

    def cause_of_bounce(self, reason: str) -> BounceCause:
        """Read the words with which a message that was sent came back."""
        return cause_of_bounce(reason, sender=self._config.from_address)

    def check(self) -> Iterable[Problem]:
        """Connect, secure, sign in and name the sender, then take it back: what a message would need, without one.

        Whether the world trusts mail from the sender's domain (SPF, DKIM, DMARC) is not looked up here.
        """
        with self._lock, self._with_short_timeouts():
            self._drop()
            try:
                server = self._ready()
                with self._dropped_unless_sent():
                    self._name_sender(server, own_addresses(self._config))
                    self._expect(server, "RSET", good=(250,))
            except MailError as error:
                return [Problem(where=f"config.toml: email ({self._server})", what=error.what, remedy=error.remedy)]
        return []

    @contextlib.contextmanager
    def _with_short_timeouts(self) -> Iterator[None]:
        patience, self.timeouts = self.timeouts, PROMPT
        try:
            yield
        finally:
            self.timeouts = patience

    def close(self) -> None:
        """Say goodbye to the server."""
        with self._lock:
            if self._open is not None:
                with contextlib.suppress(*TROUBLE):
                    self._open.patience = self.timeouts.goodbye
                    self._open.docmd("QUIT")
            self._drop()

    @property
    def _server(self) -> str:
        return f"{self._config.host}:{self._config.port}"

    # ── the connection ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ready(self) -> MailServer:
        if self._open is not None and self._alive(self._open):
            return self._open
        self._drop()
        try:
            self._open = self._connected()
        except smtplib.SMTPAuthenticationError as error:
            raise self._refused_login(error) from error
        except TROUBLE as error:
            raise self._unreachable(error) from error
        return self._open

    def _alive(self, server: MailServer) -> bool:
        try:
            # A connection that was lost meanwhile may answer nothing at all; a new one costs less than waiting.
            server.patience = self.timeouts.connection
            return server.ask("RSET")[0] == 250
        except TROUBLE:
            return False

    def _connected(self) -> MailServer:
        server = connect(self._config, self.timeouts)
        try:
            server.ehlo_or_helo_if_needed()
            self._login.sign_in(server)
        except BaseException:
            with contextlib.suppress(*TROUBLE):
                server.close()
            raise
        return server

    def _drop(self) -> None:
        server, self._open = self._open, None
        if server is not None:
            with contextlib.suppress(*TROUBLE):
                server.close()

    @contextlib.contextmanager
    def _dropped_unless_sent(self) -> Iterator[None]:
        """A failure leaves the server in a state that we cannot know: the next message gets a new connection."""
        try:
            yield
        except BaseException:
            self._drop()
            raise

    # ── one message ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _envelope(self, server: MailServer, mail: Mail) -> None:
        self._expect(server, "MAIL", f"FROM:<{mail.addresses.sender}>{self._utf8(server, mail)}", good=(250,))
        reply = self._ask(server, "RCPT", f"TO:<{mail.recipient}>")
        if reply.code not in (250, 251):
            raise recipient_refused(reply, recipient=mail.recipient, sender=mail.addresses.sender, server=self._server)
        self._expect(server, "DATA", good=(354,))

    def _utf8(self, server: MailServer, mail: Mail) -> str:
        """Return what MAIL says of addresses outside ASCII (RFC 6531): nothing where there are none."""
        if not mail.utf8:
            return ""
        if mail.addresses.utf8:
            self._need_utf8(server)
        elif not server.has_extn("smtputf8"):
            raise self._no_utf8(mail.recipient)
        server.command_encoding = "utf-8"
        return " SMTPUTF8"

    def _name_sender(self, server: MailServer, addresses: OwnAddresses) -> None:
        if addresses.utf8:
            self._need_utf8(server)
        self._expect(server, "MAIL", f"FROM:<{addresses.sender}>{' SMTPUTF8' if addresses.utf8 else ''}", good=(250,))

    def _need_utf8(self, server: MailServer) -> None:
        """Let addresses outside ASCII of our own through; where the server has no room for them, it is no recipient's fault."""
        if not server.has_extn("smtputf8"):
            raise MailUnavailable(
                f"from or reply_to has letters before the @ that {self._server} cannot handle (it does not announce SMTPUTF8).",
                where="config.toml: email",
                remedy="Use an address of letters a to z, or a mail server with SMTPUTF8.",
            )
        server.command_encoding = "utf-8"

    def _no_utf8(self, recipient: str) -> MessageRefused:
        """Our own server lacks it: the address may be as good as any, so nobody is marked."""
        refused = MessageRefused(
            f"{recipient} has letters before the @ that {self._server} cannot handle (it does not announce SMTPUTF8).",
            where=_WHERE,
            remedy="Use another address of this person, or a mail server with SMTPUTF8.",
        )
        refused.permanent = True
        return refused

    def _hand_over(self, server: MailServer, mail: Mail) -> Reply:
        try:
            self._transmit(server, mail.payload)
        except TROUBLE as error:
            raise self._unreachable(error) from error
        reply = self._final_dot(server)
        if reply.code >= 400:
            raise after_data(reply, recipient=mail.recipient, sender=mail.addresses.sender, server=self._server)
        return reply

    def _transmit(self, server: MailServer, data: bytes) -> None:
        """Send everything but the final dot; raises OSError when the server has gone away or spoken out of turn."""
        connection = server.sock
        if connection is None:
            raise ConnectionError("the connection was lost")
        server.listen()
        connection.settimeout(self.timeouts.block)
        for start in range(0, len(data), _BLOCK):
            connection.sendall(data[start : start + _BLOCK])
        connection.settimeout(0)
        try:
            early = connection.recv(1024)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            connection.settimeout(self.timeouts.block)
        raise ConnectionError(f"it broke off: {early.decode(errors='replace').strip()}" if early else "it hung up")

    def _final_dot(self, server: MailServer) -> Reply:
        try:
            server.patience = self.timeouts.final_dot
            server.send(b".\r\n")
            reply = self._reply(*server.getreply())
        except TROUBLE as error:
            raise self._doubt(f"was cut off before it confirmed the message ({self._words_of(error)})") from error
        if not reply.is_final:
            raise self._doubt(f"answered the message with what is no answer to it ({reply})")
        return reply

    def _doubt(self, what: str) -> MailInDoubt:
        return MailInDoubt(
            f"{self._server} {what}.",
            where=_WHERE,
            remedy="Look for the message in the mail server's log; it is not sent again by itself.",
        )

    def _expect(self, server: MailServer, command: str, argument: str = "", *, good: tuple[int, ...]) -> None:
        reply = self._ask(server, command, argument)
        if reply.code not in good:
            raise before_data(reply, command=command, server=self._server)

    def _ask(self, server: MailServer, command: str, argument: str = "") -> Reply:
        try:
            server.patience = self.timeouts.data if command == "DATA" else self.timeouts.command
            return self._reply(*server.ask(command, argument))
        except TROUBLE as error:
            raise self._unreachable(error) from error

    # ── what the server says ─────────────────────────────────────────────────────────────────────────────────────────

    def _reply(self, code: int, raw: bytes | str) -> Reply:
        return Reply(code, raw, self._login.secrets)

    def _reply_in(self, error: Exception) -> Reply | None:
        if not isinstance(error, smtplib.SMTPResponseException):
            return None
        return self._reply(error.smtp_code, error.smtp_error)

    def _words_of(self, error: Exception) -> str:
        return quoted(in_words(error).rstrip("."), self._login.secrets)

    # ── what went wrong ──────────────────────────────────────────────────────────────────────────────────────────────

    def _unreachable(self, error: Exception) -> MailUnavailable:
        reply = self._reply_in(error)
        otherwise = self._wrong_security(error) or (
            "Check email.host, email.port and email.security in config.toml, and that the server is up."
        )
        kind = MailThrottled if reply is not None and reply.too_fast else MailUnavailable
        return kind(
            f"{self._server} could not be used: {reply or self._words_of(error)}.",
            where=_WHERE,
            remedy=otherwise if reply is None else remedy_for(reply.text, otherwise=otherwise),
        )

    def _wrong_security(self, error: Exception) -> str:
        """Return what to do where the port does not speak what is configured; empty where that cannot be told."""
        security, port = self._config.security, self._config.port
        if port == smtplib.SMTP_SSL_PORT and security != "tls":
            return f'Write email.security = "tls" in config.toml: port {port} speaks TLS from the first byte.'
        if security == "tls" and isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            return f'Write email.security = "starttls" in config.toml: port {port} does not begin with TLS.'
        return ""

    def _refused_login(self, error: smtplib.SMTPAuthenticationError) -> MailUnavailable:
        reply = self._reply(error.smtp_code, error.smtp_error)
        kind = MailThrottled if reply.too_fast else MailUnavailable
        return kind(
            f"{self._server} refused the login of {self._config.username}: {reply}.",
            where=_WHERE,
            remedy=remedy_for(
                reply.text, otherwise="Check email.username with email.password or email.oauth in config.toml."
            ),
        )


@dataclass(frozen=True, slots=True)
class SmtpMessage:
    """A message in the form in which it goes over the wire."""

    channel: SmtpChannel
    mail: Mail

    def send(self) -> str | None:
        """Hand the message over; returns the id that the server gave it, where it gave one.

        `MailboxRefused`: the address will not work. `MailUnavailable`: certainly not sent; `MessageRefused`, when the server refused
        this message or recipient alone. `MailInDoubt`: it may have been sent.
        """
        return self.channel.hand_over(self.mail)
