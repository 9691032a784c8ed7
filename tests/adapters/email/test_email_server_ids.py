"""The mail server's own id of a message is kept: bounces that come later often name no other."""

import pytest
from mail_servers import SCRIPT, Broken, broken_server, message

from adapters.email.server_ids import server_id

SES = "0102018e7c1f2a3b-1c2d3e4f-5a6b-7c8d-9e0f-112233445566-000000"


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ("2.0.0 Ok: queued as 4F1C2E0123", "4F1C2E0123"),
        ("2.0.0 Ok: queued as 4ZbXqk2Mv3z9sT1", "4ZbXqk2Mv3z9sT1"),
        (f"Ok {SES}", SES),
        ("OK id=1tGabc-000000001AB-3Cde", "1tGabc-000000001AB-3Cde"),
        (
            "2.0.0 OK  1764370000 5b1f17b1804b1-477a3c3bf5csi1234567f8f.12 - gsmtp",
            "5b1f17b1804b1-477a3c3bf5csi1234567f8f.12",
        ),
        (
            "2.6.0 <m1@acme.example> [InternalId=12345, Hostname=AM0PR01.prod.exchangelabs.com] 9999 bytes Queued mail for delivery",
            "m1@acme.example",
        ),
        ("2.0.0 5ATN4PMd012345 Message accepted for delivery", "5ATN4PMd012345"),
        ("2.0.0 7c1f2a3b Message accepted for delivery", "7c1f2a3b"),
        ("Ok: queued as wJ3kX1bQSh-9yZ0aBcDeFg", "wJ3kX1bQSh-9yZ0aBcDeFg"),
        ("2.0.0 Ok", None),
        ("taken", None),
        ("OK", None),
        ("2.0.0 Ok: queued as soon", None),
        ("Great success", None),
        ("", None),
    ],
)
def test_the_id_in_a_servers_answer(answer: str, known: str | None) -> None:
    assert server_id(answer) == known


def test_a_message_that_was_handed_over_gives_the_servers_id(make) -> None:
    with broken_server(Broken({**SCRIPT, ".": b"250 2.0.0 Ok: queued as 4F1C2E0123\r\n"})) as port:
        assert make(port).prepare(message()).send() == "4F1C2E0123"
    with broken_server(Broken(dict(SCRIPT))) as port:
        assert make(port).prepare(message()).send() is None
