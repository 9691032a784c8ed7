"""The parts that sentences are put together from: who, what it was about, what happens next."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from connector.domain.text_cutting import shorten, units
from connector.domain.text_direction import one_line
from connector.model import Rating
from connector.scoring.scales import Band, band, scale_of
from connector.sentences.catalogue import Catalogue
from connector.sentences.content import TIGHTER, AccountReason, Caps, NamedResponse, OpenFollowUp, Render, Silence
from connector.sentences.ratings import with_word

LIMIT = 255
"""The length of the text fields on a record, in the units that CRMs count. A mapping with shorter ones cuts once more."""
SHORTEST = 12
"""Room below which a subject or a quotation says nothing and is left out."""
_COMPLETED = ("step.completed", "step.completed_unassigned")
_DELETED = ("step.deleted", "step.deleted_unassigned")
_OVERDUE = ("step.overdue", "step.overdue_unassigned")
_BANDS = (Band.BAD, Band.OK, Band.GOOD)
_QUOTES = str.maketrans('“”„‟«»"＂', "’’’’’’''")
"""A mark that could end a quotation early becomes one that cannot: what stands outside the quotation is ours."""


def quotable(text: str) -> str:
    """Return foreign text as it can stand within quotation marks, on one line."""
    return one_line(text).translate(_QUOTES)


def name(who: str | None, limit: int, words: Catalogue) -> str:
    """Return a person's or an account's name, at most so long."""
    return shorten(one_line(who or "") or words.text("topic.somebody"), limit)


def topic(label: str, subject: str | None, caps: Caps, words: Catalogue) -> str:
    """Return what was asked about: ``case 00123 "Printer offline again"``, the subject as far as there is room for it."""
    shown = _cut(one_line(label), caps.label)
    title = new_subject(label, subject)
    if not title or caps.subject < min(SHORTEST, units(title)):
        return shown
    return words.text("topic.with_subject", label=shown, subject=shorten(title, caps.subject))


def _cut(label: str, limit: int) -> str:
    """Return a label, at most so long: where it ends within a quotation, that is closed."""
    shown = shorten(label, limit)
    if shown == label or shown.count('"') % 2 == 0:
        return shown
    shorter = shorten(label, limit - 1)
    return f'{shorter}"' if shorter.count('"') % 2 else shorter


def new_subject(label: str, subject: str | None) -> str:
    """Return the subject where the label does not hold it already, else nothing."""
    title = quotable(subject or "")
    return "" if title in quotable(label) else title


def badness(rating: Rating) -> tuple[int, float]:
    """Return what orders ratings, the worst first: by band, then by the place on the scale."""
    scale = scale_of(rating)
    return _BANDS.index(band(rating)), scale.to_unit(rating.value)


def worst_response(responses: Iterable[NamedResponse]) -> NamedResponse | None:
    """Return the worst response, of equal ones the newest."""
    newest_first = sorted(responses, key=lambda response: (response.at, response.response_id), reverse=True)
    return min(newest_first, key=lambda response: badness(response.worst), default=None)


def urgency(follow_up: OpenFollowUp) -> tuple[bool, int, float, datetime, str]:
    """Return what orders follow-ups: those that somebody has to call about first, the worst answer first, then what is due first."""
    answer = worst_response(follow_up.responses)
    order = badness(answer.worst) if answer else (len(_BANDS), 0.0)
    return follow_up.waiting_since is not None, *order, follow_up.due, follow_up.who or ""


def what(follow_up: OpenFollowUp, caps: Caps, words: Catalogue) -> str:
    """Return who needs somebody, and about what: the worst answer, how many more there are, and since when the first one stands."""
    answer = worst_response(follow_up.responses)
    who = name(follow_up.who, caps.who, words)
    if answer is None:
        return words.text("attention.account", who=who, reason=account_reasons(follow_up, words))
    more = len({response.response_id for response in follow_up.responses}) - 1
    return words.text(
        "attention.answer",
        who=who,
        rating=with_word(answer.worst, words),
        topic=topic(answer.label, answer.subject, caps, words),
        more=words.count("attention.more", more) if more else "",
        day=words.day(min(response.at for response in follow_up.responses), follow_up.tz),
    )


def account_reasons(follow_up: OpenFollowUp, words: Catalogue) -> str:
    """Return why a follow-up about an account was opened, in a clause that stays true."""
    clauses = [account_reason(reason, words, follow_up.tz) for reason in follow_up.reasons]
    clauses = clauses or [words.text("reason.other", day=words.day(follow_up.since, follow_up.tz))]
    return words.text("format.list").join(clauses)


def account_reason(reason: AccountReason, words: Catalogue, tz: tzinfo) -> str:
    """Return ``asked 2 times, no answer by 18 Nov 2026``, or ``customer mood Unhappy on 18 Nov 2026``."""
    if isinstance(reason, Silence):
        return words.count("reason.silence", len(reason.invitations) + reason.elsewhere, day=words.day(reason.by, tz))
    return words.text("reason.mood", mood=words.text(f"mood.{reason.mood.value}"), day=words.day(reason.at, tz))


def step(follow_up: OpenFollowUp, caps: Caps, words: Catalogue, *, now: datetime) -> str:
    """Return what happens next: who calls by when, since when that is overdue, or that nobody has noted how it ended."""
    owner = follow_up.owner and name(follow_up.owner, caps.owner, words)
    if follow_up.waiting_since is not None:
        keys = _DELETED if follow_up.task_deleted else _COMPLETED
        return _owned(keys, owner, words, day=words.day(follow_up.waiting_since, follow_up.tz))
    if follow_up.due <= now:
        return _owned(_OVERDUE, owner, words, day=words.day(follow_up.due, follow_up.tz))
    when = words.by(follow_up.due, follow_up.tz)
    if not owner:
        return words.text("step.unassigned", when=when)
    return words.text("step.call_again" if follow_up.attempts else "step.call", owner=owner, when=when)


def _owned(keys: tuple[str, str], owner: str | None, words: Catalogue, *, day: str) -> str:
    owned, unassigned = keys
    return words.text(owned, owner=owner, day=day) if owner else words.text(unassigned, day=day)


def tightest(render: Render, limit: int, *, subject: int = 0, caps: Sequence[Caps] = TIGHTER) -> tuple[str, Caps]:
    """Return a sentence with the widest caps on foreign text with which it fits, and these; `subject` is how much of one is wanted.

    The subject gives way first, then names and labels. What does not fit even so is cut at its end.
    """
    first = caps[0]
    tries = [Caps(first.who, first.owner, first.label, subject), *caps] if subject else list(caps)
    for tried in tries:
        text = render(tried)
        if units(text) <= limit:
            return text, tried
    return shorten(text, limit), tries[-1]


def widened(render: Render, caps: Caps, title: str, room: int) -> str:
    """Return a sentence with as much of a subject as fits into the room, none where that is too little to say anything."""
    wanted = units(title)
    text = render(Caps(caps.who, caps.owner, caps.label, wanted))
    if units(text) <= room:
        return text
    wanted -= units(text) - room
    return render(Caps(caps.who, caps.owner, caps.label, max(wanted, 0)))
