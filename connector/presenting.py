"""The sentences on a CRM record: what they say, what needs attention, what a task is called. Pure; dates are absolute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from babel.dates import format_date, format_datetime

from connector.model import Rating

LIMIT = 255
"""The length of the text fields on a record. A mapping with shorter ones cuts once more."""
SUBJECT_LIMIT = 255
_SHORTEST_QUOTE = 12
"""Characters of room below which a quotation says nothing and is left out."""
_LOCALE = "en"
_DAYS_NAMED_BY_WEEKDAY = 6


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that counts, as a person would tell it."""

    response_id: str
    who: str
    rating: Rating
    label: str
    """What was asked about: case 00123."""
    at: datetime
    comment: str | None = None
    contact_id: str | None = None

    @property
    def figure(self) -> str:
        """The rating on its scale: ``2 of 5``."""
        return f"{self.rating.value:g} of {self.rating.high:g}"


@dataclass(frozen=True, slots=True)
class Due:
    """An open follow-up: what somebody has to do."""

    subject: str
    who: str
    """The person or account it is about."""
    why: str
    since: datetime
    due: datetime
    owner: str | None
    tz: tzinfo


def day(moment: datetime, tz: tzinfo) -> str:
    """Return a date as people write it: 12 Nov 2026."""
    return format_date(moment.astimezone(tz).date(), "d MMM yyyy", locale=_LOCALE)


def deadline(moment: datetime, tz: tzinfo, *, seen_from: datetime) -> str:
    """Return a near deadline by its weekday (Fri 15:00), a farther one by its date (24 Nov 15:00)."""
    local = moment.astimezone(tz)
    near = (local.date() - seen_from.astimezone(tz).date()).days <= _DAYS_NAMED_BY_WEEKDAY
    return format_datetime(local, "EEE HH:mm" if near else "d MMM HH:mm", locale=_LOCALE)


def last_rating(said: Said, tz: tzinfo) -> str:
    """Return a contact's last rating: ``2 of 5, case 00123, 12 Nov 2026``."""
    return f"{said.figure}, {said.label}, {day(said.at, tz)}"


def summary(newest_first: Sequence[Said], *, asked: int, answered: int, due: Sequence[Due], tz: tzinfo) -> str:
    """Return who gave what when, in their words; how many were asked; what happens next. At most `LIMIT` characters.

    The quotation gives way first: what surrounds it is never cut.
    """
    if not newest_first:
        return _silence(asked)
    said = newest_first[0]
    head = f"{said.who}: {said.figure}, {said.label}, {day(said.at, tz)}"
    parts = [f"Answered: {answered} of {asked} asked."] if asked else []
    if due:
        parts.append(f"Next: {_task(due[0])}.")
    return fit(head, said.comment, " ".join(parts))


def _silence(asked: int) -> str:
    """Return what is to be said of people who were asked and did not answer: silence is shown, never scored."""
    if asked < 1:
        return ""
    return (
        "1 person was asked and has not answered." if asked == 1 else f"{asked} people were asked; nobody has answered."
    )


def attention(due: Sequence[Due]) -> str:
    """Return who needs what since when; empty when nobody does."""
    parts = [f"{one.who}: {one.why} since {day(one.since, one.tz)}, {_task(one)}" for one in due]
    return cut("; ".join(parts), LIMIT)


def and_more(why: str, others: int) -> str:
    """Return a reason with the number of further answers that came while its follow-up was open."""
    if others < 1:
        return why
    return f"{why}, and 1 more answer like it" if others == 1 else f"{why}, and {others} more answers like it"


def fit(head: str, quote: str | None, tail: str) -> str:
    """Join head, quotation and tail in at most `LIMIT` characters, cutting the quotation."""
    ending = f" {tail}" if tail else ""
    words = " ".join((quote or "").split())
    room = LIMIT - len(head) - len(ending) - len(": “”")
    if not words or room < _SHORTEST_QUOTE:
        return cut(f"{head}.{ending}", LIMIT)
    return f"{head}: “{cut(words, room)}”{ending}"


def cut(text: str, limit: int) -> str:
    """Shorten a text to `limit` characters, at a word where one is near, with an ellipsis."""
    if len(text) <= limit:
        return text
    short = text[: limit - 1]
    at = short.rfind(" ")
    return (short[:at] if at > limit * 3 // 4 else short).rstrip(" ,;:.") + "…"


def call_subject(said: Said, due: datetime, tz: tzinfo, *, now: datetime) -> str:
    """Return a task's subject: ``Call Maria Virtanen by Fri 15:00: 1 of 5, case 00123``."""
    return cut(f"Call {said.who} by {deadline(due, tz, seen_from=now)}: {said.figure}, {said.label}", SUBJECT_LIMIT)


def account_subject(account: str, why: str, due: datetime, tz: tzinfo, *, now: datetime) -> str:
    """Return the subject of a task that is about an account as a whole."""
    return cut(f"Call {account} by {deadline(due, tz, seen_from=now)}: {why}", SUBJECT_LIMIT)


def body(said: Sequence[Said], *, why: str, link: str, owner_note: str | None, tz: tzinfo) -> str:
    """Return a task's description: the reason, the answers in full, who was passed over, and the link."""
    answers = "\n\n".join(_answer(one, tz) for one in said)
    closing = "When you close this task, note how it ended in the field Outcome."
    return "\n\n".join(part for part in (why, answers, owner_note, f"Everything they said: {link}", closing) if part)


def _answer(said: Said, tz: tzinfo) -> str:
    head = f"{said.who} gave {said.figure} ({said.rating.metric.upper()}) on {said.label}, {day(said.at, tz)}."
    return f"{head}\n“{said.comment.strip()}”" if said.comment and said.comment.strip() else head


def _task(one: Due) -> str:
    when = format_datetime(one.due.astimezone(one.tz), "d MMM HH:mm", locale=_LOCALE)
    return f"call by {when} ({one.owner})" if one.owner else f"call by {when}"
