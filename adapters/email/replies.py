"""What a mail server's refusals mean (RFC 5321 §4.2, enhanced codes of RFC 3463)."""

import re
from dataclasses import dataclass

from connector.errors import MailboxRefused, MailError, MailUnavailable, MessageRefused

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_NOT_THE_MAILBOX = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538})
"""Syntax, sequence, "this host takes no mail", login and encryption: they say nothing about the person."""
_CLOSING = 421
"""The server ends the session, whatever was asked (RFC 5321 §3.8)."""
_WHERE = "e-mail"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server."""

    code: int
    raw: bytes | str = b""

    @property
    def text(self) -> str:
        """The server's own words."""
        words = self.raw.decode(errors="replace") if isinstance(self.raw, bytes) else self.raw
        return " ".join(words.split())

    @property
    def permanent(self) -> bool:
        """Whether asking again the same is useless."""
        return 500 <= self.code < 600

    @property
    def subject(self) -> str:
        """The enhanced code's class of subject: 1 address, 2 mailbox, 7 policy …; empty when the server gave none."""
        found = _ENHANCED.search(self.text[:20])
        return found[2] if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def before_data(reply: Reply, *, command: str, server: str) -> MailError:
    """Return the error for a refused MAIL, DATA or RSET: it concerns the sender or the server, so other messages will meet it too."""
    return MailUnavailable(
        f"{server} refused {command}: {reply}.",
        where=_WHERE,
        remedy="Check that email.from is an address that this login may send as.",
    )


def recipient_refused(reply: Reply, *, recipient: str, server: str) -> MailError:
    """Return the error for a refused RCPT.

    A refusal for reasons of policy (x.7.x, relaying, login) is the server's word about us: it must not mark the person's address as
    dead, or one wrong setting would silence a whole address book.
    """
    if reply.permanent and not _concerns_us(reply):
        return MailboxRefused(
            f"{server} refuses {recipient}: {reply}.",
            where=_WHERE,
            remedy="Correct the address on the contact's record in the CRM.",
        )
    kind = MailUnavailable if reply.code == _CLOSING else MessageRefused
    return kind(
        f"{server} did not take the recipient: {reply}.",
        where=_WHERE,
        remedy="If it goes on, check that the login may send to addresses outside, and what the server's log says.",
    )


def _concerns_us(reply: Reply) -> bool:
    if reply.subject:
        return reply.subject not in {"1", "2"}
    return reply.code in _NOT_THE_MAILBOX or "relay" in reply.text.lower()


def after_data(reply: Reply, *, server: str) -> MailError:
    """Return the error for a message that was refused after the final dot: nothing was sent; for good, if a 5xx."""
    error = MessageRefused(
        f"{server} refused the message: {reply}.",
        where=_WHERE,
        remedy="Ask the operator of the mail server why; the address itself was accepted.",
    )
    error.permanent = reply.permanent
    return error
