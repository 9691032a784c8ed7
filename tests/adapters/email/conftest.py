from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from hostile import on_the_wire
from mail_config import mail_config
from mail_servers import Authority, Sink, StillClock, smtp_server

from adapters.email import SmtpChannel
from connector.ports.mail import Channel, Message


@pytest.fixture
def make() -> Iterator[Callable[..., Channel]]:
    """Make channels that are closed when the test is over."""
    made: list[Channel] = []

    def build(port: int, **values: Any) -> Channel:
        defaults = {"host": "localhost", "port": port, "security": "none", "from": "Acme Care <care@acme.example>"}
        made.append(SmtpChannel(mail_config(defaults | values), StillClock()))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, str(path))


@pytest.fixture(scope="module")
def post() -> Iterator[Callable[[Message], bytes]]:
    """Send through a real server; returns what has arrived there."""
    sink = Sink()
    with ExitStack() as stack:
        port = stack.enter_context(smtp_server(sink))
        values: dict[str, Any] = {
            "host": "localhost",
            "port": port,
            "security": "none",
            "from": "Acme Care <care@acme.example>",
            "reply_to": "hello@acme.example",
        }
        smtp: Channel = SmtpChannel(mail_config(values), StillClock())
        stack.callback(smtp.close)

        def send(mail: Message) -> bytes:
            smtp.prepare(mail).send()
            assert sink.arrived[-1].rcpt_tos == [on_the_wire(mail.to)]
            content = sink.arrived[-1].content
            assert isinstance(content, bytes)
            return content

        yield send
