"""What a mail server's refusals mean (RFC 5321 §4.2, enhanced codes of RFC 3463)."""

import re
from dataclasses import dataclass
from typing import Final

from adapters.email.refused_party import is_about_mailbox
from adapters.email.remedies import remedy_for
from connector.domain.quoting import quoted
from connector.domain.text_cutting import cut
from connector.errors import MailboxRefused, MailError, MailThrottled, MailUnavailable, MessageRefused, MessageTooLarge

_CLOSING = 421
"""The server ends the session, whatever was asked (RFC 5321 §3.8)."""
_WHERE = "e-mail"
_TOO_FAST: Final = re.compile(
    r"\b4\.(3\.2|7\.28)\b|concurrent|too many (messages|connections|login)|(submission|sending|message) rate|rate limit|"
    r"throttl|slow down",
    re.IGNORECASE,
)
"""Exchange Online says 4.3.2 (30 messages a minute), Google 4.7.28."""


_TOO_LARGE: Final = re.compile(
    r"\b5\.(3\.4|2\.3)\b|too (big|large)|(message|mail|size) (size|length|limit)", re.IGNORECASE
)
"""Codes of RFC 3463, and what servers say that have none."""

_READ: Final = 4_000
"""Characters in which patterns are looked for, which takes long in very long replies."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server."""

    code: int
    raw: bytes | str = b""
    secrets: tuple[str, ...] = ()
    """What is left out where its words are told."""

    @property
    def text(self) -> str:
        """The server's own words, as many as are read for what they mean."""
        return cut(self.every_word, _READ)

    @property
    def every_word(self) -> str:
        """All of them: the id of a message stands at the end."""
        words = self.raw.decode(errors="replace") if isinstance(self.raw, bytes) else self.raw
        return " ".join(words.split())

    @property
    def permanent(self) -> bool:
        """Whether asking again the same is useless."""
        return 500 <= self.code < 600

    @property
    def is_final(self) -> bool:
        """Whether it says that something was done, or refused: a line that is no reply, or asks for more, says neither."""
        return 200 <= self.code < 300 or 400 <= self.code < 600

    @property
    def too_fast(self) -> bool:
        """Whether the server asks us, not one recipient, to be slower."""
        return 400 <= self.code < 500 and _TOO_FAST.search(f"{self.code} {self.text}") is not None

    def __str__(self) -> str:
        return quoted(f"{self.code} {self.every_word}", self.secrets)


def before_data(reply: Reply, *, command: str, server: str) -> MailError:
    """Return the error for a refused MAIL, DATA or RSET: it concerns the sender or the server, so other messages will meet it too."""
    kind = MailThrottled if reply.too_fast else MailUnavailable
    return kind(
        f"{server} refused {command}: {reply}.",
        where=_WHERE,
        remedy=remedy_for(reply.text, otherwise="Check that email.from is an address that this login may send as."),
    )


def recipient_refused(reply: Reply, *, recipient: str, sender: str, server: str) -> MailError:
    """Return the error for a refused RCPT.

    Only a reason that is clearly about the mailbox is a verdict on it. Everything else is the server's word about us, or about this
    moment: it must not mark the person's address as dead, or one wrong setting would silence a whole address book.
    """
    if reply.permanent and is_about_mailbox(reply.text, sender=sender, recipient=recipient):
        return _mailbox_refused(reply, recipient=recipient, server=server)
    kind: type[MailUnavailable] = MessageRefused
    if reply.too_fast:
        kind = MailThrottled
    elif reply.code == _CLOSING:
        kind = MailUnavailable
    otherwise = "If it goes on, check that the login may send to addresses outside, and what the server's log says."
    return kind(
        f"{server} did not take the recipient: {reply}.",
        where=_WHERE,
        remedy=remedy_for(reply.text, otherwise=otherwise),
    )


def after_data(reply: Reply, *, recipient: str, sender: str, server: str) -> MailError:
    """Return the error for a message that was refused after the final dot: nothing was sent; for good, if a 5xx.

    Some servers look the mailbox up only then.
    """
    if reply.permanent and is_about_mailbox(reply.text, sender=sender, recipient=recipient):
        return _mailbox_refused(reply, recipient=recipient, server=server)
    kind: type[MailUnavailable] = MessageRefused
    if reply.too_fast:
        kind = MailThrottled
    elif reply.permanent and _TOO_LARGE.search(reply.text):
        kind = MessageTooLarge
    error = kind(
        f"{server} refused the message: {reply}.",
        where=_WHERE,
        remedy=remedy_for(
            reply.text, otherwise="Ask the operator of the mail server why; the address itself was accepted."
        ),
    )
    error.permanent = reply.permanent
    return error


def _mailbox_refused(reply: Reply, *, recipient: str, server: str) -> MailboxRefused:
    return MailboxRefused(
        f"{server} refuses {recipient}: {reply}.",
        where=_WHERE,
        remedy="Correct the address on the contact's record in the CRM.",
    )
