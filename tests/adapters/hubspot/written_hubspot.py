"""A pretend wire to HubSpot: every answer is written by the test."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import urllib3

HOST = "https://api.hubapi.com"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HTTP_NOON = "Fri, 20 Nov 2026 12:00:00 GMT"
TOKEN = "pat-na1-0000-secret"


class SteppingClock:
    """Stands still but for the naps that are taken by it."""

    def __init__(self) -> None:
        self.moment = NOON
        self.naps: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass
class Request:
    """What the adapter sent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    timeout: Any


@dataclass
class Reply:
    """What the test lets HubSpot answer."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"


Handler = Callable[[Request], Reply | Exception]


class Wire:
    """Answers requests in the order that the test lays down for each method and path, and remembers them."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.queues: dict[tuple[str, str], list[Reply | Exception]] = {}
        self.handlers: dict[tuple[str, str], Handler] = {}

    def answer(self, method: str, path: str, body: Any = None, **rest: Any) -> None:
        """Queue one answer; the last one queued stays."""
        self.queues.setdefault((method, path), []).append(Reply({} if body is None else body, **rest))

    def fail(self, method: str, path: str, error: Exception) -> None:
        """Queue a failure of the network."""
        self.queues.setdefault((method, path), []).append(error)

    def handle(self, method: str, path: str, handler: Handler) -> None:
        """Answer by a function."""
        self.handlers[method, path] = handler

    def properties(self, object_name: str, *names: str, **kinds: str) -> None:
        """Let an object have text properties, and others by their type."""
        rows = [definition(name) for name in names] + [definition(name, kind) for name, kind in kinds.items()]
        self.answer("GET", f"/crm/properties/2026-03/{object_name}", {"results": rows})

    def sent(self, method: str, path: str) -> list[Request]:
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    def request(self, method: str, url: str, **rest: Any) -> urllib3.HTTPResponse:
        parts = urlsplit(url)
        fields = dict(rest.get("fields") or {}) | dict(parse_qsl(parts.query))
        body = json.loads(rest["body"]) if rest.get("body") else None
        made = Request(
            method, parts.path, {k: str(v) for k, v in fields.items()}, body, rest["headers"], rest["timeout"]
        )
        self.requests.append(made)
        reply = self._reply(made)
        if isinstance(reply, Exception):
            raise reply
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        headers = {"Date": HTTP_NOON, "Content-Type": reply.content_type, **reply.headers}
        return urllib3.HTTPResponse(io.BytesIO(text.encode()), headers=headers, status=reply.status)

    def _reply(self, made: Request) -> Reply | Exception:
        place = (made.method, made.path)
        if place in self.handlers:
            return self.handlers[place](made)
        queue = self.queues.get(place)
        assert queue, f"nobody expected {made}"
        return queue.pop(0) if len(queue) > 1 else queue[0]


def definition(name: str, kind: str = "string", **rest: Any) -> dict[str, Any]:
    """Return a property as HubSpot lists it."""
    shape = {"string": "text", "enumeration": "select", "bool": "booleancheckbox"}.get(kind, kind)
    return {
        "name": name,
        "label": name.capitalize(),
        "type": kind,
        "fieldType": shape,
        "options": [],
        "calculated": False,
        "hasUniqueValue": False,
        "modificationMetadata": {"readOnlyValue": False},
        **rest,
    }


def refusal(message: str, category: str = "VALIDATION_ERROR", **rest: Any) -> dict[str, Any]:
    """Return an error in HubSpot's form."""
    return {"status": "error", "message": message, "correlationId": "c-1", "category": category, **rest}


def property_error(code: str, message: str, name: str) -> dict[str, Any]:
    """Return the error of a property as HubSpot wraps it."""
    inner = [{"isValid": False, "message": message, "error": code, "name": name}]
    rows = [{"message": message, "code": code, "context": {"propertyName": [name]}}]
    return refusal(f"Property values were not valid: {json.dumps(inner)}", errors=rows)
