"""The survey page.

A GET (or HEAD) records nothing, whoever makes it: mail scanners follow every link, and some press buttons in a browser of their own,
so nothing here submits itself either. Only a POST records.
"""

from dataclasses import dataclass
from functools import lru_cache

from fastapi import APIRouter, BackgroundTasks, Depends
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from starlette.requests import Request

from connector.store.surveys.answers import (
    ChangedTooOften,
    Invited,
    StoredResponse,
    invited,
    last_response,
    record,
    stop_surveys,
    would_change,
    would_stop,
)
from connector.surveys.questionnaire import Questionnaire, from_json
from connector.surveys.tokens import ForgedToken
from connector.surveys.wording import Wording, wording
from connector.web.pages.forms import LONGEST_COMMENT, Fields, TypedResponse, clean, form_fields, judged, point
from connector.web.pages.problems import READ, PageProblem, TooOften, UnknownLink, keep_typed
from connector.web.pages.rendering import fragment, page
from connector.web.parts import WebParts


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a good link."""

    token: str
    invited: Invited
    questionnaire: Questionnaire
    words: Wording
    given: StoredResponse | None
    """What was recorded before."""


def survey_routes(parts: WebParts) -> APIRouter:
    """Return the routes under ``/s/``."""
    router = APIRouter(prefix="/s/{token}")

    @router.api_route("", methods=READ)
    def show(token: str, rating: str = "") -> Response:
        visit = _open_visit(parts, token, _invitation_id(parts, token))
        chosen = point(rating, visit.questionnaire.first)
        return _survey_page(parts, visit, _typed_before(visit, chosen), from_mail=chosen is not None)

    @router.post("")
    def answer(
        request: Request,
        token: str,
        tasks: BackgroundTasks,
        fields: Fields = Depends(form_fields),  # noqa: B008 - FastAPI's way
    ) -> Response:
        invitation_id = _invitation_id(parts, token)
        # Only now: with a made-up link anybody could have our page show words of theirs.
        keep_typed(request, clean(fields.get("comment", "")))
        return _answered(parts, _open_visit(parts, token, invitation_id), fields, tasks)

    @router.api_route("/thanks", methods=READ)
    def thanks(token: str) -> Response:
        visit = _visit(parts, token, _invitation_id(parts, token))
        if visit.invited.is_gone:
            raise _closed(parts, visit)
        if visit.given is None:
            return RedirectResponse(f"{parts.prefix}/s/{token}", status_code=303)
        return page(
            "thanks.html",
            parts=parts,
            visit=visit,
            words=visit.words,
            given=visit.given,
            still_open=visit.invited.open_at(parts.clock.now()),
        )

    @router.api_route("/unsubscribe", methods=READ)
    def confirm(token: str) -> Response:
        visit = _visit(parts, token, _invitation_id(parts, token))
        if visit.invited.is_gone:
            raise _closed(parts, visit)
        return page("stop.html", parts=parts, visit=visit, words=visit.words, done=False)

    @router.post("/unsubscribe")
    def unsubscribe(token: str) -> Response:
        visit = _visit(parts, token, _invitation_id(parts, token))
        # One press of the link is enough, so none of a thousand more takes a turn to write.
        with parts.store.read() as tx:
            changes = would_stop(tx, visit.invited.id)
        if changes:
            now = parts.clock.now()
            parts.store.change(lambda tx: stop_surveys(tx, visit.invited.id, now=now))
        if visit.invited.is_gone:
            # What somebody has asked for holds, whichever CRM still knows them; of themselves nothing is shown.
            raise PageProblem(200, "cancelled", title="stopped_title", language=visit.words.language)
        return page("stop.html", parts=parts, visit=visit, words=visit.words, done=True)

    return router


def _invitation_id(parts: WebParts, token: str) -> str:
    """Return what a token names. Raises `UnknownLink` for one that is not of ours."""
    try:
        return parts.tokens.read_survey(token)
    except ForgedToken as error:
        raise UnknownLink from error


def _visit(parts: WebParts, token: str, invitation_id: str) -> Visit:
    """Return who comes with this token, which names this invitation. Raises `UnknownLink`."""
    with parts.store.read() as tx:
        asked = invited(tx, invitation_id)
        if asked is None:
            raise UnknownLink
        response = last_response(tx, invitation_id)
    questions = from_json(asked.questionnaire)
    return Visit(token, asked, questions, wording(questions.language, parts.site.zone), response)


def _open_visit(parts: WebParts, token: str, invitation_id: str) -> Visit:
    """Return who comes with this token, if the survey is still open. Raises `UnknownLink`, or `PageProblem` 410."""
    visit = _visit(parts, token, invitation_id)
    if not visit.invited.open_at(parts.clock.now()):
        raise _closed(parts, visit)
    return visit


def _closed(parts: WebParts, visit: Visit) -> PageProblem:
    ended = visit.invited.expires_at
    kind = "closed" if ended <= parts.clock.now() and not visit.invited.is_gone else "cancelled"
    date = visit.words.date(ended)
    return PageProblem(410, kind, title="closed_title", language=visit.words.language, date=date)


def _answered(parts: WebParts, visit: Visit, fields: Fields, tasks: BackgroundTasks) -> Response:
    """Record what the form says, or show what keeps it from being recorded."""
    typed = judged(fields, visit.questionnaire)
    if typed.problems:
        return _survey_page(parts, visit, typed, status=422)
    customer = _recorded(parts, visit, typed)
    if customer is not None:
        tasks.add_task(parts.on_answer, customer)
    return RedirectResponse(f"{parts.prefix}/s/{visit.token}/thanks", status_code=303, background=tasks)


def _recorded(parts: WebParts, visit: Visit, typed: TypedResponse) -> str | None:
    """Record the answer; returns the customer whose figures it changes, if it changes any."""
    ratings = typed.ratings(visit.questionnaire)
    try:
        now = parts.clock.now()
        if visit.given is not None:
            # What is sent once more, or too often, takes no turn to write.
            with parts.store.read() as tx:
                if not would_change(tx, visit.given, ratings, comment=typed.comment, now=now):
                    return None
        done = parts.store.change(lambda tx: record(tx, visit.invited.id, ratings, comment=typed.comment, now=now))
    except ChangedTooOften as often:
        raise TooOften(visit.words.language, often.again_in) from often
    if done is None:
        raise _closed(parts, visit)
    return done.customer if done.changed else None


def _typed_before(visit: Visit, chosen: int | None) -> TypedResponse:
    marked = dict(visit.given.ratings) if visit.given else {}
    if chosen is not None:
        marked[visit.questionnaire.first.id] = chosen
    return TypedResponse(marked, visit.given.comment if visit.given else "")


def _survey_page(
    parts: WebParts, visit: Visit, typed: TypedResponse, *, status: int = 200, from_mail: bool = False
) -> Response:
    return page(
        "survey.html",
        parts=parts,
        status=status,
        visit=visit,
        words=visit.words,
        typed=typed,
        questions=_questions(visit.questionnaire, parts.site.sender_name, typed, from_mail=from_mail),
        from_mail=from_mail,
        limit=LONGEST_COMMENT,
    )


def _questions(asked: Questionnaire, company: str, typed: TypedResponse, *, from_mail: bool) -> Markup:
    """Return the form's questions with what is marked; `from_mail`: by the link that was opened."""
    if not typed.problems:
        return _usual_questions(asked, company, tuple(sorted(typed.marked.items())), from_mail)
    words = wording(asked.language)
    return fragment("questions.html", asked=asked, company=company, typed=typed, from_mail=from_mail, words=words)


@lru_cache(maxsize=512)
def _usual_questions(asked: Questionnaire, company: str, marks: tuple[tuple[str, int], ...], from_mail: bool) -> Markup:
    """Return questions without a problem: most visitors see what others have seen, and they are half of the work for a page."""
    typed, words = TypedResponse(dict(marks)), wording(asked.language)
    return fragment("questions.html", asked=asked, company=company, typed=typed, from_mail=from_mail, words=words)


def request_language(request: Request) -> str:
    """Return what the browser says that its user reads."""
    return request.headers.get("accept-language", "")
