"""Which page a path means: with or without the path of the public address before it, and a slash at its end."""

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

IsPage = Callable[[Scope], bool]
"""Tells whether there is a page at the path of a request."""


class FindPages:
    """Takes from the path what proxies and people add to it.

    A proxy may keep the path of the public address or take it away; and a slash at the end is not redirected, since the address to
    redirect to would be the one that we have behind the proxy.
    """

    def __init__(self, app: ASGIApp, prefix: str, is_page: IsPage) -> None:
        self._app: Final = app
        self._prefix: Final = prefix
        self._is_page: Final = is_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the path of its page."""
        await self._app(self._found(scope) if scope["type"] == "http" else scope, receive, send)

    def _found(self, scope: Scope) -> Scope:
        bare = _at(scope, scope["path"].rstrip("/"))
        if self._prefix and f"{bare['path']}/".startswith(f"{self._prefix}/"):
            inner = _at(scope, bare["path"].removeprefix(self._prefix))
            # The public address may be https://acme.example/s: then /s/TOKEN is a page already.
            if self._is_page(inner):
                return inner
        return bare


def _at(scope: Scope, path: str) -> Scope:
    return {**scope, "path": path or "/", "raw_path": (path or "/").encode()}
