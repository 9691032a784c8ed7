"""Clients that would keep others out: by what they do not send or read, or by requests that cost more than they weigh."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from web_world import World, running, wait_until

from connector.web.server import slow_clients
from connector.web.server.slow_clients import patient

GET = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def world(sqlite_address: str) -> Iterator[World]:
    with running(sqlite_address, http=patient()) as world:
        yield world


def connect(url: str) -> socket.socket:
    there = urlsplit(url)
    assert there.hostname is not None
    assert there.port is not None
    return socket.create_connection((there.hostname, there.port), timeout=300)


def first_line(line: socket.socket) -> bytes:
    return line.recv(1000).partition(b"\r\n")[0]


def test_many_idle_connections_keep_nobody_out(sqlite_address: str) -> None:
    with running(sqlite_address, http=patient(most_waiting=20), limit_concurrency=40) as world:
        token = world.invite()
        lines = []
        for _ in range(60):
            lines.append(connect(world.url))
            lines[-1].sendall(GET)
            assert first_line(lines[-1]) == b"HTTP/1.1 200 OK"
        assert world.get(token).status_code == 200
        for line in lines:
            line.close()


@contextmanager
def serving_much(protocol: type[asyncio.Protocol]) -> Iterator[str]:
    """A server whose one page is larger than what the machine keeps of an answer that nobody reads."""
    page = PlainTextResponse(b"much" * (16 << 20))
    served: dict[str, Any] = {"http": protocol, "lifespan": "off", "log_config": None}
    config = uvicorn.Config(page, host="127.0.0.1", port=0, **served)
    bound = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 20)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=300)
        bound.close()


def test_an_answer_that_nobody_reads_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), serving_much(patient(seconds=0.2)) as url, closing(connect(url)) as line:
        line.sendall(GET)

        def is_over() -> bool:
            """Writing fails once the other side is gone; reading would be what this client does not do."""
            try:
                line.sendall(b"x")
            except OSError:
                return True
            return False

        wait_until(is_over, 20)
        assert is_over()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    "body",
    [
        b"1\r\na\r\n" * (slow_clients.MOST_PIECES + 1) + b"0\r\n\r\n",
        b"1\r\na\r\n0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    ],
    ids=["pieces", "lines behind it"],
)
def test_a_body_in_very_many_pieces_is_refused(world: World, body: bytes) -> None:
    with closing(connect(world.url)) as line:
        line.sendall(CHUNKED + body)
        assert first_line(line) == b"HTTP/1.1 400 Bad Request"


def test_a_body_in_some_pieces_is_read(world: World) -> None:
    text = b"rating=4&comment=" + b"word " * 100
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in text)
    head = CHUNKED.replace(b"/sign-in", f"/s/{world.invite()}".encode())
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    with closing(connect(world.url)) as line:
        line.sendall(head.removesuffix(b"\r\n") + form + chunks + b"0\r\n\r\n")
        assert first_line(line) == b"HTTP/1.1 303 See Other"
    assert [row.comment for row in world.responses()] == [("word " * 100).strip()]


def test_a_request_with_a_length_and_in_chunks_is_refused_and_its_connection_closed(world: World) -> None:
    with closing(connect(world.url)) as line:
        line.sendall(CHUNKED.replace(b"Host: x", b"Host: x\r\nContent-Length: 6") + b"0\r\n\r\n" + GET)
        answer = b""
        while chunk := line.recv(1000):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01 no request at all\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 11\r\n\r\n--x\r\n\xba: b\r\n",
    ],
    ids=["noise", "upgrade", "parts"],
)
def test_requests_that_are_none_are_not_logged(world: World, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), closing(connect(world.url)) as line:
        line.sendall(request_)
        while line.recv(1000):
            pass
    assert [record.getMessage() for record in caplog.records] == []


def test_a_body_that_breaks_after_its_answer_leaves_nothing_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        with closing(connect(world.url)) as line:
            line.sendall(CHUNKED.replace(b"/sign-in", b"/nothing") + b"5\r\nab")
            assert first_line(line) == b"HTTP/1.1 404 Not Found"
            line.sendall(b"zzzzz\r\n\r\nQQ\r\n")
            while line.recv(1000):
                pass
        assert world.http.get(f"{world.url}/healthz", timeout=300).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
