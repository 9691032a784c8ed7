"""The page on which whoever has a follow-up's mail or task says how it ended, without signing in.

A GET records nothing, whoever makes it: mail scanners follow every link. The link is good for the outcome of one follow-up alone, until
that is closed, and shows its subject line only.

Its form is empty each time: what was noted of an earlier attempt is no part of this outcome.
"""

import re

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from connector.domain.text_cutting import cut
from connector.model import NotedResult, Outcome
from connector.sentences.catalogue import Catalogue, catalogue
from connector.store.views.outcome_page import OutcomeView, outcome_view
from connector.surveys.tokens import ForgedToken
from connector.surveys.wording import wording
from connector.web.pages.forms import Fields, clean, form_fields
from connector.web.pages.problems import READ, UnknownLink, keep_typed
from connector.web.pages.rendering import page
from connector.web.parts import SubmittedOutcome, WebParts

LONGEST_NOTE = 2_000
"""Characters; more of a note is cut."""
KEYS = {outcome.name.lower(): outcome for outcome in Outcome}
"""The outcomes as links and forms name them."""
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


def outcome_routes(parts: WebParts) -> APIRouter:
    """Return the routes under ``/f/``."""
    router = APIRouter(prefix="/f/{token}")

    @router.api_route("", methods=READ)
    def show(token: str, outcome: str = "") -> Response:
        return _page(parts, token, _view(parts, _follow_up_id(parts, token)), chosen=outcome)

    @router.post("")
    def note(request: Request, token: str, fields: Fields = Depends(form_fields)) -> Response:  # noqa: B008 - FastAPI's way
        follow_up_id = _follow_up_id(parts, token)
        keep_typed(request, clean(fields.get("note", "")))
        view = _view(parts, follow_up_id)
        outcome = _given(parts, fields)
        if outcome is None:
            return _page(parts, token, view, status=422 if view.open else 410, typed=fields)
        result = parts.note_outcome(view.id, outcome)
        if result is NotedResult.UNKNOWN:
            raise UnknownLink
        if result is NotedResult.CLOSED:
            return _page(parts, token, _view(parts, follow_up_id), status=410, typed=fields)
        return RedirectResponse(f"{parts.prefix}/f/{token}/thanks", status_code=303)

    @router.api_route("/thanks", methods=READ)
    def thanks(token: str) -> Response:
        view = _view(parts, _follow_up_id(parts, token))
        if view.outcome is None:
            return RedirectResponse(f"{parts.prefix}/f/{token}", status_code=303)
        return _page(parts, token, view, noted=True)

    return router


def _given(parts: WebParts, fields: Fields) -> SubmittedOutcome | None:
    """Return what the form says; None without an outcome."""
    outcome = KEYS.get(fields.get("outcome", ""))
    if outcome is None:
        return None
    attempts = fields.get("attempts", "")
    return SubmittedOutcome(
        outcome,
        cause=_cause(parts, fields),
        note=_note(fields) or None,
        attempts=int(attempts) if _COUNT.fullmatch(attempts) else None,
    )


def _cause(parts: WebParts, fields: Fields) -> str | None:
    cause = fields.get("cause", "")
    return cause if cause in parts.causes else None


def _note(fields: Fields) -> str:
    return cut(clean(fields.get("note", "")), LONGEST_NOTE)


def _follow_up_id(parts: WebParts, token: str) -> str:
    """Return what a token names. Raises `UnknownLink` for one that is not of ours."""
    try:
        return parts.tokens.read_outcome(token)
    except ForgedToken as error:
        raise UnknownLink from error


def _view(parts: WebParts, follow_up_id: str) -> OutcomeView:
    """Return what this link is for. Raises `UnknownLink`."""
    with parts.store.read() as tx:
        view = outcome_view(tx, follow_up_id)
    if view is None:
        raise UnknownLink
    return view


def _page(
    parts: WebParts,
    token: str,
    view: OutcomeView,
    *,
    status: int = 200,
    chosen: str = "",
    typed: Fields | None = None,
    noted: bool = False,
) -> Response:
    words = catalogue(parts.language)
    return page(
        "outcome.html",
        parts=parts,
        status=status,
        view=view,
        words=wording(words.language),
        say=words.text,
        token=token,
        outcomes=[(key, outcome_label(outcome, words)) for key, outcome in KEYS.items()],
        chosen=chosen if chosen in KEYS else "",
        causes=parts.causes,
        missing=typed is not None,
        cause=_cause(parts, typed or {}),
        note=_note(typed or {}),
        noted=noted,
        noted_as=_noted_as(view, words),
        limit=LONGEST_NOTE,
    )


def outcome_label(outcome: Outcome, words: Catalogue) -> str:
    """Return an outcome as people read it."""
    return words.text(f"outcome.{outcome.name.lower()}")


def _noted_as(view: OutcomeView, words: Catalogue) -> str:
    known = [outcome for outcome in Outcome if outcome.value == view.outcome]
    return outcome_label(known[0], words) if known else view.outcome or ""
