"""Several calls in one: composite (dependent on each other, all or nothing if wanted) and batch (independent)."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from adapters.sandbox.salesforce.calls import SalesforceCall, SalesforceCallNote
from adapters.sandbox.salesforce.errors import RequestError
from adapters.sandbox.web import Request, Response, json_response

MOST_CALLS = 25
MOST_QUERIES = 5
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")

Handler = Callable[[SalesforceCall], Response]


class _Halted(Exception):
    """Leaves the transaction of a composite call that must hold as a whole."""


def composite(call: SalesforceCall, answer: Handler) -> Response:
    """POST composite: up to 25 calls, later ones may name the results of earlier ones by @{reference.field}."""
    body = call.json_object()
    parts = _parts(body.get("compositeRequest"))
    if sum(1 for part in parts if _is_wide(part)) > MOST_QUERIES:
        raise RequestError("INVALID_INPUT", f"Cannot have more than {MOST_QUERIES} query or collection requests")
    call.note = SalesforceCallNote("read")
    results: list[dict[str, Any]] = []
    try:
        with call.org.store.transaction():
            _run_all(call, parts, results, answer, halt=bool(body.get("allOrNone")))
    except _Halted:
        results = _halted(parts, results)
    return json_response({"compositeResponse": results})


def _run_all(
    call: SalesforceCall, parts: list[dict[str, Any]], results: list[dict[str, Any]], answer: Handler, *, halt: bool
) -> None:
    for part in parts:
        results.append(_run(call, part, results, answer))
        if halt and results[-1]["httpStatusCode"] >= 400:
            raise _Halted


def batch(call: SalesforceCall, answer: Handler) -> Response:
    """POST composite/batch: up to 25 independent calls, each of which counts as a call."""
    body = call.json_object()
    parts = _parts(body.get("batchRequests"))
    call.note = SalesforceCallNote("read")
    results = []
    for part in parts:
        response = answer(
            _inner(call, part["method"], "/services/data/" + part["url"].lstrip("/"), part.get("richInput"))
        )
        call.org.limits.count()
        results.append({"statusCode": response.status, "result": _body(response)})
        if body.get("haltOnError") and response.status >= 400:
            break
    failed = any(result["statusCode"] >= 400 for result in results)
    return json_response({"hasErrors": failed, "results": results})


def _parts(requests: Any) -> list[dict[str, Any]]:
    if not isinstance(requests, list) or not requests:
        raise RequestError("INVALID_INPUT", "Request must contain at least one subrequest")
    if len(requests) > MOST_CALLS:
        raise RequestError("LIMIT_EXCEEDED", f"Cannot have more than {MOST_CALLS} subrequests")
    return requests


def _is_wide(part: dict[str, Any]) -> bool:
    path = urlsplit(str(part.get("url", ""))).path
    return "/query" in path or "/composite/sobjects" in path


def _run(call: SalesforceCall, part: dict[str, Any], earlier: list[dict[str, Any]], answer: Handler) -> dict[str, Any]:
    try:
        url, inner = _filled(part["url"], earlier), _filled(part.get("body"), earlier)
    except RequestError as error:
        return _result(part, error.status, error.body())
    response = answer(_inner(call, part["method"], url, inner))
    return _result(part, response.status, _body(response), dict(response.headers))


def _inner(call: SalesforceCall, method: str, url: str, body: Any) -> SalesforceCall:
    headers = {name: value for name, value in call.request.headers.items() if name != "content-type"}
    if body is not None:
        headers["content-type"] = "application/json"
    request = Request(method.upper(), url, headers, b"" if body is None else json.dumps(body).encode())
    inner = replace(call, request=request, note=SalesforceCallNote())
    if method.upper() != "GET":
        call.note.kind = "write"
    call.note.rows += 1
    return inner


def _filled(value: Any, earlier: list[dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, earlier) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, earlier) for item in value]
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda match: str(_looked_up(match, earlier)), value)


def _looked_up(match: re.Match[str], earlier: list[dict[str, Any]]) -> Any:
    reference, path = match.groups()
    result = next((candidate for candidate in earlier if candidate["referenceId"] == reference), None)
    if result is None or result["httpStatusCode"] >= 400:
        raise RequestError("PROCESSING_HALTED", f"Invalid reference specified. No value for {match.group(0)} found")
    value = result["body"]
    for name, index in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            words = f"Invalid reference specified. No value for {match.group(0)} found in {reference}"
            raise RequestError("PROCESSING_HALTED", words) from None
    return value


def _body(response: Response) -> Any:
    return json.loads(response.body) if response.body else None


def _result(part: dict[str, Any], status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    kept = {name: value for name, value in (headers or {}).items() if name == "Location"}
    return {"body": body, "httpHeaders": kept, "httpStatusCode": status, "referenceId": part.get("referenceId")}


def _halted(parts: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The result of a composite that was undone: the failed call keeps its error, the others say why they are void."""
    words = "The transaction was rolled back since another operation in the same transaction failed."
    void = RequestError("PROCESSING_HALTED", words).body()
    kept = results[-1]
    return [kept if at == len(results) - 1 else _result(part, 400, void) for at, part in enumerate(parts)]
