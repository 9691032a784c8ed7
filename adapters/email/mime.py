"""A message as it goes over the wire."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from adapters.email.config import EmailConfig
from connector.errors import MailboxRefused, MailUnavailable
from connector.ports import Message

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+")
_LINE_START_DOT = re.compile(rb"(?m)^\.")


class _Policy(EmailPolicy):
    """Like the library's policy for SMTP, but leaves List headers on one line.

    Folding at 78 would turn a long link into encoded words (RFC 2047), which no mail program understands in List-Unsubscribe.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return one header as it is sent."""
        if name.lower().startswith("list-"):
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(cte_type="7bit", linesep="\r\n")


def envelope_address(address: str) -> str:
    """Return the address as the SMTP commands take it, its domain in ASCII (IDNA).

    Raises `MailboxRefused` for what no server could deliver to.
    """
    if not _ADDRESS.fullmatch(address):
        raise _not_an_address(address)
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise _not_an_address(address) from error


def own_address(address: str) -> str:
    """Return our own address likewise. Raises `MailUnavailable`: no recipient is to blame for it."""
    try:
        return envelope_address(address)
    except MailboxRefused as error:
        raise MailUnavailable(error.what, where="config.toml: email", remedy="Correct from and reply_to.") from error


def _not_an_address(address: str) -> MailboxRefused:
    return MailboxRefused(
        f"{address!r} is not an e-mail address.",
        where="e-mail",
        remedy="Correct it on the contact's record in the CRM.",
    )


def mime(message: Message, *, config: EmailConfig, now: datetime) -> EmailMessage:
    """Return the message with both its texts, its files and all its headers.

    ``Auto-Submitted`` (RFC 3834) and Microsoft's ``X-Auto-Response-Suppress`` keep absence notes from coming back.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _named(config.from_name, own_address(config.from_address))
    mail["To"] = _named(message.to_name, envelope_address(message.to))
    mail["Subject"] = _encodable(message.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.message_id}>"
    if config.reply_to:
        mail["Reply-To"] = _named(config.from_name, own_address(config.reply_to))
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(_encodable(message.text))
    mail.add_alternative(_encodable(message.html), subtype="html")
    for file in message.attachments:
        main_type, _, subtype = file.mime_type.partition("/")
        mail.add_attachment(file.content, maintype=main_type, subtype=subtype, filename=file.name)
    # Last, since making the parts moves Content headers into the first of them.
    mail["Content-Language"] = message.language
    return mail


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which come out of broken JSON and have no form in UTF-8."""
    return text.encode(errors="replace").decode()


def _named(name: str, address: str) -> Address:
    one_line = " ".join("".join(char if char.isprintable() else " " for char in name).split())
    local, _, domain = address.rpartition("@")
    return Address(display_name=one_line, username=local, domain=domain)


def payload(mail: EmailMessage) -> bytes:
    """Return the message for DATA: CRLF line ends, dots at line starts doubled, and no final dot yet."""
    data = mail.as_bytes()
    ended = data if data.endswith(b"\r\n") else data + b"\r\n"
    return _LINE_START_DOT.sub(b"..", ended)
