"""The page of one account, for users of the CRM, and how they sign in.

Whoever opens the link on the CRM record types their address. If it is an active user's, a one-time link is mailed to it. The page that
answers is the same for every address. Opening the mailed link does not use it up, because scanners open it first; its button does.
"""

import re
from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks, Depends
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from connector.model import one_spelling
from connector.store import new_id
from connector.store.visiting import LINK_LIFE, account_view, connections_of, keep_link, use_link
from connector.surveys.mail import sign_in_message
from connector.surveys.tokens import ForgedToken
from connector.surveys.wording import wording
from connector.web.forms import Fields, form_fields
from connector.web.pages import page
from connector.web.parts import WebParts
from connector.web.session import close_session, open_session, reach
from connector.web.trouble import READ
from connector.why import not_asked

MINUTES: Final = int(LINK_LIFE.total_seconds() // 60)
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USED_UP = f"A link works once, within {MINUTES} minutes of being asked for. Ask for a new one where you came from."


def account_routes(parts: WebParts) -> APIRouter:
    """Return the routes for users of the CRM."""
    router = APIRouter()

    @router.api_route("/accounts/{account_id}", methods=READ)
    def show(request: Request, account_id: str) -> Response:
        seen = reach(request, parts=parts)
        if seen is None:
            return _staff(parts, "sign_in.html", account=account_id)
        with parts.store.read() as connection:
            view = account_view(connection, account_id, crms=seen)
        if view is None:
            return _note(parts, "There is nothing to see here", "No account of your CRM has this address.", status=404)
        log = not_asked(parts.store, view.accounts, tz=parts.site.zone)
        return _staff(parts, "account.html", view=view, log=log)

    @router.post("/sign-in")
    def ask(tasks: BackgroundTasks, fields: Fields = Depends(form_fields)) -> Response:  # noqa: B008 - FastAPI's way
        # After the answer: how long it takes must not tell whether the address is known.
        tasks.add_task(_send_link, parts, one_spelling(fields.get("address", "")), fields.get("account", ""))
        text = f"If the address belongs to an active user of the CRM, a link is on its way to it. It is good for {MINUTES} minutes."
        answer = _note(parts, "Look into your mailbox", text)
        answer.background = tasks
        return answer

    @router.api_route("/sign-in/{token}", methods=READ)
    def confirm(token: str, account: str = "") -> Response:
        return _staff(parts, "sign_in_confirm.html", token=token, account=_safe(account))

    @router.post("/sign-in/{token}")
    def enter(token: str, account: str = "") -> Response:
        email = _used(parts, token)
        if email is None:
            return _note(parts, "This link cannot be used any more", _USED_UP, status=410)
        if not _safe(account):
            answer = _note(parts, "You are signed in", "Open an account from its record in the CRM.")
        else:
            answer = RedirectResponse(f"{parts.prefix}/accounts/{account}", status_code=303)
        open_session(answer, parts=parts, email=email)
        return answer

    @router.post("/sign-out")
    def leave() -> Response:
        answer = _note(parts, "You are signed out", "Close this page, or open an account from its record in the CRM.")
        close_session(answer, parts=parts)
        return answer

    return router


def _send_link(parts: WebParts, email: str, account_id: str) -> None:
    nonce = new_id()
    with parts.store.write() as connection:
        known = bool(connections_of(connection, email))
        if not known or not keep_link(connection, nonce, email, parts.clock.now()):
            return
    link = f"{parts.site.public_url.rstrip('/')}/sign-in/{parts.tokens.sign_in(nonce)}?account={_safe(account_id)}"
    message_id = parts.site.message_id(f"sign-in-{new_id()}")
    parts.send_sign_in(sign_in_message(email, site=parts.site, link=link, minutes=MINUTES, message_id=message_id))


def _used(parts: WebParts, token: str) -> str | None:
    try:
        nonce = parts.tokens.read_sign_in(token)
    except ForgedToken:
        return None
    with parts.store.write() as connection:
        return use_link(connection, nonce, parts.clock.now())


def _safe(account_id: str) -> str:
    """Return the id if it can be one of ours; it becomes a part of a path."""
    return account_id if _ACCOUNT_ID.fullmatch(account_id) else ""


def _note(parts: WebParts, title: str, message: str, *, status: int = 200) -> Response:
    return _staff(parts, "trouble.html", status=status, title=title, message=message)


def _staff(parts: WebParts, template: str, *, status: int = 200, **values: Any) -> Response:
    """Users of the CRM read English, as the fields on its records do."""
    return page(template, parts=parts, status=status, words=wording("en", parts.site.zone), **values)
