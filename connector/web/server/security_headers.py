"""What protects every page: headers, and logs that show no usable link."""

import logging
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.surveys.tokens import mask_path

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class GuardHeaders:
    """Adds the headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the response back with the headers."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


class PlainCookies:
    """Takes cookies that stand in quotes out of a request: ours never do.

    Cookies are read with every request, where all pages are served, and Pythons before 3.11.10 and 3.12.6 take many seconds to undo the
    quotes of a long one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the cookies that can be ours."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [(name, _plain(name, value)) for name, value in scope["headers"]]}
        await self._app(scope, receive, send)


def _plain(name: bytes, value: bytes) -> bytes:
    return b";".join(cookie for cookie in value.split(b";") if b'"' not in cookie) if name == b"cookie" else value


_CAUSED_BY_ANYBODY: Final = (
    "Invalid HTTP request received",
    "Unsupported upgrade request",
    "No supported WebSocket library",
)
"""What the web server logs about requests that nobody has to do anything about."""


class MaskTokens(logging.Filter):
    """Masks the tokens in what the web server logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; False for what strangers could fill the log with."""
        if str(record.msg).startswith(_CAUSED_BY_ANYBODY):
            return False
        record.msg = mask_path(record.msg) if isinstance(record.msg, str) else record.msg
        if isinstance(record.args, tuple):
            record.args = tuple(mask_path(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def mask_server_logs() -> None:
    """Make uvicorn's loggers mask tokens, and libraries quiet about broken requests; doing it again changes nothing."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    for name in ("uvicorn.access", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(log_filter, MaskTokens) for log_filter in logger.filters):
            logger.addFilter(MaskTokens())
