"""A message as it goes over the wire: its header in `header_encoding`, its texts and files as parts (RFC 2045 and 2046)."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from adapters.email.address import OwnAddresses, envelope_address, own_addresses
from adapters.email.config import EmailConfig
from adapters.email.header_encoding import BadHeader, check_head, mailbox_field, text_field
from adapters.email.trouble import TROUBLE, in_words
from connector.errors import MessageRefused
from connector.model import Attachment
from connector.ports.mail import Message

_LINE_START_DOT = re.compile(rb"(?m)^\.")
_LINE_END = re.compile(r"\r\n|\r|\n")
_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")
_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
# "=_" stands in no line of quoted-printable or base64 (RFC 2045, 6.7).
_TEXTS = "=_texts"
_FILES = "=_files"


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that is ready to be sent."""

    addresses: OwnAddresses
    recipient: str
    content: bytes
    """CRLF line ends; in ASCII but for local parts of addresses."""

    @property
    def utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 can take it."""
        return self.addresses.utf8 or not self.recipient.isascii()

    @property
    def payload(self) -> bytes:
        """The message for DATA: dots at line starts doubled, and no final dot yet."""
        return _LINE_START_DOT.sub(b"..", self.content)


def mime(message: Message, *, config: EmailConfig, now: datetime) -> Mail:
    """Return the message with both its texts, its files and all its headers.

    Raises `MailboxRefused` for an address that cannot be written to, `MailUnavailable` for one of our own, and `MessageRefused` where
    it cannot be made, or the header that came out is not the one that was meant.
    """
    addresses, recipient = own_addresses(config), envelope_address(message.to)
    try:
        return _mail(message, config=config, now=now, addresses=addresses, recipient=recipient)
    except BadHeader as error:
        raise _not_made(f"its header is not what it should be ({error})") from error
    except TROUBLE as error:
        raise _not_made(f"it could not be made ({in_words(error)})") from error


def _mail(message: Message, *, config: EmailConfig, now: datetime, addresses: OwnAddresses, recipient: str) -> Mail:
    content_type, body = _body(message)
    fields = [
        *_fields(message, config=config, now=now, addresses=addresses, recipient=recipient),
        f"Content-Language: {message.language}",
        "MIME-Version: 1.0",
        f"Content-Type: {content_type}",
    ]
    head = "".join(f"{field}\r\n" for field in fields).encode(errors="replace")
    mail = Mail(addresses, recipient, head + b"\r\n" + body)
    check_head(head, names=_names(message, addresses), recipient=recipient, utf8=mail.utf8)
    return mail


def _fields(
    message: Message, *, config: EmailConfig, now: datetime, addresses: OwnAddresses, recipient: str
) -> Iterator[str]:
    """Yield the header fields but those of the body.

    ``Auto-Submitted`` (RFC 3834) and Microsoft's ``X-Auto-Response-Suppress`` keep absence notes from coming back. Those of the message
    stand on one line each: folded, a long link in List-Unsubscribe would be understood by no mail program.
    """
    yield mailbox_field("From", config.from_name, addresses.sender)
    yield mailbox_field("To", message.to_name, recipient)
    yield text_field("Subject", message.subject)
    yield f"Date: {format_datetime(now)}"
    yield f"Message-ID: <{message.message_id}>"
    if addresses.reply_to:
        yield mailbox_field("Reply-To", config.from_name, addresses.reply_to)
    yield "Auto-Submitted: auto-generated"
    yield "X-Auto-Response-Suppress: OOF, AutoReply"
    for name, value in message.headers.items():
        yield f"{name}: {value}"


def _names(message: Message, addresses: OwnAddresses) -> list[str]:
    return [
        *("From", "To", "Subject", "Date", "Message-ID"),
        *(("Reply-To",) if addresses.reply_to else ()),
        *("Auto-Submitted", "X-Auto-Response-Suppress"),
        *message.headers,
        *("Content-Language", "MIME-Version", "Content-Type"),
    ]


def _not_made(why: str) -> MessageRefused:
    refused = MessageRefused(
        f"the message was not sent: {why}.",
        where="e-mail",
        remedy="Look at the names and subjects on the records that it is about.",
    )
    refused.permanent = True
    return refused


# ── the body ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _body(message: Message) -> tuple[str, bytes]:
    """Return the body with its content type: both texts, the better one last, and files after them."""
    texts = [_text_part("plain", message.text), _text_part("html", message.html)]
    kind, body = _multipart("alternative", _TEXTS, texts)
    if not message.attachments:
        return kind, body
    parts = [f"Content-Type: {kind}\r\n\r\n".encode() + body, *map(_file_part, message.attachments)]
    return _multipart("mixed", _FILES, parts)


def _multipart(subtype: str, boundary: str, parts: list[bytes]) -> tuple[str, bytes]:
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return f'multipart/{subtype}; boundary="{boundary}"', body


def _text_part(subtype: str, text: str) -> bytes:
    lines = _LINE_END.split(text.encode(errors="replace").decode().removesuffix("\n"))
    quoted = b"\r\n".join(binascii.b2a_qp(line.encode()).replace(b"=\n", b"=\r\n") for line in lines) + b"\r\n"
    encoded = base64.encodebytes("\r\n".join([*lines, ""]).encode()).replace(b"\n", b"\r\n")
    encoding, shorter = ("quoted-printable", quoted) if len(quoted) <= len(encoded) else ("base64", encoded)
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + shorter


def _file_part(file: Attachment) -> bytes:
    kind = file.mime_type if _TYPE.fullmatch(file.mime_type) else "application/octet-stream"
    name = _IN_A_FILE_NAME.sub("_", file.name)
    head = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(file.content).replace(b"\n", b"\r\n")
