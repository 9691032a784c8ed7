"""Addresses as the SMTP commands and the header take them."""

import re
from dataclasses import dataclass

from adapters.email.config import EmailConfig
from connector.errors import MailboxRefused, MailUnavailable
from connector.model import ascii_domain

_LOCAL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}")
_ENCODED = ("=?", "?=")
"""Marks of encoded words: no mailbox has them in its name, and a mail program might read what stands between them."""


def envelope_address(address: str) -> str:
    """Return the address with its domain in ASCII (IDNA 2008). The local part stays as it is, be it outside ASCII.

    Raises `MailboxRefused` for what no server could deliver to.
    """
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local) or not local.isprintable() or any(mark in local for mark in _ENCODED):
        raise _not_an_address(address)
    try:
        return f"{local}@{ascii_domain(domain)}"
    except ValueError as error:
        raise _not_an_address(address) from error


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """The addresses that stand in every mail of ours."""

    sender: str
    reply_to: str | None

    @property
    def utf8(self) -> bool:
        """Whether they need a server with SMTPUTF8 (RFC 6531)."""
        return not (self.sender.isascii() and (self.reply_to or "").isascii())


def own_addresses(config: EmailConfig) -> OwnAddresses:
    """Return our own addresses. Raises `MailUnavailable` for one that is none."""
    return OwnAddresses(_own_address(config.from_address), _own_address(config.reply_to) if config.reply_to else None)


def _own_address(address: str) -> str:
    # No recipient is to blame for it.
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
