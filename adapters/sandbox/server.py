"""An HTTPS server on localhost for one application: small, threaded, with connections that stay open."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import trustme

from adapters.sandbox.web import App, Request, Response

URI_LIMIT = 16_384
HEADER_LIMIT = 16_384
_GZIP_FROM = 4_096
_IDLE_SECONDS = 300.0
_HANDSHAKE_SECONDS = 10.0
_NO_BODY = frozenset({204, 304})
_BROKEN = Response(500, b"<h1>An unexpected error has occurred</h1>", {"Content-Type": "text/html"})


@dataclass(frozen=True)
class RunningServer:
    """A server at work: where it is, and the file with the authority that signed its certificate."""

    url: str
    ca_bundle: Path
    server: "SandboxServer"

    def stop(self) -> None:
        """Closes all connections and waits for the threads."""
        self.server.stop()


class Refused(Exception):
    """A request that is too large or no HTTP at all; answered with a page of HTML."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        page = f"<h1>Bad Message {status}</h1><pre>reason: {words}</pre>"
        self.response = Response(status, page.encode(), {"Content-Type": "text/html"})


class SandboxServer:
    """Serves an application until stopped; each connection has a thread of its own."""

    def __init__(self, app: App, cert_dir: Path, *, port: int = 0) -> None:
        self.app = app
        self._tls, self.ca_bundle = _certificate(cert_dir)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._accepting = threading.Thread(target=self._accept, name=f"sandbox-{self.port}", daemon=True)

    def start(self) -> RunningServer:
        """Begins to serve."""
        self._accepting.start()
        return RunningServer(f"https://localhost:{self.port}", self.ca_bundle, self)

    def stop(self) -> None:
        """Closes the listener and every connection, and waits for the threads."""
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections, threads = list(self._open), list(self._threads)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in (self._accepting, *threads):
            thread.join(timeout=5)

    def connections(self, seconds: float = 0) -> int:
        """How many of the connections that are open now stay open for so many seconds each."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(seconds)
        return sum(thread.is_alive() for thread in threads)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
            with self._lock:
                self._open.add(plain)
                self._threads.add(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with plain, suppress(OSError, ssl.SSLError, EOFError):
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plain.settimeout(_HANDSHAKE_SECONDS)
                with self._tls.wrap_socket(plain, server_side=True) as secure:
                    secure.settimeout(_IDLE_SECONDS)
                    self._track(plain, secure)
                    self._converse(secure)
        finally:
            self._untrack(plain)

    def _track(self, plain: socket.socket, secure: socket.socket) -> None:
        with self._lock:
            self._open.discard(plain)
            self._open.add(secure)
        if self._stopping.is_set():
            raise EOFError

    def _untrack(self, plain: socket.socket) -> None:
        with self._lock:
            self._open = {
                connection for connection in self._open if connection is not plain and connection.fileno() != -1
            }
            self._threads.discard(threading.current_thread())

    def _converse(self, secure: ssl.SSLSocket) -> None:
        with secure.makefile("rb", buffering=65_536) as stream:
            while not self._stopping.is_set():
                try:
                    request = _read(cast(BinaryIO, stream), secure)
                except Refused as refused:
                    secure.sendall(_write(refused.response, self.app.http_date(), accepts_gzip=False, close=True))
                    return
                try:
                    response = self.app.handle(request)
                except Exception:
                    secure.sendall(_write(_BROKEN, self.app.http_date(), accepts_gzip=False, close=True))
                    raise
                if not self._answer(secure, request, response):
                    return

    def _answer(self, secure: ssl.SSLSocket, request: Request, response: Response) -> bool:
        if response.wait:
            time.sleep(response.wait)
        if response.drop:
            return False
        close = request.headers.get("connection", "").lower() == "close"
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        data = _write(response, self.app.http_date(), accepts_gzip=accepts and response.cut is None, close=close)
        if response.cut is not None:
            secure.sendall(data[: len(data) - len(response.body) + response.cut])
            return False
        secure.sendall(data)
        return not close


@contextmanager
def running(app: App, *, port: int = 0, cert_dir: Path | None = None) -> Iterator[RunningServer]:
    """Serves `app` for the length of a `with` block; the certificate files live in `cert_dir` or a temporary folder."""
    with TemporaryDirectory(prefix="sandbox-") as temporary:
        server = SandboxServer(app, cert_dir or Path(temporary), port=port).start()
        try:
            yield server
        finally:
            server.stop()


@cache
def _authority() -> trustme.CA:
    return trustme.CA(organization_name="Sandbox", organization_unit_name="Not for use outside this machine")


def _certificate(cert_dir: Path) -> tuple[ssl.SSLContext, Path]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    cert_dir.mkdir(parents=True, exist_ok=True)
    bundle = cert_dir / "ca.pem"
    _authority().cert_pem.write_to_path(str(bundle))
    return context, bundle


def _read(stream: BinaryIO, secure: ssl.SSLSocket) -> Request:
    line = stream.readline(URI_LIMIT + 64)
    if not line:
        raise EOFError
    parts = line.decode("latin-1").split()
    if len(line) > URI_LIMIT or len(parts) != 3:
        raise Refused(414, "URI Too Long") if len(line) > URI_LIMIT else Refused(400, "Bad Request")
    headers = _read_headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        secure.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(parts[0].upper(), parts[1], headers, _read_body(stream, headers))


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    while (line := stream.readline(HEADER_LIMIT + 2)) not in (b"\r\n", b"\n"):
        size += len(line)
        if not line:
            raise EOFError
        if size > HEADER_LIMIT:
            raise Refused(431, "Request Header Fields Too Large")
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(stream))
    else:
        length = int(headers.get("content-length", "0"))
        body = stream.read(length) if length else b""
        if len(body) < length:
            raise EOFError
    return gzip.decompress(body) if headers.get("content-encoding", "").lower() == "gzip" else body


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while size := int(stream.readline().partition(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


def _write(response: Response, date: str, *, accepts_gzip: bool, close: bool) -> bytes:
    body = response.body
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}", f"Date: {date}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if accepts_gzip and len(body) >= _GZIP_FROM:
        body = gzip.compress(body, compresslevel=1)
        lines.append("Content-Encoding: gzip")
    if response.status not in _NO_BODY:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if response.status in _NO_BODY else body)


def _phrase(status: int) -> str:
    """The words of a status; vendors and the front ends before them use some that are nobody's standard."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
