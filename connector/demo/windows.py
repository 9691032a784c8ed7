"""What there is to look at besides the product: the mail that arrived, and the CRMs' record pages without a home-made certificate."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request

from adapters.sandbox.web import Request as CrmRequest
from adapters.sandbox.workplaces.crm import Crm
from connector.cli.output.results import many
from connector.demo.mail import ArrivedMail, Inbox

LOOK_S: Final = 60.0
"""Seconds for which somebody who has opened a page counts as looking at it: enough to sign in by a link that comes by mail."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2733 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .4rem .8rem .4rem 0; vertical-align: top }
tr { border-bottom: 1px solid #d8dee4 } iframe { width: 100%; height: 60rem; border: 1px solid #d8dee4 }
a { color: #0b5cad } .quiet { color: #57606a } td { overflow-wrap: anywhere }
@media (max-width: 40rem) { td, th { display: block; padding-bottom: 0 } tr td:last-child { padding-bottom: .4rem }
  .heads { display: none } }
"""

_WHOLE_MAIL = """
const mail = document.querySelector("iframe");
const grow = () => { mail.style.height = "0"; mail.style.height = mail.contentDocument.documentElement.scrollHeight + 2 + "px"; };
mail.addEventListener("load", grow);
addEventListener("resize", grow);
if (mail.contentDocument.readyState === "complete") grow();
"""
"""Makes the frame as high as the mail in it."""


@dataclass(frozen=True, slots=True)
class CrmPages:
    """One CRM's pages in the demo."""

    crm: Crm
    url: str
    """Where the CRM itself is served: links to it in mails lead to the same pages here."""
    picks: Mapping[str, str] = field(default_factory=dict)
    """Records worth a look: the path of each by its name."""
    user: str = ""
    """The address of a CRM user who may open our own pages about them."""


class PageViews:
    """When a page of the demo was opened last."""

    def __init__(self) -> None:
        self._last = -LOOK_S

    def note(self) -> None:
        """Note that somebody opened a page."""
        self._last = time.monotonic()

    def lately(self) -> bool:
        """Whether that was less than `LOOK_S` ago."""
        return time.monotonic() - self._last < LOOK_S


def demo_app(inbox: Inbox, crms: Sequence[CrmPages], views: PageViews) -> FastAPI:
    """Return the application, which notes every page that is opened in `views`."""
    app = FastAPI(title="Demo", docs_url=None, redoc_url=None, openapi_url=None)
    for crm_pages in crms:
        _add_pages(app, crm_pages.crm)

    @app.middleware("http")
    async def note_look(request: Request, call_next: RequestResponseEndpoint) -> Response:
        views.note()
        return await call_next(request)

    @app.get("/")
    def home() -> Response:
        return _page("The demo", _home(crms, len(inbox)))

    @app.get("/inbox")
    def all_mails() -> Response:
        return _page("Inbox", _list(inbox.since()))

    @app.get("/inbox/{number}")
    def one_mail(number: int) -> Response:
        return _page(_mail_of(inbox, number).subject, _reader(_mail_of(inbox, number)))

    @app.get("/inbox/{number}/body")
    def body(number: int, request: Request) -> Response:
        own_url = str(request.base_url).rstrip("/")
        html = _mail_of(inbox, number).html
        for crm_pages in crms:
            html = html.replace(crm_pages.url, own_url)
        return HTMLResponse(html.replace("<head>", '<head><base target="_blank">', 1))

    return app


def _add_pages(app: FastAPI, crm: Crm) -> None:
    """Hand on what a CRM's own pages are asked."""

    async def record_pages(request: Request) -> Response:
        answer = crm.handle(await _as_crm_request(request))
        return Response(answer.body, answer.status, dict(answer.headers))

    app.add_api_route(f"/{crm.page_root}", record_pages, methods=["GET"])
    app.add_api_route(f"/{crm.page_root}/{{_rest:path}}", record_pages, methods=["GET", "POST"])


def _home(crms: Sequence[CrmPages], mails: int) -> str:
    rows = "".join(
        _row(f"Pretend {crm_pages.crm.title}", {"All records": f"/{crm_pages.crm.page_root}", **crm_pages.picks})
        for crm_pages in crms
    )
    rows += _row("ArrivedMail", {f"{many(mails, 'mail')} so far": "/inbox"})
    users = " or ".join(sorted({crm_pages.user for crm_pages in crms if crm_pages.user}))
    notes = (
        "A customer who stands in both CRMs is one customer: both records show the same score.",
        "Open a mail and answer yourself: the record shows it a moment later.",
        f"On a record, <em>Open in Afterword</em> shows every answer. Sign in there as {escape(users)}: the link comes by mail.",
        "After the first two weeks an hour passes every few seconds. While you look, it does not: "
        "time stands still for a minute after each page that you open here.",
    )
    return f"<table>{rows}</table>" + "".join(f"<p>{note}</p>" for note in notes)


def _row(name: str, links: Mapping[str, str]) -> str:
    shown = " · ".join(f'<a href="{escape(href)}">{escape(text)}</a>' for text, href in links.items())
    return f"<tr><th>{escape(name)}</th><td>{shown}</td></tr>"


async def _as_crm_request(request: Request) -> CrmRequest:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return CrmRequest(request.method, target, dict(request.headers), await request.body())


def _mail_of(inbox: Inbox, number: int) -> ArrivedMail:
    mail = inbox.get(number)
    if mail is None:
        raise HTTPException(404, "There is no such mail.")
    return mail


def _list(mails: list[ArrivedMail]) -> str:
    rows = "".join(
        f'<tr><td class="quiet">{mail.at:%a %d %b %H:%M}</td><td>{escape(mail.to)}</td>'
        f'<td><a href="/inbox/{mail.number}">{escape(mail.subject)}</a></td></tr>'
        for mail in reversed(mails)
    )
    return (
        f"<table><tr class=heads><th>When (UTC)</th><th>To</th><th>Subject</th></tr>{rows}</table>"
        if mails
        else "<p>No mail yet.</p>"
    )


def _reader(mail: ArrivedMail) -> str:
    return (
        f'<p class="quiet">To {escape(mail.to)}, {mail.at:%a %d %b %H:%M} UTC · <a href="/inbox">Inbox</a></p>'
        f'<iframe src="/inbox/{mail.number}/body" title="The mail" '
        # Mail runs no scripts here, so that it may count as ours: the page then sees how long it is and shows all of it.
        'sandbox="allow-popups allow-popups-to-escape-sandbox allow-same-origin"></iframe>'
        f"<script>{_WHOLE_MAIL}</script>"
    )


def _page(title: str, content: str) -> Response:
    shown = escape(title)
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="data:,">'
        f"<title>{shown}</title><style>{_STYLE}</style><h1>{shown}</h1>{content}</html>"
    )
