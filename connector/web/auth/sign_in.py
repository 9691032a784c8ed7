"""How users of the CRM sign in.

Whoever opens the link on the CRM record types their address. If it is an active user's, a one-time link is mailed to it, by the service
and not by the page: the page that answers is the same for every address, and as fast. Opening the mailed link does not use it up,
because scanners open it first; its button does, in the browser that asked for it.
"""

import math
import re
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from connector.model import normalized_address
from connector.store import new_id
from connector.store.ops.sign_ins import LINK_LIFE, SignInRequest, ask, asked_in, must_wait, use_link
from connector.surveys.tokens import ForgedToken
from connector.web.auth.origin import is_from_us
from connector.web.auth.session import browser_for, browser_of, close_session, keep_browser, open_session
from connector.web.pages.forms import Fields, clean, form_fields
from connector.web.pages.problems import READ
from connector.web.pages.staff import note, safe_account, staff
from connector.web.parts import WebParts
from connector.web.server.client import source_of

MINUTES: Final = int(LINK_LIFE.total_seconds() // 60)
LONGEST_ADDRESS: Final = 254
"""Characters of an e-mail address (RFC 5321)."""
_ADDRESS: Final = re.compile(r"\S+@\S+")
"""What may be an address; whose it is, nobody is told here."""
_ASKED: Final = (
    "If the address belongs to an active user of the CRM, a link is on its way to it. "
    f"It is good for {MINUTES} minutes, in this browser."
)
_USED_UP: Final = f"A link works once, within {MINUTES} minutes of being sent. Ask for a new one where you came from."


def sign_in_routes(parts: WebParts) -> APIRouter:
    """Return the routes by which users of the CRM sign in and out."""
    router = APIRouter()

    @router.post("/sign-in")
    def ask_for_link(request: Request, fields: Fields = Depends(form_fields)) -> Response:  # noqa: B008 - FastAPI's way
        return _asked(request, fields, parts) if is_from_us(request, parts) else _not_from_us(parts)

    @router.api_route("/sign-in/{token}", methods=READ)
    def confirm(request: Request, token: str, account: str = "") -> Response:
        nonce, browser = _nonce(parts, token), browser_of(request, parts)
        with parts.store.read() as tx:
            asked = asked_in(tx, nonce, parts.clock.now()) if nonce is not None else None
        if asked is None:
            return _used_up(parts)
        if not browser or asked != browser:
            return _elsewhere(parts, safe_account(account))
        return staff(parts, "sign_in_confirm.html", token=token, account=safe_account(account))

    @router.post("/sign-in/{token}")
    def enter(request: Request, token: str, account: str = "") -> Response:
        if not is_from_us(request, parts):
            return _not_from_us(parts)
        nonce, browser = _nonce(parts, token), browser_of(request, parts)
        now = parts.clock.now()
        with parts.store.read() as tx:
            asked = asked_in(tx, nonce, now) if nonce is not None else None
        if nonce is None or asked is None:
            return _used_up(parts)
        if not browser or asked != browser:
            return _elsewhere(parts, safe_account(account))
        email = parts.store.change(lambda tx: use_link(tx, nonce, browser, now))
        if email is None:
            return _used_up(parts)
        if not safe_account(account):
            answer = note(parts, "You are signed in", "Open an account from its record in the CRM.")
        else:
            answer = RedirectResponse(f"{parts.prefix}/accounts/{account}", status_code=303)
        open_session(answer, parts=parts, email=email)
        keep_browser(answer, browser_for(request, parts)[0], parts=parts)
        return answer

    @router.post("/sign-out")
    def leave(request: Request) -> Response:
        if not is_from_us(request, parts):
            return _not_from_us(parts)
        answer = note(parts, "You are signed out", "Close this page, or open an account from its record in the CRM.")
        close_session(request, answer, parts=parts)
        return answer

    return router


def _asked(request: Request, fields: Fields, parts: WebParts) -> Response:
    typed, account_id = clean(fields.get("address", "")), safe_account(fields.get("account", ""))
    if len(typed) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(typed):
        shown = typed[:LONGEST_ADDRESS]
        return staff(parts, "sign_in.html", status=422, account=account_id, elsewhere=False, typed=shown)
    browser, hashed = browser_for(request, parts)
    asked = SignInRequest(new_id(), normalized_address(typed), account_id, hashed, source_of(request, parts.tokens))
    now = parts.clock.now()
    with parts.store.read() as tx:
        wait = must_wait(tx, asked, now)
    if wait is None:
        wait = parts.store.change(lambda tx: ask(tx, asked, now))
    if wait is not None:
        return _too_many(parts, wait)
    # Whether the address is known, and its mail: not here, where how long it takes would tell.
    parts.on_sign_in()
    answer = note(parts, "Look into your mailbox", _ASKED)
    keep_browser(answer, browser, parts=parts)
    return answer


def _nonce(parts: WebParts, token: str) -> str | None:
    try:
        return parts.tokens.read_sign_in(token)
    except ForgedToken:
        return None


def _used_up(parts: WebParts) -> Response:
    return note(parts, "This link cannot be used any more", _USED_UP, status=410)


def _elsewhere(parts: WebParts, account_id: str) -> Response:
    """Let whoever opens a link in another browser ask for one there."""
    return staff(parts, "sign_in.html", status=403, account=account_id, elsewhere=True, typed=None)


def _not_from_us(parts: WebParts) -> Response:
    text = "This came from another site's page, so nothing was done. Open our page itself, and press the button there."
    return note(parts, "Nothing was done", text, status=403)


def _too_many(parts: WebParts, wait: timedelta) -> Response:
    minutes = math.ceil(wait.total_seconds() / 60)
    text = f"Many links were asked for lately. Look into your mailbox, or ask again in {minutes} minute{'' if minutes == 1 else 's'}."
    answer = note(parts, "Please wait a little", text, status=429)
    answer.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return answer
