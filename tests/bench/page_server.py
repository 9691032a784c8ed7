"""A survey page to be measured, or the least that a page of FastAPI costs: `python -m tests.bench.page_server KIND PORT FOLDER`.

`survey` serves the product's pages on a store of its own; `bare` a page of the same size that looks nothing up, and takes a form
without reading it. Both stand behind the web server as `afterword run` sets it up.
"""

import gc
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from connector.app.service import server_config
from connector.model import Delivery, NotedResult
from connector.runtime.clock import SystemClock
from connector.settings import Web
from connector.store import Store
from connector.store.db.migrate import migrate
from connector.store.tables import account, contact, decision, invitation
from connector.surveys.questionnaire import questionnaire
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens
from connector.web import WebParts, create_app

INVITATIONS = 2_000
LINKS = "links.txt"
"""The file of the folder with the paths of the survey pages."""
_PAGE_BYTES = 2_200


def survey(folder: Path) -> FastAPI:
    """Return the product's pages with invitations that nobody has answered."""
    store = Store(f"sqlite:///{folder / 'afterword.db'}")
    migrate(store)
    tokens = Tokens(["only-a-benchmark-knows-this-secret-0123456789"])
    _invite(store)
    links = [f"/s/{tokens.survey(f'invitation{number}')}" for number in range(INVITATIONS)]
    (folder / LINKS).write_text("\n".join(links), encoding="utf-8")
    site = Site("http://localhost", "Acme Care", "care@acme.example", "hello@acme.example", UTC)
    return create_app(
        WebParts(
            store=store,
            clock=SystemClock(),
            tokens=tokens,
            site=site,
            on_answer=lambda _customer: None,
            note_outcome=lambda _follow_up, _outcome: NotedResult.UNKNOWN,
            causes={},
            language="en",
            on_sign_in=lambda: None,
            crms=("acme",),
        )
    )


def bare(_folder: Path) -> FastAPI:
    """Return a page and a form of FastAPI that do nothing."""
    app = FastAPI(openapi_url=None)
    page = "x" * _PAGE_BYTES

    @app.get("/s/{token}")
    def show(token: str) -> Response:
        return HTMLResponse(page, headers={"X-Token": token[:1]})

    @app.post("/s/{token}")
    def take(token: str) -> Response:
        return RedirectResponse(f"/s/{token}", status_code=303)

    return app


def _invite(store: Store) -> None:
    """Store the invitations, with all that they name."""
    now = datetime.now(UTC)
    asked = questionnaire("csat", "en").to_json()
    one_account = {"id": "account", "connection": "acme", "ref": "Account/1", "customer": "customer", "name": "Acme"}
    one_account |= {"is_customer": True, "facts": {}}
    one_contact = {"id": "contact", "connection": "acme", "ref": "Contact/1", "name": "Maria", "no_surveys": False}
    one_contact |= {"facts": {}}
    decisions, invitations = [], []
    for number in range(INVITATIONS):
        about = {"survey": "after-case", "connection": "acme", "contact_id": "contact", "interaction_id": f"i{number}"}
        decisions.append(about | {"id": f"decision{number}", "state": "invited", "decided_at": now})
        invitations.append(
            about
            | {
                "id": f"invitation{number}",
                "decision_id": f"decision{number}",
                "account_id": "account",
                "person": "person",
                "email": "maria@customer.example",
                "name": "Maria",
                "language": "en",
                "label": f"case {number}",
                "owner_name": "Jane Doe",
                "questionnaire": asked,
                "created_at": now,
                "due_at": now,
                "expires_at": now + timedelta(days=14),
                "state": Delivery.SENT,
                "sent_at": now,
            }
        )
    with store.write() as tx:
        tx.execute(account.insert(), one_account)
        tx.execute(contact.insert(), one_contact)
        tx.execute(decision.insert(), decisions)
        tx.execute(invitation.insert(), invitations)


def main() -> None:
    """Serve until told to end."""
    kind, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    app = {"survey": survey, "bare": bare}[kind](folder)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the command line sets them
    config = server_config(app, Web())
    config.host, config.port = "127.0.0.1", port
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
