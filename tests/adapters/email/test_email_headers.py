"""The headers as they go over the wire."""

from datetime import UTC, datetime

from mail_config import mail_config

from adapters.email.mime import mime
from connector.ports.mail import Message

LINK = f"<https://feedback.acme.example/s/{'a' * 160}/unsubscribe>, <mailto:care@acme.example>"


def test_a_long_unsubscribe_link_stands_in_its_header_as_it_is() -> None:
    message = Message(
        "maria@nw.example", "您对" * 30, "text", "<p>html</p>", "id@acme.example", headers={"List-Unsubscribe": LINK}
    )
    mail = mime(
        message,
        config=mail_config({"host": "x", "from": "Acme <care@acme.example>"}),
        now=datetime(2026, 3, 2, tzinfo=UTC),
    )
    lines = mail.payload.split(b"\r\n")
    assert f"List-Unsubscribe: {LINK}".encode() in lines
    head = lines[: lines.index(b"")]
    assert all(len(line) <= 78 for line in head if not line.startswith(b"List-"))
