"""Reading what a form sends, and judging an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Scope

from connector.model import Rating
from connector.surveys.questionnaire import Question, Questionnaire
from connector.web.pages.problems import TooBig

LARGEST_BODY: Final = 64 * 1024
"""Bytes; a larger body is refused without being read to its end."""
LONGEST_COMMENT: Final = 10_000
"""Characters."""
_MOST_FIELDS: Final = 50
_MOST_DIGITS: Final = 18
"""Of a length that is worth reading as a number."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_CHARSET = re.compile(rb"charset", re.IGNORECASE)

Fields = Mapping[str, str]


async def form_fields(request: Request) -> Fields:
    """Return the text fields of a form, the last one of each name. Raises `TooBig`.

    Anything that is no form (another content type, broken multipart) reads as an empty one: the page then says what is missing.
    """
    body = await limited_body(request)

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(_in_utf8(request.scope), replay).form(max_files=0, max_fields=_MOST_FIELDS) as form:
            return {name: value for name, value in form.multi_items() if isinstance(value, str)}
    except (HTTPException, UnicodeError):
        return {}


def _in_utf8(scope: Scope) -> Scope:
    """Leave out which encoding a form's sender names: ours are UTF-8, and some that Python knows take long to read."""
    headers = [
        (name, _CHARSET.sub(b"x-charset", value) if name == b"content-type" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


async def limited_body(request: Request) -> bytes:
    """Return the body. Raises `TooBig`, as far as it can be told before anything of it was read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > _MOST_DIGITS or int(announced) > LARGEST_BODY):
        raise TooBig(LONGEST_COMMENT)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise TooBig(LONGEST_COMMENT)
    return body


@dataclass(frozen=True, slots=True)
class TypedResponse:
    """What a person typed, whether it can be recorded or not."""

    marked: Mapping[str, int] = field(default_factory=dict)
    """The valid choices, by question."""
    comment: str = ""
    problems: Mapping[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)
    """By question or ``comment``: the key of the text that says what to do, and its values."""

    def ratings(self, questions: Questionnaire) -> tuple[Rating, ...]:
        """Return the choices as ratings, each with its scale."""
        return tuple(
            Rating(
                metric=question.metric,
                question=question.id,
                value=self.marked[question.id],
                low=question.low,
                high=question.high,
                direction=question.direction,
            )
            for question in questions.questions
            if question.id in self.marked
        )


def judged(fields: Fields, questions: Questionnaire) -> TypedResponse:
    """Return what was typed, with everything that keeps it from being recorded.

    The first question may come as ``rating`` or under its own id and must be answered; the others may be left out.
    """
    comment = clean(fields.get("comment", ""))
    marked: dict[str, int] = {}
    problems: dict[str, tuple[str, Mapping[str, object]]] = {}
    for question in questions.questions:
        first = question is questions.first
        text = fields.get(question.id, "") or (fields.get("rating", "") if first else "")
        value = point(text, question)
        if value is not None:
            marked[question.id] = value
        elif text.strip():
            problems[question.id] = ("off_scale", {"low": question.low, "high": question.high})
        elif first:
            problems[question.id] = ("missing", {})
    if len(comment) > LONGEST_COMMENT:
        problems["comment"] = ("comment_long", {"length": len(comment), "limit": LONGEST_COMMENT})
    return TypedResponse(marked, comment, problems)


def point(text: str, question: Question) -> int | None:
    """Return the value on the question's scale that the text names, or None."""
    match = _WHOLE_NUMBER.fullmatch(text.strip())
    if match is None or not question.low <= int(match[0]) <= question.high:
        return None
    return int(match[0])


def clean(text: str) -> str:
    """Return the text with plain line ends, and without control characters, which no database and no CRM field takes."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
