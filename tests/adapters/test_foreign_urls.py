"""Addresses of others: no redirect is followed, nothing secret goes without TLS, and nobody is led into a private network."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from hypothesis import given
from hypothesis import strategies as st

from adapters import webhook
from adapters.email.config import MailOAuth
from adapters.email.login import _ask
from connector.errors import MailUnavailable
from connector.model import ChatPost
from connector.runtime import foreign_urls
from connector.runtime.foreign_urls import ForeignSession, NotAllowed, is_public

HOOK = "hook.example"
POST = ChatPost("Maria: 1 of 5", "Call by Fri 15:00.", (), ("Every answer", "https://x.example/a/1"))


class Environment:
    """A server that answers as it is told, and remembers who came."""

    def __init__(self, folder: Path) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")
        self.seen: list[bytes] = []
        self.drips = False
        env = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                env.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers, body = env.answer
                while env.drips:
                    self.wfile.write(b"X")
                    time.sleep(0.05)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        authority = trustme.CA()
        self.bundle = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.bundle)
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOOK, "localhost").configure_cert(tls)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    honest = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **rest: Any) -> Any:
        return honest("127.0.0.1" if host == HOOK else host, *args, **rest)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    made = Environment(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", made.bundle)
    yield made
    made.close()


def test_s10_a_name_that_leads_into_a_private_network_is_refused_before_anything_is_sent(env: Environment) -> None:
    with pytest.raises(requests.ConnectionError, match="private address"):
        ForeignSession().post(f"https://{HOOK}:{env.port}/", json={"text": "secret"})
    assert env.seen == []


def test_s10_a_host_that_allow_hosts_names_may_be_private_and_its_certificate_is_looked_at(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ForeignSession([HOOK]).post(f"https://{HOOK}:{env.port}/", json={"text": "hello"}).status_code == 200
    assert env.seen == [b'{"text": "hello"}']
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        ForeignSession([HOOK]).post(f"https://{HOOK}:{env.port}/", json={})


def test_s10_this_machine_may_be_named_itself(env: Environment) -> None:
    assert ForeignSession().post(f"https://localhost:{env.port}/", json={}).status_code == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s10_no_redirect_is_followed_and_the_secret_is_not_sent_on(env: Environment, status: int) -> None:
    env.answer = (status, {"Location": f"https://localhost:{env.port}/elsewhere"}, b"")
    oauth = MailOAuth(f"https://localhost:{env.port}/token", "app", "hush", session=ForeignSession())
    with pytest.raises(MailUnavailable, match=str(status)) as caught:
        _ask(oauth, None)
    assert len(env.seen) == 1
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fd00::1]"])
def test_s10_no_proxy_is_asked_for_a_private_address(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(NotAllowed):
        ForeignSession().post(f"https://{host}/", json={})


@pytest.mark.usefixtures("env")
def test_no_proxy_is_asked_for_a_name_that_leads_into_a_private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(NotAllowed, match="private"):
        ForeignSession().post(f"https://{HOOK}/", json={})
    with pytest.raises(requests.exceptions.ProxyError):  # nobody listens there
        ForeignSession([HOOK]).post(f"https://{HOOK}/", json={})


def test_a_name_that_this_machine_does_not_know_is_the_proxys_to_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: Any, *args: Any, **rest: Any) -> Any:
        if host == HOOK:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return honest(host, *args, **rest)

    honest = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(requests.exceptions.ProxyError):
        ForeignSession().post(f"https://{HOOK}/", json={})


def test_s10_nothing_is_sent_without_tls() -> None:
    with pytest.raises(NotAllowed):
        ForeignSession().post("http://hook.example/", json={"text": "secret"})


def test_s10_of_a_long_answer_the_beginning_is_taken_and_the_status_holds(env: Environment) -> None:
    env.answer = (200, {}, b"x" * 300_000)
    answer = ForeignSession().post(f"https://localhost:{env.port}/", json={})
    assert (answer.status_code, len(answer.content)) == (200, foreign_urls.MOST_BYTES)
    # It was taken: posted once more, it would stand in the chat twice.
    webhook.post(ForeignSession(), f"https://localhost:{env.port}/", POST)
    oauth = MailOAuth(f"https://localhost:{env.port}/token", "app", "hush", session=ForeignSession())
    with pytest.raises(MailUnavailable):
        _ask(oauth, None)


def test_s10_an_answer_that_breaks_off_has_been_given_all_the_same(env: Environment) -> None:
    env.answer = (200, {"Content-Length": "1000"}, b"ok")
    webhook.post(ForeignSession(), f"https://localhost:{env.port}/", POST)
    env.answer = (200, {"Content-Encoding": "gzip"}, b"not packed")
    webhook.post(ForeignSession(), f"https://localhost:{env.port}/", POST)


def test_s10_a_slow_answer_is_left(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_urls, "TOTAL_SECONDS", 0.3)
    env.drips = True
    try:
        with pytest.raises(requests.RequestException):
            ForeignSession().post(f"https://localhost:{env.port}/", json={})
    finally:
        env.drips = False


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fec0::1",
        "64:ff9b:1::a9fe:a9fe",
        "::10.0.0.1",
        "ff02::1",
    ],
)
def test_s10_private_addresses_are_known_in_each_of_their_forms(address: str) -> None:
    assert not is_public(address)


def test_s10_addresses_of_the_internet_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@given(address=st.ip_addresses())
def test_s10_every_address_is_one_or_the_other(address: Any) -> None:
    assert is_public(str(address)) in (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"access_token": "t", "expires_in": null}',
        b'{"access_token": "t", "expires_in": "soon"}',
        b'{"access_token": "t", "expires_in": 1e400}',
        b'{"access_token": "t\\u200b"}',
        b'{"access_token": null}',
        b"[" * 50_000,
        b"null",
        b"",
        b"\xff\xfe",
    ],
)
def test_m2_whatever_a_token_endpoint_answers_is_a_token_or_an_error_of_ours(env: Environment, answer: bytes) -> None:
    env.answer = (200, {}, answer)
    oauth = MailOAuth(f"https://localhost:{env.port}/token", "app", "hush", session=ForeignSession())
    try:
        found = _ask(oauth, None)
    except MailUnavailable:
        return
    assert found["access_token"] == "t"
