"""Putting the web application together."""

from importlib.resources import files
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Match
from starlette.types import Scope

from connector.errors import StoreError, TooNew
from connector.surveys.tokens import MARK_HEADER
from connector.surveys.wording import preferred, wording
from connector.web.api.bounces import bounce_routes
from connector.web.auth.sign_in import sign_in_routes
from connector.web.pages.account import account_routes
from connector.web.pages.outcome import outcome_routes
from connector.web.pages.problems import READ, PageProblem, typed_in
from connector.web.pages.rendering import page
from connector.web.pages.survey import request_language, survey_routes
from connector.web.parts import WebParts
from connector.web.server.paths import FindPages
from connector.web.server.security_headers import HEADERS, GuardHeaders, PlainCookies, mask_server_logs
from connector.web.server.store_trouble import RETRY_SECONDS, store_trouble, tell_seldom


def create_app(web: WebParts) -> FastAPI:
    """Return the application for one installation."""
    app = FastAPI(title="Afterword", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(FindPages, prefix=unquote(web.prefix), is_page=lambda scope: _is_page(app, scope))
    app.add_middleware(PlainCookies)
    app.add_middleware(GuardHeaders)
    mask_server_logs()
    app.include_router(survey_routes(web))
    app.include_router(outcome_routes(web))
    app.include_router(account_routes(web))
    app.include_router(sign_in_routes(web))
    app.include_router(bounce_routes(web))
    _add_common_routes(app, web)
    _add_error_pages(app, web)
    return app


def _is_page(app: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is not Match.NONE for route in app.router.routes)


def _add_common_routes(app: FastAPI, web: WebParts) -> None:
    style = files("connector.web.static").joinpath("afterword.css").read_text(encoding="utf-8")

    @app.api_route("/healthz", methods=READ)
    def healthz() -> Response:
        trouble = store_trouble(web.store) or web.trouble()
        headers = {MARK_HEADER: web.tokens.mark()}
        return PlainTextResponse(f"{trouble or 'ok'}\n", status_code=503 if trouble else 200, headers=headers)

    @app.api_route("/afterword.css", methods=READ)
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    @app.api_route("/robots.txt", methods=READ)
    def robots() -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")


def _add_error_pages(app: FastAPI, web: WebParts) -> None:
    @app.exception_handler(PageProblem)
    def trouble_page(request: Request, trouble: PageProblem) -> Response:
        response = _explained(request, web, trouble)
        response.headers.update(trouble.headers)
        return response

    @app.exception_handler(HTTPException)
    def http_page(request: Request, error: HTTPException) -> Response:
        kind = "error" if error.status_code >= 500 else "unknown"
        response = _explained(request, web, PageProblem(error.status_code, kind))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(ClientDisconnect)
    def nobody_there(_request: Request, _error: ClientDisconnect) -> Response:
        # Whoever sent half a request is gone: nothing was recorded, and nobody reads this.
        return Response(status_code=400)

    tell = tell_seldom()

    @app.exception_handler(StoreError)
    def no_store(request: Request, error: StoreError) -> Response:
        if isinstance(error, TooNew):
            raise error  # nothing that passes: the page for our own faults
        tell(error)
        response = _explained(request, web, PageProblem(503, "error"))
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response

    @app.exception_handler(Exception)
    def fault_page(request: Request, _error: Exception) -> Response:
        # The server above us logs the error itself.
        response = _explained(request, web, PageProblem(500, "error"))
        response.headers.update(HEADERS)  # this page is made outside of what adds them to the others
        return response


def _explained(request: Request, web: WebParts, trouble: PageProblem) -> Response:
    words = wording(trouble.language or preferred(request_language(request)))
    values = {"address": web.site.contact_address, **trouble.values}
    return page(
        "trouble.html",
        parts=web,
        status=trouble.status,
        words=words,
        title=words.text(f"page.{trouble.title}"),
        message=words.text(f"page.{trouble.kind}", **values),
        typed=typed_in(request),
    )
