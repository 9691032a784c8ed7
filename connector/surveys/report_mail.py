"""The report to the managers, by week and by month: who was unhappy and who calls them, what is late, and who was not heard.

It is read on a phone: what somebody has to do comes first. It always says something, also of a quiet week.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.domain.text_direction import one_line
from connector.exports.period import Period
from connector.model import Attachment
from connector.ports.mail import Message
from connector.sentences.catalogue import Catalogue
from connector.store.views.reports import Asking, Unheard
from connector.surveys.survey_mail import Site, html_of, one_line_subject, text_of

MOST_REASONS = 3
"""Reasons why people were not asked that a report names."""
FEWEST_FOR_PERCENT = 10
"""No percentage is given of fewer people than this: one answer more or less would turn it over."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One answer or follow-up: who and what, in their own words where they left some, at which account, and what happens next."""

    headline: str
    account: str
    url: str
    """Where the account's record opens."""
    step: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """Lines that a report shows, and how many there are in all."""

    lines: tuple[ReportLine, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class ResponseCounts:
    """How many answers came in, by what they count as."""

    good: int = 0
    ok: int = 0
    bad: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.good + self.ok + self.bad


@dataclass(frozen=True, slots=True)
class Before:
    """The time before, to compare with."""

    answers: int
    asking: Asking


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report contains."""

    monthly: bool
    period: Period
    answers: ResponseCounts
    asking: Asking
    before: Before | None
    """None: nothing was live then."""
    bad: Listed = Listed()
    late: Listed = Listed()
    """Besides those that `bad` shows."""
    waiting: Listed = Listed()
    unheard: tuple[Unheard, ...] = ()
    unheard_count: int = 0
    never_asked: int = 0
    not_asked: Counter[str] = field(default_factory=Counter)
    """Occasions on which nobody was asked, by the reason."""
    unread: tuple[str, ...] = ()
    """Connections that cannot be read at present."""


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A titled part of a report: sentences, then lines, then how many more there are."""

    title: str
    sentences: tuple[str, ...] = ()
    lines: tuple[ReportLine, ...] = ()
    more: str = ""


def report_message(
    facts: Facts,
    *,
    words: Catalogue,
    site: Site,
    to: str,
    message_id: str,
    workbook: Attachment | None = None,
) -> Message:
    """Return the report ready to send. Customers' words are quoted, so that none can pass for one of ours."""
    subject = words.text("report.subject", title=title(facts, words), news=_news(facts, words))
    sections = list(parts(facts, words))
    if facts.monthly:
        key = "report.workbook" if workbook is not None else "report.no_workbook"
        sections.append(ReportPart(words.text("report.title.rows"), (words.text(key, period=facts.period.name),)))
    values = {
        "title": title(facts, words),
        "parts": sections,
        "why": words.text("report.why", company=site.sender_name),
        "lang": words.language,
    }
    return Message(
        to=to,
        subject=one_line_subject(subject),
        text=text_of("report.txt", values),
        html=html_of("report.mjml", values),
        message_id=message_id,
        language=words.language,
        attachments=() if workbook is None else (workbook,),
    )


def title(facts: Facts, words: Catalogue) -> str:
    """Return what the report is about: ``Customer feedback, 16 Nov 2026 to 22 Nov 2026``."""
    period = facts.period
    if facts.monthly:
        return words.text("report.month", month=words.month(period.since, period.tz))
    return words.text(
        "report.week", first=words.day(period.since, period.tz), last=words.day(period.last_moment, period.tz)
    )


def parts(facts: Facts, words: Catalogue) -> Iterator[ReportPart]:
    """Yield the parts of a report, what somebody has to do first; each of them says something."""
    yield _bad(facts, words)
    for name, listed in (("late", facts.late), ("waiting", facts.waiting)):
        if listed.count:
            yield ReportPart(words.text(f"report.title.{name}"), (), listed.lines, _more(listed, words))
    yield ReportPart(words.text("report.title.answers"), tuple(_figures(facts, words)))
    silent = tuple(_unheard(facts, words))
    if silent:
        yield ReportPart(words.text("report.title.unheard"), silent)
    if facts.unread:
        names = words.text("format.list").join(facts.unread)
        yield ReportPart(words.text("report.title.unread"), (words.text("report.unread", names=names),))


def _news(facts: Facts, words: Catalogue) -> str:
    if facts.bad.count:
        return words.count("report.bad", facts.bad.count)
    return words.text("report.news_good" if facts.answers.count else "report.news_none")


def _bad(facts: Facts, words: Catalogue) -> ReportPart:
    heading = words.text("report.title.bad")
    if facts.bad.count:
        return ReportPart(heading, (), facts.bad.lines, _more(facts.bad, words))
    return ReportPart(
        heading, (words.text("report.nobody_unhappy" if facts.answers.count else "report.nobody_answered"),)
    )


def _more(listed: Listed, words: Catalogue) -> str:
    rest = listed.count - len(listed.lines)
    return words.count("report.more", rest) if rest else ""


def _figures(facts: Facts, words: Catalogue) -> Iterator[str]:
    """Yield how many answered and were asked, beside the time before, and, where few were asked, why."""
    answers = facts.answers
    if answers.count:
        split = {name: words.number(getattr(answers, name)) for name in ("good", "ok", "bad")}
        yield words.count("report.answers", answers.count, **split)
    yield _rate(facts.asking, words)
    if facts.before is not None:
        kind = "month" if facts.monthly else "week"
        asking = facts.before.asking
        answered = words.count("report.before.answers", facts.before.answers)
        yield words.text(f"report.before.{kind}", answers=answered, rate=_rate_before(asking, words))
    occasions = facts.not_asked.total()
    if occasions > facts.asking.asked:
        reasons = [
            words.text("report.reason", reason=words.text(f"not_asked.{reason}"), times=words.number(times))
            for reason, times in facts.not_asked.most_common(MOST_REASONS)
        ]
        yield words.count("report.not_asked", occasions, reasons=words.text("format.list").join(reasons))


def _rate(asking: Asking, words: Catalogue) -> str:
    if not asking.asked:
        return words.text("report.asked_nobody")
    return words.count("report.asked", asking.asked, answered=_share(asking, words))


def _rate_before(asking: Asking, words: Catalogue) -> str:
    return words.text("report.before.asked", asked=words.number(asking.asked), answered=_share(asking, words))


def _share(asking: Asking, words: Catalogue) -> str:
    """Return how many have answered, with the percentage where there are enough for one."""
    answered = words.number(asking.answered)
    if asking.asked < FEWEST_FOR_PERCENT:
        return answered
    percent = words.number(round(100 * asking.answered / asking.asked))
    return words.text("report.share", answered=answered, percent=percent)


def _unheard(facts: Facts, words: Catalogue) -> Iterator[str]:
    for customer in facts.unheard:
        day = words.day(customer.last_asked, facts.period.tz)
        yield words.count("report.unheard", customer.people, account=one_line(customer.account), day=day)
    rest = facts.unheard_count - len(facts.unheard)
    if rest:
        yield words.count("report.more_unheard", rest)
    if facts.never_asked:
        yield words.count("report.never_asked", facts.never_asked)
