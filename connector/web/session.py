"""Who is signed in: a signed cookie, good for half a working day and only while its owner is an active user of a CRM."""

from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from connector.store.visiting import connections_of
from connector.surveys.tokens import ForgedToken
from connector.web.parts import WebParts

COOKIE: Final = "afterword_session"
LIFE: Final = timedelta(hours=12)


def open_session(response: Response, *, parts: WebParts, email: str) -> None:
    """Put the cookie on the response."""
    value = parts.tokens.session(f"{int(parts.clock.now().timestamp())} {email}")
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(LIFE.total_seconds()),
        path=f"{parts.prefix}/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def close_session(response: Response, *, parts: WebParts) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path=f"{parts.prefix}/", secure=True, httponly=True, samesite="lax")


def reach(request: Request, *, parts: WebParts) -> frozenset[str] | None:
    """Return the CRMs whose accounts the visitor may see; None when nobody is signed in (any more)."""
    email = _email(request, parts)
    if email is None:
        return None
    with parts.store.read() as connection:
        return connections_of(connection, email) or None


def _email(request: Request, parts: WebParts) -> str | None:
    try:
        began, _, email = parts.tokens.read_session(request.cookies.get(COOKIE, "")).partition(" ")
    except ForgedToken:
        return None
    age = parts.clock.now() - datetime.fromtimestamp(int(began), UTC)
    return email if age < LIFE else None
