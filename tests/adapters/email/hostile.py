"""Text as somebody chooses it who wants more than to be named, and how a mail reads that arrived."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

from hypothesis import strategies as st

from connector.model import ascii_domain

FORGED = "=?utf-8?q?A=0D=0AReply-To:_e@evil.example=0D=0A=0D=0APay_now?="
FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress"]
LAST = ["Content-Language", "MIME-Version", "Content-Type"]
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
PIECES = (
    FORGED,
    "=?utf-8?b?QQ0KQmNjOiBlQGV2aWwuZXhhbXBsZQ0KDQpQYXk=?=",
    "=?utf-8?q?one?= =?utf-8?q?two?=",
    "=?iso-2022-jp?b?GyRC?=",
    "=?utf-8?q?",
    "?=",
    "\r\nBcc: e@evil.example\r\n\r\nPay now",
    "\r",
    "\n ",
    "\x00",
    "\x1b[2J",
    "\x85",
    "\u2028",
    "\u202emoc.live\u202c",
    "\u2066",
    "👩‍👩‍👧",
    "🇫🇮",
    "e\u0301",
    "王小明",
    "Größe",
    '"',
    "\\",
    ",",
    ";",
    ":",
    "<e@evil.example>",
    "(comment",
    ")",
    "[]",
    "@",
    ".",
    " ",
    "Maria Virtanen",
    "x" * 90,
    '"Boss", a@evil.example, ',
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=9).map("".join)
"""Encoded words, line ends, controls, direction marks, emoji, and what RFC 5322 reads as structure."""


def head_of(content: bytes) -> list[tuple[str, bytes]]:
    """Return the fields before the first empty line, by name, with their values as they came."""
    head = content.partition(b"\r\n\r\n")[0]
    fields = re.split(rb"\r\n(?![ \t])", head)
    return [(field.partition(b":")[0].decode(), field.partition(b":")[2]) for field in fields]


def parsed(content: bytes) -> EmailMessage:
    """Return the mail as a program reads it."""
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def decoded(value: bytes) -> str:
    """Return an unfolded field's text, encoded words read once."""
    return str(make_header(decode_header(re.sub(rb"\r\n(?=[ \t])", b"", value).decode().strip())))


def on_the_wire(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def is_ours(content: bytes, to: str, *, more: list[str]) -> None:
    """The header has our fields alone, in order, and one address in To; both texts can be read."""
    fields = head_of(content)
    assert [name for name, _ in fields] == [*FIELDS, *more, *LAST]
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert all(value.startswith(b" ") and not value.startswith(b" \r\n") for _, value in fields)
    assert not any(CONTROL.search(decoded(value)) for _, value in fields)
    raw_to = re.sub(rb"=\?utf-8\?[bq]\?[^?\s]*\?=", b"", dict(fields)["To"])
    assert re.findall(rb"[^\s<>\"]*@[^\s<>\"]*", raw_to) == [to.encode()]
    mail = parsed(content)
    # The library's reader takes a header for ASCII, and keeps other bytes as halves of surrogates.
    read = [address.addr_spec.encode(errors="surrogateescape").decode() for address in mail["To"].addresses]
    assert read == [to]
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content()
    assert html.get_content().startswith("<")
