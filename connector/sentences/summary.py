"""The field What they say: who rated what when, with quotations; how many were asked; steps that Needs attention leaves out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from connector.domain.text_cutting import shorten, units
from connector.sentences.attention import Attention
from connector.sentences.catalogue import Catalogue
from connector.sentences.clauses import (
    LIMIT,
    SHORTEST,
    name,
    new_subject,
    quotable,
    step,
    tightest,
    topic,
    what,
    widened,
    worst_response,
)
from connector.sentences.content import Caps, NamedResponse, OpenFollowUp
from connector.sentences.ratings import with_word

_QUOTE = 60
"""Room that is kept for the first quotation while others could be named in it."""
_MOST = 6
"""The largest number of people in one summary; with more, each gets too little room."""


@dataclass(frozen=True, slots=True)
class People:
    """How many people of a customer were asked up to a moment, and how many of them answered.

    The moment stands beside the figures, so that they stay true while more people are asked: that alone writes no record.
    """

    asked: int = 0
    answered: int = 0
    by: datetime | None = None
    """Nobody was asked: None."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """One sentence about one person or about the account: an answer, or a follow-up whose next step stands nowhere else."""

    response: NamedResponse | None
    follow_up: OpenFollowUp | None = None

    @property
    def comment(self) -> str:
        return quotable(self.response.comment or "") if self.response else ""

    @property
    def title(self) -> str:
        return new_subject(self.response.label, self.response.subject) if self.response else ""


@dataclass(frozen=True, slots=True)
class _Writer:
    """Puts clauses into words."""

    words: Catalogue
    now: datetime
    tz: tzinfo

    def sentence(self, clause: _Clause, caps: Caps, quote: str = "") -> str:
        """Return one clause as a sentence of its own, with as much of a quotation as is given."""
        words = self.words
        text = self._head(clause, caps)
        if quote:
            marks = words.text("format.open_quote"), words.text("format.close_quote")
            text = words.text("summary.quoted", what=text, quote=quote.join(marks))
        if clause.follow_up is not None:
            text = words.text("summary.with_step", what=text, step=step(clause.follow_up, caps, words, now=self.now))
        ends = bool(quote) and clause.follow_up is None and quote[-1] in ".!?…。！？"
        return text if ends else text + words.text("format.period")

    def _head(self, clause: _Clause, caps: Caps) -> str:
        if clause.follow_up is not None or clause.response is None:
            assert clause.follow_up is not None  # noqa: S101 - a clause without an answer is about a follow-up
            return what(clause.follow_up, caps, self.words)
        return self.words.text(
            "summary.answer",
            who=name(clause.response.who, caps.who, self.words),
            rating=with_word(clause.response.rating, self.words),
            topic=topic(clause.response.label, clause.response.subject, caps, self.words),
            day=self.words.day(clause.response.at, self.tz),
        )

    def fitted(self, clause: _Clause, room: int) -> tuple[str, Caps]:
        """Return a clause without subject and quotation."""
        return tightest(lambda caps: self.sentence(clause, caps), room)

    def filled(self, clause: _Clause, caps: Caps, room: int) -> str:
        """Return a clause with as much of its quotation as fits, then of its subject."""
        quote = self._quote(clause, caps, room)
        return widened(lambda wider: self.sentence(clause, wider, quote), caps, clause.title, room)

    def _quote(self, clause: _Clause, caps: Caps, room: int) -> str:
        comment = clause.comment
        free = room - units(self.sentence(clause, caps, "x")) + 1
        if not comment or free < min(SHORTEST, units(comment)):
            return ""
        quote = shorten(comment, free)
        return quote if units(self.sentence(clause, caps, quote)) <= room else shorten(comment, free - 1)


def summary(
    newest_first: Sequence[NamedResponse],
    needs: Attention,
    people: People,
    words: Catalogue,
    *,
    tz: tzinfo,
    now: datetime,
) -> str:
    """Return what they say, in at most `LIMIT` characters and whole sentences, each about one person alone.

    Whom Needs attention has no room for comes first, with the next step; then whom it only names; then the others, the newest
    answer first. The quotations give way first.
    """
    writer = _Writer(words, now, tz)
    tail = _response_rate(people, words, tz)
    room = LIMIT - (units(tail) + 1 if tail else 0)
    clauses = list(_clauses(newest_first, needs))[:_MOST]
    fitted = _fitted(clauses, writer, room)
    texts = [text for _, text, _ in fitted]
    for number, (clause, text, caps) in enumerate(fitted):
        spare = room - sum(map(units, texts)) - (len(texts) - 1)
        texts[number] = writer.filled(clause, caps, units(text) + spare)
    return " ".join([*texts, tail] if tail else texts)


def _clauses(newest_first: Sequence[NamedResponse], needs: Attention) -> Iterator[_Clause]:
    """Yield the clauses in their order: each response once, each person once."""
    seen: set[str] = set()
    for follow_up in (*needs.unnamed, *needs.named):
        answer = worst_response(follow_up.responses)
        if answer is not None:
            seen |= {answer.response_id, *((answer.whose,) if answer.whose else ())}
        yield _Clause(answer, follow_up)
    for response in newest_first:
        if response.response_id in seen or response.whose in seen:
            continue
        seen |= {response.response_id, *((response.whose,) if response.whose else ())}
        yield _Clause(response)


def _fitted(clauses: Sequence[_Clause], writer: _Writer, room: int) -> list[tuple[_Clause, str, Caps]]:
    """Return the clauses that there is room for, always the first one; the others leave some room to its quotation."""
    fitted: list[tuple[_Clause, str, Caps]] = []
    for clause in clauses:
        text, caps = writer.fitted(clause, room)
        used = sum(units(other) + 1 for _, other, _ in fitted)
        kept = min(units(fitted[0][0].comment), _QUOTE) if fitted and clause.follow_up is None else 0
        if fitted and used + units(text) + kept > room:
            continue
        fitted.append((clause, text, caps))
    return fitted


def _response_rate(people: People, words: Catalogue, tz: tzinfo) -> str:
    """Return how many were asked and how many of them answered; silence is reported, never scored."""
    if people.asked < 1 or people.by is None:
        return ""
    day = words.day(people.by, tz)
    if not people.answered:
        return words.count("summary.silent", people.asked, day=day)
    answered, asked = words.number(people.answered), words.number(people.asked)
    return words.text("summary.answered", answered=answered, asked=asked, day=day)
