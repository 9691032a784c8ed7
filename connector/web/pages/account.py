"""The page of one account, for users of the CRM: they come by the link on its record."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from connector.commands.why import not_asked
from connector.model import OptOutWay
from connector.store.surveys.decisions import REACHES
from connector.store.views.account_page import account_view
from connector.web.auth.session import reach
from connector.web.pages.problems import READ
from connector.web.pages.staff import note, safe_account, staff
from connector.web.parts import WebParts

OPTED_OUT: Final[Mapping[str, str]] = {
    OptOutWay.LINK: "unsubscribed by the link in a mail",
    OptOutWay.COMPLAINT: "they called a mail spam",
    OptOutWay.CRM: "as the record in the CRM says",
    OptOutWay.ADMIN: "as an admin has noted",
    OptOutWay.ERASED: "their data were erased",
}
"""How it became known, in a rep's words."""


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
        log = not_asked(parts.store, view.accounts, tz=parts.site.zone, surveys=parts.surveys)
        now = parts.clock.now()
        return staff(parts, "account.html", view=view, log=log, now=now, reaches=REACHES, opted_out=OPTED_OUT)

    return router
