"""Servers that hang: no call waits for ever, however slowly they answer."""

import gzip
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from adapters.hubspot.config import HubSpotAccess
from adapters.hubspot.http.client import HubSpotClient
from adapters.salesforce.config import SalesforceAccess
from adapters.salesforce.http.client import SalesforceClient
from connector.errors import Unavailable
from connector.runtime.clock import SystemClock
from connector.wire import deadlines

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PACKED = gzip.compress(bytes(100_000_000))
BETWEEN_SECONDS = 0.05


class Hanging:
    """A server that does as it is told with whoever comes."""

    def __init__(self, folder: Path, how: str) -> None:
        authority = trustme.CA()
        self.ca_bundle = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_bundle))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._tls)
        self._how = how
        self._ends = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def stop(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _begin(self, what: Callable[..., None], *args: Any) -> None:
        self._threads.append(threading.Thread(target=what, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._ends.is_set():
            with suppress(TimeoutError):
                plain, _ = self._listener.accept()
                self._begin(self._serve, plain)

    def _serve(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):
            if self._how == "no handshake":
                self._ends.wait()
                return
            with self._tls.wrap_socket(plain, server_side=True) as secure:
                secure.recv(65_536)
                self._answer(secure)

    def _answer(self, secure: ssl.SSLSocket) -> None:
        match self._how:
            case "no answer":
                self._ends.wait()
            case "a huge body":
                secure.sendall(HEAD + b"Content-Length: 200000000\r\n\r\n")
                while not self._ends.is_set():
                    secure.sendall(b" " * 1_000_000)
            case "a packed body":
                secure.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED))
                secure.sendall(PACKED)
                self._ends.wait()
            case "a slow body":
                secure.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
                self._drip(secure, b" ")
            case _:
                secure.sendall(HEAD)
                self._drip(secure, b"X")

    def _drip(self, secure: ssl.SSLSocket, byte: bytes) -> None:
        while not self._ends.wait(BETWEEN_SECONDS):
            secure.sendall(byte)


@contextmanager
def salesforce(url: str, ca_bundle: str) -> Iterator[Callable[[], object]]:
    config = SalesforceAccess("acme", url, "token", access_token="t", ca_bundle=ca_bundle)
    client = SalesforceClient(config, SystemClock())
    yield lambda: client.change("POST", "composite/sobjects", {}, call="write")
    client.close()


@contextmanager
def hubspot(url: str, ca_bundle: str) -> Iterator[Callable[[], object]]:
    config = HubSpotAccess("acme", url, access_token="t", ca_bundle=ca_bundle)
    client = HubSpotClient(config, SystemClock())
    yield lambda: client.change("POST", "/crm/objects/2026-03/companies", {}, call="write")
    client.close()


@pytest.fixture(params=[salesforce, hubspot])
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A way to make one call that is not repeated when it may have arrived, by an adapter with little patience."""
    monkeypatch.setattr(deadlines, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "READ_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "TOTAL_SECONDS", 0.4)
    monkeypatch.setattr("adapters.hubspot.http.client._ATTEMPTS", 1)
    monkeypatch.setattr("adapters.salesforce.http.client._ATTEMPTS", 1)
    return request.param


@pytest.mark.parametrize("how", ["no handshake", "no answer", "slow headers", "a slow body"])
def test_f26_no_call_waits_for_ever(connect: Any, tmp_path: Path, how: str) -> None:
    server = Hanging(tmp_path, how)
    with ExitStack() as stack:
        stack.callback(server.stop)
        call = stack.enter_context(connect(server.url, str(server.ca_bundle)))
        with pytest.raises(Unavailable) as caught:
            call()
    assert not caught.value.permanent
    assert not caught.value.not_sent


@pytest.mark.parametrize("how", ["a huge body", "a packed body"])
def test_s11_no_answer_fills_the_memory(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(deadlines, "TOTAL_SECONDS", 60)
    monkeypatch.setattr(deadlines, "READ_SECONDS", 30)
    server = Hanging(tmp_path, how)
    with ExitStack() as stack:
        stack.callback(server.stop)
        call = stack.enter_context(connect(server.url, str(server.ca_bundle)))
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        with pytest.raises(Unavailable, match=r"larger than|packed") as caught:
            call()
        assert tracemalloc.get_traced_memory()[1] < 90_000_000
    assert not caught.value.not_sent
