"""Needs attention: the worst open answer, who calls by when, and who else waits. Empty when nobody does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.domain.text_cutting import units
from connector.sentences.catalogue import Catalogue
from connector.sentences.clauses import (
    LIMIT,
    SHORTEST,
    account_reasons,
    name,
    new_subject,
    step,
    tightest,
    urgency,
    what,
    widened,
    worst_response,
)
from connector.sentences.content import Caps, OpenFollowUp
from connector.sentences.ratings import with_word

_SUBJECT = 24
"""What is kept of the subject while others can be named instead of the rest of it."""


@dataclass(frozen=True, slots=True)
class Attention:
    """The text, and whom it says what about: `lead` with the next step, `named` without one, `unnamed` not at all."""

    text: str
    lead: OpenFollowUp | None = None
    named: tuple[OpenFollowUp, ...] = ()
    unnamed: tuple[OpenFollowUp, ...] = ()


def attention(follow_ups: Sequence[OpenFollowUp], words: Catalogue, *, now: datetime) -> Attention:
    """Return what needs attention, in at most `LIMIT` characters and whole sentences: the worst of what is to be done leads.

    Foreign text gives way first: the subject down to a few words, so that others can be named; then names and labels. A step
    stands in the sentence of its own person, and the others by name and figure in one of theirs.
    """
    if not follow_ups:
        return Attention("")
    lead, *others = sorted(follow_ups, key=urgency)

    def render(caps: Caps) -> str:
        return words.text("attention.sentence", what=what(lead, caps, words), step=step(lead, caps, words, now=now))

    answer = worst_response(lead.responses)
    title = new_subject(answer.label, answer.subject) if answer else ""
    room = LIMIT - units(_also((), len(others), words))
    text, caps = tightest(render, room, subject=min(units(title), _SUBJECT))
    number = _names_that_fit(others, words, room=LIMIT - units(text))
    also = _also(others[:number], len(others) - number, words)
    if title:
        text = widened(render, caps, title, LIMIT - units(also))
    return Attention(text + also, lead, tuple(others[:number]), tuple(others[number:]))


def _names_that_fit(others: Sequence[OpenFollowUp], words: Catalogue, *, room: int) -> int:
    """Return how many of the others can be named."""
    for number in range(len(others), 0, -1):
        if units(_also(others[:number], len(others) - number, words)) <= room:
            return number
    return 0


def _also(named: Sequence[OpenFollowUp], more: int, words: Catalogue) -> str:
    """Return who else waits, by name and figure, and how many besides, as a sentence that follows another."""
    if not named:
        return f" {words.count('attention.only_more', more)}" if more else ""
    names = words.text("format.list").join(_short(follow_up, words) for follow_up in named)
    if more:
        return f" {words.count('attention.also_more', more, names=names)}"
    return f" {words.text('attention.also', names=names)}"


def _short(follow_up: OpenFollowUp, words: Catalogue) -> str:
    """Return somebody by name and figure: ``Pekka Salo (2 of 5, dissatisfied)``."""
    who, answer = name(follow_up.who, 2 * SHORTEST, words), worst_response(follow_up.responses)
    if answer is None:
        return words.text("attention.short_account", who=who, reason=account_reasons(follow_up, words))
    return words.text("attention.short", who=who, rating=with_word(answer.worst, words))
