"""What the pages of all pretend CRMs share around a record: the frame, who is at the screen, and no scripts at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.sandbox.web import Request, Response

_HERE = Path(__file__).parent
_COOKIE = "sandbox_user"
_HTML = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Tab(NamedTuple):
    """A kind of record with a list of its own."""

    name: str
    label: str
    href: str


@dataclass(frozen=True)
class Frame:
    """What stands around a page: who looks (`user`) among whom (id and words), the tabs, the time and its zone."""

    user: str
    people: Sequence[tuple[str, str]]
    organization: str
    tabs: Sequence[Tab]
    now: str
    zone: str


@dataclass(frozen=True)
class SandboxSite:
    """The pages of one pretend CRM: whose name it bears, and under which path they lie; the first page is `home`."""

    crm: str
    maker: str
    root: str
    home: str

    def chosen(self, request: Request) -> str:
        """The id of the user that somebody has chosen; empty for none."""
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            cookie = None
        return cookie.value if cookie else ""

    def switched(self, request: Request, user: str) -> Response:
        """Back to where somebody was, from now on as another user; empty for the same one."""
        back = request.form.get("back", "")
        # Only to our own pages: the address came with the form, and anybody can send one.
        target = back if back.startswith(f"{self.root}/") else self.home
        response = see(quote(target, safe="/?=&%"))
        if not user:
            return response
        cookie = f"{_COOKIE}={user}; Path={self.root}; HttpOnly; SameSite=Strict"
        return Response(303, b"", {**response.headers, "Set-Cookie": cookie})

    def page(self, template: str, frame: Frame, *, status: int = 200, **values: Any) -> Response:
        """A page of HTML."""
        usual = {"site": self, "frame": frame, "tab": "", "wanted": "", "back": self.home}
        text = _templates().get_template(template).render(usual | values)
        return Response(status, text.encode(), _HTML)

    def nothing(self, frame: Frame) -> Response:
        """What is shown where there is nothing."""
        return self.page("nothing.html", frame, status=404, title="Nothing here")

    def listing(self, frame: Frame, tab: Tab, request: Request, **values: Any) -> Response:
        """The list of a tab."""
        wanted = wanted_in(request)
        here = f"{tab.href}?{urlencode({'q': wanted})}&page="
        return self.page(
            "list.html", frame, title=tab.label, tab=tab.name, wanted=wanted, page=page_in(request), here=here, **values
        )


def wanted_in(request: Request) -> str:
    """What somebody searches for."""
    return request.query.get("q", "").strip()


def page_in(request: Request) -> int:
    """Which page of a list, from 1."""
    text = request.query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def see(target: str) -> Response:
    """Leads on to another page."""
    return Response(303, b"", {"Location": target, "Cache-Control": "no-store"})


@cache
def style() -> Response:
    """The style sheet."""
    text = (_HERE / "static" / "page.css").read_bytes()
    return Response(200, text, {"Content-Type": "text/css; charset=utf-8"})


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
