"""What the connector needs to reach people by mail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.errors import Problem
from connector.model import Attachment, BounceCause


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    """Named by us before it is sent (without angle brackets), so that a bounce can be matched."""
    to_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    attachments: tuple[Attachment, ...] = ()


class ReadyMessage(Protocol):
    """A message as it will travel: nothing of it is still to be made."""

    def send(self) -> str | None:
        """Hand the message over; returns the id that the server gave it, where it gave one.

        `MailboxRefused`, `MailUnavailable` (certainly not sent) or `MailInDoubt`.
        """


class Channel(Protocol):
    """A way to reach a person."""

    def prepare(self, message: Message) -> ReadyMessage:
        """Make what will be sent, without asking anybody: whoever notes an attempt does so after this.

        `MailboxRefused` for an address that nobody could write to, `MailUnavailable` for one of our own that is wrong, and
        `MessageRefused` for a message that cannot be made.
        """

    def cause_of_bounce(self, reason: str) -> BounceCause:
        """Read the words with which a message that was sent came back."""

    def check(self) -> Iterable[Problem]:
        """Return what would keep messages from arriving, without sending one."""

    def close(self) -> None:
        """Let go of connections."""
