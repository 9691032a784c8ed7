"""The texts of a follow-up's task: what it is called, and all that whoever calls should know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from connector.domain.follow_up_rules import Rule
from connector.domain.text_cutting import shorten
from connector.domain.text_direction import one_line
from connector.sentences.catalogue import Catalogue
from connector.sentences.clauses import (
    LIMIT,
    account_reason,
    badness,
    name,
    new_subject,
    tightest,
    topic,
    widened,
    worst_response,
)
from connector.sentences.content import (
    AccountReason,
    Caps,
    Link,
    MoodSeen,
    NamedResponse,
    Silence,
    UnansweredInvitation,
)
from connector.sentences.ratings import in_brackets, with_word
from connector.sentences.rule_words import rule_sentence

_ROOMY = Caps(120, 120, 120, 255)
"""A task's text has room for names and subjects."""
_SUBJECT = ("task.subject", "task.subject_overdue")
_ACCOUNT_SUBJECT = ("task.subject_account", "task.subject_account_overdue")


@dataclass(frozen=True, slots=True)
class TaskText:
    """What a task's text is made from."""

    rules: Sequence[Rule]
    """Those that hold, the one that made it first."""
    links: Sequence[Link]
    """Ours, the customer's record and what it was about, by the names that `link_names` gives."""
    tz: tzinfo
    responses: Sequence[NamedResponse] = ()
    """Those that it is about; none where it is about the account."""
    more: int = 0
    """How many further answers there are that it does not quote."""
    reasons: Sequence[AccountReason] = ()
    owner_note: str | None = None
    """Who was passed over, and why."""
    outcome_links: Sequence[Link] = ()
    """One for each outcome, by its label."""
    ended: str | None = None
    """What ended it though nobody noted an outcome, see `later_answer`."""


def last_rating(response: NamedResponse, words: Catalogue, tz: tzinfo) -> str:
    """Return a contact's last rating: ``2 of 5, dissatisfied, case 00123, 12 Nov 2026``."""

    def render(caps: Caps) -> str:
        label = shorten(one_line(response.label), caps.label)
        rating = with_word(response.rating, words)
        return words.text("record.last_rating", rating=rating, label=label, day=words.day(response.at, tz))

    return tightest(render, LIMIT, caps=(replace(_ROOMY, subject=0), Caps()))[0]


def call_subject(response: NamedResponse, due: datetime, words: Catalogue, *, tz: tzinfo, now: datetime) -> str:
    """Return ``Call Maria Virtanen by Fri 15:00: 1 of 5 (very dissatisfied), "Printer offline again"``.

    Once that time is over it says since when the call is overdue instead: ``Call Maria Virtanen, overdue since 13 Nov 2026: …``.
    """
    key, when = _when(_SUBJECT, due, words, tz=tz, now=now)
    title = new_subject(response.label, response.subject)

    def render(caps: Caps) -> str:
        return words.text(
            key,
            who=name(response.who, caps.who, words),
            when=when,
            rating=in_brackets(response.rating, words),
            topic=words.text("topic.subject", subject=shorten(title, caps.subject))
            if title and caps.subject
            else shorten(one_line(response.label), caps.label),
        )

    text, caps = tightest(render, LIMIT)
    return widened(render, caps, title, LIMIT) if title else text


def account_subject(
    account: str, reasons: Sequence[AccountReason], due: datetime, words: Catalogue, *, tz: tzinfo, now: datetime
) -> str:
    """Return ``Call Northwind by Fri 15:00: asked 2 times, no answer by 18 Nov 2026``."""
    about = words.text("format.list").join(account_reason(reason, words, tz) for reason in reasons)
    key, when = _when(_ACCOUNT_SUBJECT, due, words, tz=tz, now=now)

    def render(caps: Caps) -> str:
        return words.text(key, who=name(account, caps.who, words), when=when, reason=about)

    return tightest(render, LIMIT)[0]


def _when(keys: tuple[str, str], due: datetime, words: Catalogue, *, tz: tzinfo, now: datetime) -> tuple[str, str]:
    """Return which of two messages it is, and what it says of the time: by when, or since when the call is overdue."""
    in_time, overdue = keys
    return (overdue, words.day(due, tz)) if due <= now else (in_time, words.deadline(due, tz, now=now))


def link_names(words: Catalogue) -> tuple[str, str, str]:
    """Return what the links are called: to all answers, to the customer's record, to what was asked about."""
    return words.text("task.details"), words.text("task.record"), words.text("task.interaction")


def body(task: TaskText, words: Catalogue) -> str:
    """Return a task's text. Ours comes first; a customer's words stand in lines that begin with a mark of their own."""
    blocks = [
        words.text("task.ended", what=task.ended) if task.ended else "",
        _links(task.links, words),
        *dict.fromkeys(rule_sentence(rule, words) for rule in task.rules),
        *_answers(task, words),
        words.count("task.more_answers", task.more) if task.more else "",
        *(block for reason in task.reasons for block in _about_account(reason, task, words)),
        task.owner_note or "",
        _closing(task, words),
    ]
    return "\n\n".join(block for block in blocks if block)


def later_answer(response: NamedResponse, words: Catalogue, tz: tzinfo) -> str:
    """Return what a later good answer was: ``Maria Virtanen gave 5 of 5 (very satisfied) on 12 Nov 2026``."""
    who = name(response.who, _ROOMY.who, words)
    return words.text("task.gave", who=who, rating=in_brackets(response.rating, words), day=words.day(response.at, tz))


def joined_body(other: str, link: Link, words: Catalogue) -> str:
    """Return the text of a task that another one about the same person has taken over."""
    return f"{words.text('task.joined', subject=other)}\n\n{_links([link], words)}"


def note(quoted: str, link: Link, words: Catalogue) -> str:
    """Return the text of a note on an answer (see `quoted_answer`) that the task lacks, since somebody has changed its text."""
    return "\n\n".join([words.text("task.note"), quoted, _links([link], words)])


def quoted_lines(comment: str) -> str:
    """Return a customer's words with a mark before each line, empty lines left out: no line can pass for one of ours."""
    lines = (one_line(line) for line in comment.splitlines())
    return "\n".join(f"> {line}" for line in lines if line)


def _links(links: Sequence[Link], words: Catalogue) -> str:
    return "\n".join(words.text("task.link", name=link.name, url=link.url) for link in links)


def _closing(task: TaskText, words: Catalogue) -> str:
    if not task.outcome_links:
        return words.text("task.closing")
    return f"{words.text('task.closing_links')}\n{_links(task.outcome_links, words)}"


def _answers(task: TaskText, words: Catalogue) -> Iterator[str]:
    """Yield the answers that the task is about: the worst first, then the newest."""
    first = worst_response(task.responses)
    newest_first = sorted(task.responses, key=lambda response: (response.at, response.response_id), reverse=True)
    for response in sorted(newest_first, key=lambda response: response is not first):
        yield quoted_answer(response, task.tz, words)


def quoted_answer(response: NamedResponse, tz: tzinfo, words: Catalogue) -> str:
    """Return one answer as a task quotes it: who gave what, then their words."""
    head = words.text(
        "task.answer",
        who=name(response.who, _ROOMY.who, words),
        rating=in_brackets(response.rating, words),
        topic=topic(response.label, response.subject, _ROOMY, words),
        day=words.day(response.at, tz),
    )
    others = [with_word(rating, words) for rating in response.ratings if rating != response.rating]
    also = words.text("task.also_rated", ratings="; ".join(others)) if others else ""
    quote = quoted_lines(response.comment or "")
    return "\n".join(line for line in (head + (":" if quote else "."), quote, also) if line)


def _about_account(reason: AccountReason, task: TaskText, words: Catalogue) -> Iterator[str]:
    yield _silence(reason, task.tz, words) if isinstance(reason, Silence) else _mood(reason, task.tz, words)
    if isinstance(reason, Silence) and reason.invitations:
        latest = max(reason.invitations, key=lambda invitation: invitation.at)
        shown = topic(latest.label, latest.subject, _ROOMY, words)
        yield words.text("task.reason_silence", who=name(latest.who, _ROOMY.who, words), topic=shown)
    if isinstance(reason, MoodSeen) and (
        low := min(reason.responses, key=lambda response: badness(response.worst), default=None)
    ):
        yield words.text(
            "task.reason_mood",
            who=name(low.who, _ROOMY.who, words),
            rating=in_brackets(low.worst, words),
            topic=topic(low.label, low.subject, _ROOMY, words),
        )


def _silence(silence: Silence, tz: tzinfo, words: Catalogue) -> str:
    lines = [words.text("task.silence", day=words.day(silence.by, tz))]
    lines += [
        _invitation_line(invitation, tz, words)
        for invitation in sorted(silence.invitations, key=lambda invitation: invitation.at)
    ]
    if silence.last_answer is None:
        return "\n".join([*lines, words.text("task.never_answered")])
    return "\n".join([*lines, words.text("task.last_answer", day=words.day(silence.last_answer, tz))])


def _invitation_line(invitation: UnansweredInvitation, tz: tzinfo, words: Catalogue) -> str:
    values = {
        "who": name(invitation.who, _ROOMY.who, words),
        "day": words.day(invitation.at, tz),
        "topic": topic(invitation.label, invitation.subject, _ROOMY, words),
    }
    if invitation.reminded is None:
        return words.text("task.asked", **values)
    return words.text("task.asked_again", again=words.day(invitation.reminded, tz), **values)


def _mood(reason: MoodSeen, tz: tzinfo, words: Catalogue) -> str:
    mood = words.text(f"mood.{reason.mood.value}")
    if not reason.responses:
        return words.text("task.mood_alone", day=words.day(reason.at, tz), mood=mood)
    lines = [words.text("task.mood", day=words.day(reason.at, tz), mood=mood)]
    for response in reason.responses:
        shown = topic(response.label, response.subject, _ROOMY, words)
        values = {
            "who": name(response.who, _ROOMY.who, words),
            "rating": with_word(response.worst, words),
            "topic": shown,
        }
        lines.append(words.text("task.rated", day=words.day(response.at, tz), **values))
    return "\n".join(lines)
