"""Who is signed in: a session in the store, good for half a working day and only while its owner is an active user of a CRM.

The browser that asks for a link keeps a value of its own, and the link is good in that browser alone: whoever sends somebody else a
link of theirs signs nobody in.
"""

import hashlib
import re
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from connector.store.ops.sign_ins import (
    KNOWN_BROWSER,
    SESSION_LIFE,
    begin_session,
    connections_of,
    end_session,
    signed_in,
)
from connector.surveys.tokens import ForgedToken
from connector.web.parts import WebParts

_SECURE: Final = "__Secure-"
"""A name with this at its start is taken by browsers over https alone."""
_SESSION: Final = "afterword"
_BROWSER: Final = "afterword-browser"
_RANDOM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


# ── the browser that asks ────────────────────────────────────────────────────────────────────────────────────────────


def browser_of(request: Request, parts: WebParts) -> str:
    """Return what a browser keeps, hashed; empty where it keeps nothing of ours."""
    kept = _kept(request, parts)
    return _hashed(kept) if kept else ""


def browser_for(request: Request, parts: WebParts) -> tuple[str, str]:
    """Return the value that a browser keeps, or is to keep from now on, and its hash."""
    value = _kept(request, parts) or secrets.token_urlsafe(32)
    return value, _hashed(value)


def keep_browser(response: Response, value: str, *, parts: WebParts) -> None:
    """Have the browser keep the value: links are good where they were asked for, and it is known again for a while."""
    seconds = int(KNOWN_BROWSER.total_seconds())
    _set(response, _BROWSER, value, parts=parts, path=_sign_in_path(parts), seconds=seconds)


def _kept(request: Request, parts: WebParts) -> str:
    value = request.cookies.get(_name(_BROWSER, parts), "")
    return value if _RANDOM.fullmatch(value) else ""


def _sign_in_path(parts: WebParts) -> str:
    return f"{parts.prefix}/sign-in"


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_session(response: Response, *, parts: WebParts, email: str) -> None:
    """Begin a session and put its cookie on the response."""
    secret = secrets.token_urlsafe(32)
    with parts.store.write() as tx:
        begin_session(tx, _hashed(secret), email, parts.clock.now())
    seconds = int(SESSION_LIFE.total_seconds())
    _set(response, _SESSION, parts.tokens.session(secret), parts=parts, path=_path(parts), seconds=seconds)


def close_session(request: Request, response: Response, *, parts: WebParts) -> None:
    """End the session, wherever its cookie may have got to, and take the cookie away."""
    session = _session(request, parts)
    if session is not None and _goes_on(session, parts):
        with parts.store.write() as tx:
            end_session(tx, session, parts.clock.now())
    name = _name(_SESSION, parts)
    response.delete_cookie(name, path=_path(parts), secure=True, httponly=True, samesite="lax")


def reach(request: Request, *, parts: WebParts) -> frozenset[str] | None:
    """Return the CRMs whose accounts the visitor may see; None when nobody is signed in (any more)."""
    session = _session(request, parts)
    if session is None:
        return None
    with parts.store.read() as tx:
        email = signed_in(tx, session, parts.clock.now())
        known = connections_of(tx, email) if email is not None else frozenset()
    return known.intersection(parts.crms) or None


def _goes_on(session: str, parts: WebParts) -> bool:
    with parts.store.read() as tx:
        return signed_in(tx, session, parts.clock.now()) is not None


def _session(request: Request, parts: WebParts) -> str | None:
    """Return the id of the session that a browser keeps."""
    try:
        return _hashed(parts.tokens.read_session(request.cookies.get(_name(_SESSION, parts), "")))
    except ForgedToken:
        return None


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# ── cookies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _name(name: str, parts: WebParts) -> str:
    return f"{_SECURE}{name}" if parts.site.public_url.startswith("https:") else name


def _path(parts: WebParts) -> str:
    return parts.prefix or "/"


def _set(response: Response, name: str, value: str, *, parts: WebParts, path: str, seconds: int) -> None:
    response.set_cookie(
        _name(name, parts), value, max_age=seconds, path=path, secure=True, httponly=True, samesite="lax"
    )
