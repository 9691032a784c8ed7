"""The page of one account, for users of the CRM: they come by the link on its record."""

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from connector.store.inviting import REACHES
from connector.store.visiting import account_view
from connector.web.parts import WebParts
from connector.web.session import reach
from connector.web.staff import note, safe_account, staff
from connector.web.trouble import READ
from connector.why import not_asked


def account_routes(parts: WebParts) -> APIRouter:
    """Return the one route."""
    router = APIRouter()

    @router.api_route("/accounts/{account_id}", methods=READ)
    def show(request: Request, account_id: str) -> Response:
        seen, account = reach(request, parts=parts), safe_account(account_id)
        if seen is None:
            return staff(parts, "sign_in.html", account=account, elsewhere=False, typed=None)
        with parts.store.read() as tx:
            view = account_view(tx, account, crms=seen)
        if view is None:
            return note(parts, "There is nothing to see here", "No account of your CRM has this address.", status=404)
        log = not_asked(parts.store, view.accounts, tz=parts.site.zone)
        return staff(parts, "account.html", view=view, log=log, reaches=REACHES, now=parts.clock.now())

    return router
