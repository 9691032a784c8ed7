"""Requests and responses of the pretend CRMs: plain values between the HTTPS server and an application."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """One call. `target` is the path with its query as sent; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def segments(self) -> list[str]:
        """The parts of the path, decoded; empty ones are left out."""
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of a repeated one the last."""
        return _last(parse_qs(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body."""
        return _last(parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def content_type(self) -> str:
        """The type of the body, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Response:
    """One answer. `drop` closes the connection instead; `cut` sends only so many bytes of the body; `wait` is in seconds."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    wait: float = 0.0


class App(Protocol):
    """What the server hosts."""

    def handle(self, request: Request) -> Response:
        """Answers one call; called from many threads at once."""
        ...

    def http_date(self) -> str:
        """The value of the Date header."""
        ...


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status, text.encode(), {"Content-Type": JSON_TYPE} | dict(headers or {}))


def _last(parsed: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in parsed.items()}
