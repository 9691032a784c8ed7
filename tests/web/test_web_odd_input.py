"""Requests that no browser of a customer sends: each gets a quiet answer, on both databases, and leaves no traceback."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from databases import BOTH_DATABASES
from web_world import World, running, wait_until

from connector.store.tables import inbox, sign_in
from connector.web.server.slow_clients import patient

NUL = "%00"
HALF = "\\ud83d"


@pytest.fixture
def world(store_address: str) -> Iterator[World]:
    with running(store_address) as world:
        yield world


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No record of a fault in the log when the test ends."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [
        record.getMessage() for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR
    ] == []


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UTF7 = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}
PARTS = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}


def part(name: str, value: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"


@pytest.mark.usefixtures("quiet")
@BOTH_DATABASES
def test_text_that_no_database_takes_is_recorded_without_it(world: World) -> None:
    tokens = [world.invite() for _ in range(3)]
    odd = [
        (b"rating=4&comment=a%00b", FORM),
        (b"rating=4&comment=a%ED%A0%BDb", FORM),
        (part("rating", b"4") + part("comment", b"a+2AA-b") + b"--x--\r\n", PARTS),
    ]
    for token, (body, headers) in zip(tokens, odd, strict=True):
        assert world.post(token, body, headers=headers).status_code == 303
    comments = [row.comment for row in world.responses()]
    assert len(comments) == 3
    assert [text for text in comments if not text.startswith("a") or not text.endswith("b") or "\0" in text] == []


@pytest.mark.usefixtures("quiet")
@BOTH_DATABASES
def test_addresses_and_paths_may_hold_anything(world: World) -> None:
    for body, status in (
        (b"address=jane%00@acme.example&account=a%00b", 200),
        (b"address=%ED%A0%BD@acme.example&account=%ED%A0%BD", 200),
        (b"address=%ED%A0%BD&account=%ED%A0%BD", 422),
        (b"\xff\x00", 422),
    ):
        assert world.http.post(f"{world.url}/sign-in", data=body, headers=FORM, timeout=300).status_code == status
    for address in {row.email for row in world.rows(sign_in)}:
        assert "\0" not in address
    for path in (f"/accounts/{NUL}", "/accounts/%ED%A0%BD", f"/s/{NUL}", f"/f/{NUL}", f"/sign-in/{NUL}", f"/{NUL}"):
        for method in ("GET", "POST"):
            assert world.http.request(method, world.url + path, timeout=300).status_code in (200, 404, 405, 410), path
    strange = {"Accept-Language": "\xff;q=x,,;;", "Cookie": "afterword=\xff; afterword-browser=\xfe"}
    assert world.http.get(f"{world.url}/accounts/a", headers=strange, timeout=300).status_code == 200


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 413),
        (b"[" * 60_000, 422),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 422),
        (b"\xff\xfe", 422),
        (b'{"message_id": "a\\u0000", "reason": "b\\u0000\\ud83d"}', 202),
        (b'{"message_id": "\\ud83d", "reason": 1}', 422),
        (b'{"message_id": "x", "reason": {"deep": [1]}}', 202),
        (b'{"message_id": "' + b"x" * 5_000 + b'"}', 202),
        (b"1" * 5_000, 422),
    ],
    ids=lambda value: str(value)[:30],
)
@BOTH_DATABASES
def test_reports_that_are_none_are_refused(world: World, body: bytes, status: int) -> None:
    answer = world.http.post(f"{world.url}/bounces/{world.tokens.bounces()}", data=body, timeout=300)
    assert answer.status_code == status
    for row in world.rows(inbox):
        assert len(row.key) <= 998
        assert not {"\0", "\ud83d"} & set(json.dumps(row.payload, ensure_ascii=False))


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", ["application/json", "text/xml", "multipart/form-data", "image/png; x=%00", ""])
@BOTH_DATABASES
def test_other_kinds_of_content_are_read_as_an_empty_form(world: World, kind: str) -> None:
    token = world.invite()
    assert world.post(token, b'{"rating": 4}', headers={"Content-Type": kind}).status_code == 422
    assert world.responses() == []


@pytest.mark.usefixtures("quiet")
@BOTH_DATABASES
def test_a_form_is_read_as_utf8_whatever_its_sender_says(world: World) -> None:
    """Some of the encodings that Python knows take long to read."""
    token = world.invite()
    body = part("rating", b"4") + part("comment", b"bcher-kva") + b"--x--\r\n"
    odd = {"Content-Type": "multipart/form-data; boundary=x; Charset=punycode"}
    assert world.post(token, body, headers=odd).status_code == 303
    assert [row.comment for row in world.responses()] == ["bcher-kva"]


@pytest.mark.usefixtures("quiet")
@BOTH_DATABASES
def test_quotes_of_cookies_are_not_undone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cookies are read with every request, and Pythons before 3.11.10 and 3.12.6 take seconds for this one."""
    read: list[str] = []

    def unquote(text: str) -> str:
        read.append(text)
        return text

    monkeypatch.setattr("http.cookies._unquote", unquote)
    heavy = {"Cookie": 'a="' + "\\\\" * 20_000 + '"; afterword=x; b=""'}
    assert world.http.get(f"{world.url}/healthz", headers=heavy, timeout=300).status_code == 200
    assert read == ["x"]


# ── halves ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def connect(world: World) -> socket.socket:
    there = urlsplit(world.url)
    return socket.create_connection((there.hostname, there.port), timeout=300)


def head_of_a_post(world: World, token: str, length: object, more: str = "") -> bytes:
    lines = [f"POST /s/{token} HTTP/1.1", "Host: x", f"Content-Length: {length}", more]
    return ("\r\n".join(line for line in lines if line) + "\r\n\r\n").encode()


def answer_of(line: socket.socket) -> bytes:
    """Return the first line of an answer; empty where the connection was ended without one."""
    try:
        return line.recv(1000).partition(b"\r\n")[0]
    except ConnectionResetError:
        return b""


@pytest.mark.usefixtures("quiet")
@BOTH_DATABASES
def test_an_upload_that_is_broken_off_leaves_nothing(world: World) -> None:
    token = world.invite()
    for sent in (b"rating=4&comm", b""):
        with closing(connect(world)) as line:
            line.sendall(head_of_a_post(world, token, 100, "Content-Type: application/x-www-form-urlencoded") + sent)
    assert world.get(token).status_code == 200
    assert world.responses() == []


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("length", ["9" * 5_000, str(64 * 1024 + 1), "9" * 18])
@BOTH_DATABASES
def test_a_body_that_is_too_long_is_refused_before_it_is_read(world: World, length: str) -> None:
    with closing(connect(world)) as line:
        line.sendall(head_of_a_post(world, world.invite(), length))
        assert answer_of(line).split()[1] in (b"413", b"400")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("sent", [b"", b"POST /s", "body", "second head", "second body"], ids=str)
def test_half_a_request_is_not_waited_for(sqlite_address: str, sent: bytes | str) -> None:
    with running(sqlite_address, http=patient(seconds=0.2)) as world:
        whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        body = head_of_a_post(world, world.invite(), 100) + b"rating"
        text = {"body": body, "second head": whole + b"GET /he", "second body": whole + body}.get(str(sent), sent)
        assert isinstance(text, bytes)
        with closing(connect(world)) as line:
            line.sendall(text)
            ended = b""
            while chunk := line.recv(1000):
                ended += chunk
            assert (b"200 OK" in ended) == text.startswith(whole)
        assert world.responses() == []


def test_many_halves_keep_nobody_out(sqlite_address: str) -> None:
    with running(sqlite_address, http=patient(most_waiting=20), limit_concurrency=40) as world:
        token = world.invite()
        lines = [connect(world) for _ in range(60)]
        for number, line in enumerate(lines):
            try:
                line.sendall(b"POST /s" if number % 2 else head_of_a_post(world, token, 100) + b"rating")
            except OSError:
                continue  # it was among those that had to go
        assert world.get(token).status_code == 200
        assert world.post(token, {"rating": "4"}).status_code == 303
        for line in lines:
            line.close()
        wait_until(lambda: len(world.responses()) == 1)
