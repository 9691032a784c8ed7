"""Where a mail provider, or a script that reads the bounce mailbox, reports mail that did not arrive.

The address holds a signature, so nobody else can report: ``POST /bounces/{token}`` with JSON, one object or a list of them, each
``{"message_id": "…", "reason": "…"}``. A report is kept as it came and taken in by the next lap; the same one again changes nothing.
"""

import hashlib
import json
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from connector.domain.text_cutting import cut
from connector.store import Transaction
from connector.store.surveys import inbox
from connector.surveys.tokens import ForgedToken
from connector.web.pages.forms import clean, limited_body
from connector.web.parts import WebParts

LONGEST_ID: Final = 998
"""Characters of a message's id: a line of a header holds no more (RFC 5322)."""
LONGEST_REASON: Final = 500
Report = dict[str, str]


def bounce_routes(parts: WebParts) -> APIRouter:
    """Return the one route."""
    router = APIRouter()

    @router.post("/bounces/{token}")
    async def report(token: str, request: Request) -> Response:
        try:
            parts.tokens.check_bounces(token)
        except ForgedToken:
            return JSONResponse({"error": "This is not an address of ours."}, status_code=404)
        reports = _reports(await limited_body(request))
        if reports is None:
            return JSONResponse({"error": "Send JSON: message_id and reason, or a list of them."}, status_code=422)
        await run_in_threadpool(_keep, parts, reports)
        return JSONResponse({"kept": len(reports)}, status_code=202)

    return router


def _reports(body: bytes) -> list[Report] | None:
    """Read the reports; None when the body is anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    rows = document if isinstance(document, list) else [document]
    reports = [_report(row) for row in rows]
    return [report for report in reports if report is not None] if all(reports) else None


def _report(row: object) -> Report | None:
    if not isinstance(row, dict) or not isinstance(row.get("message_id"), str):
        return None
    message_id = clean(row["message_id"]).strip("<>")[:LONGEST_ID]
    reason = row.get("reason")
    short_reason = cut(clean(reason), LONGEST_REASON) if isinstance(reason, str) else ""
    return {"message_id": message_id, "reason": short_reason} if message_id else None


def _keep(parts: WebParts, reports: list[Report]) -> None:
    keyed = {_key(report): report for report in reports}
    with parts.store.read() as tx:
        kept = inbox.received(tx, inbox.BOUNCE, keyed)
    if kept == keyed.keys():
        return
    now = parts.clock.now()

    def receive(tx: Transaction) -> None:
        for key, report in sorted(keyed.items()):  # in one order, so that no two wait for each other
            inbox.receive(tx, inbox.BOUNCE, key, report, now)

    parts.store.change(receive)


def _key(report: Report) -> str:
    """Name a report. There can be several about one message: that it is late, and in the end that it has come back."""
    named = hashlib.sha256(f"{report['message_id']}\n{report['reason']}".encode()).hexdigest()[:16]
    return f"{report['message_id'][: LONGEST_ID - len(named) - 1]} {named}"
