"""The session on a real socket: trust, one connection for many calls, and an answer that never comes."""

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
import trustme

from connector.errors import Unavailable
from connector.ports import Write
from tests.adapters.salesforce.conftest import Connect

SCHEMA = {"name": "Account", "fields": [{"name": "SystemModstamp"}]}


class Org(BaseHTTPRequestHandler):
    """Describes everything, and hangs up on whoever writes."""

    protocol_version = "HTTP/1.1"
    clients: ClassVar[set[object]] = set()

    def do_GET(self) -> None:
        self.clients.add(self.client_address)
        body = json.dumps(SCHEMA).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def org(tmp_path: Path) -> Iterator[dict[str, str]]:
    Org.clients.clear()
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Org)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield {"url": f"https://localhost:{server.server_port}", "ca_bundle": str(tmp_path / "ca.pem")}
    server.shutdown()
    server.server_close()
    thread.join()


def test_many_calls_share_one_connection(connect: Connect, org: dict[str, str]) -> None:
    crm = connect(**org)
    for _ in range(3):
        assert crm.describe("Account").name == "Account"
    assert len(Org.clients) == 1
    crm.close()


def test_an_unknown_authority_is_not_trusted_and_nothing_is_sent(connect: Connect, org: dict[str, str]) -> None:
    with pytest.raises(Unavailable, match="not trusted") as caught:
        connect(url=org["url"]).describe("Account")
    assert caught.value.not_sent
    assert not Org.clients


def test_f28_a_connection_cut_after_sending_leaves_the_outcome_open(connect: Connect, org: dict[str, str]) -> None:
    with pytest.raises(Unavailable) as caught:
        connect(**org).write([Write("t", "Task", {"Subject": "x"})])
    assert not caught.value.not_sent


def test_nobody_listening_means_nothing_was_sent(connect: Connect) -> None:
    with pytest.raises(Unavailable) as caught:
        connect(url="https://127.0.0.1:9").write([Write("t", "Task", {"Subject": "x"})])
    assert caught.value.not_sent
