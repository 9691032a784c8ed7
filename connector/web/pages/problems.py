"""What can be asked for, and what can be wrong with it, in the visitor's terms."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.requests import Request

READ: Final = ["GET", "HEAD"]
"""The methods that change nothing."""


class PageProblem(Exception):
    """Ends a request with a page that says what to do. `kind` names the texts ``page.<kind>`` and ``page.<title>``."""

    def __init__(
        self, status: int, kind: str, *, title: str | None = None, language: str | None = None, **values: object
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.title = title or f"{kind}_title"
        self.language = language
        """None: as the browser prefers."""
        self.values: Mapping[str, object] = values
        self.headers: Mapping[str, str] = {}


class TooBig(PageProblem):
    """The body is larger than any answer can be."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, "too_big", limit=limit)


class TooOften(PageProblem):
    """An answer was corrected more often than anybody has reason to."""

    def __init__(self, language: str, again_in: timedelta | None) -> None:
        super().__init__(429, "too_often", language=language)
        if again_in is not None:
            self.headers = {"Retry-After": str(math.ceil(again_in.total_seconds()))}


class UnknownLink(PageProblem):
    """A token that is forged, cut off, or of an invitation that is not there (any more)."""

    def __init__(self) -> None:
        super().__init__(404, "unknown")


def keep_typed(request: Request, text: str) -> None:
    """Have a page that ends this request show what was typed, whatever keeps it from being recorded."""
    request.state.typed = text


def typed_in(request: Request) -> str:
    """Return what `keep_typed` was given; empty for requests that brought no words."""
    return str(getattr(request.state, "typed", ""))
