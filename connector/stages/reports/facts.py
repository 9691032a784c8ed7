"""What a report to the managers tells, put together from what the store knows at that moment."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.domain.text_cutting import shorten
from connector.domain.text_direction import one_line
from connector.errors import Bug
from connector.exports.period import Period
from connector.model import ClosedBy, FollowUpState, Outcome
from connector.model.follow_up import FollowUp, NamedFollowUp
from connector.scoring.scales import Band, band
from connector.sentences import clauses
from connector.sentences.catalogue import Catalogue
from connector.sentences.content import Caps
from connector.sentences.ratings import with_word
from connector.stages.context import Context
from connector.stages.reports.plan import DueReport, ReportKind
from connector.stages.write_back.desired_values import details_url, open_follow_up, words_of
from connector.store import Transaction
from connector.store.results import follow_up_facts, record_texts
from connector.store.views import reports
from connector.store.views.reports import ReportedResponse
from connector.surveys.report_mail import Before, Facts, Listed, ReportLine, ResponseCounts

MOST: Final = 10
"""Lines of each part of a report; how many more there are is said."""
LONGEST_QUOTE: Final = 200
"""Characters of a comment; the whole of it stands on the record's page."""
_ROOMY: Final = Caps(120, 80, 120, 120)


@dataclass(frozen=True, slots=True)
class Covered:
    """The connections that a report is about; `unread` are those of them that cannot be read at present."""

    crms: tuple[str, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unhappy:
    """A bad answer, and the follow-up that it is in."""

    answered: ReportedResponse
    named: NamedFollowUp | None

    @property
    def order(self) -> tuple[int, tuple[int, float], datetime, str]:
        """What somebody has to call about first, the worst answer first."""
        states = (FollowUpState.OPEN, FollowUpState.WAITING_FOR_OUTCOME, FollowUpState.CLOSED)
        place = len(states) if self.named is None else states.index(self.named.follow_up.state)
        response = self.answered.response
        return place, clauses.badness(response.worst), response.at, response.response_id


def facts_of(context: Context, tx: Transaction, report: DueReport, covered: Covered) -> Facts:
    """Return what a report tells. What is late or without an outcome is so at this moment, whatever days the report is about."""
    now, crms, period = context.clock.now(), covered.crms, report.period
    answers, bad = _answers(tx, crms, period)
    unhappy = _unhappy(tx, bad)
    shown = [bad_answer.named.follow_up.id for bad_answer in unhappy[:MOST] if bad_answer.named is not None]
    late = reports.late(tx, crms, now, besides=shown, limit=MOST)
    waiting = reports.without_outcome(tx, crms, besides=shown, limit=MOST)
    unheard, unheard_count = reports.unheard(tx, crms, period.since, period.until, limit=MOST)
    return Facts(
        monthly=report.kind is ReportKind.MONTHLY,
        period=period,
        answers=answers,
        asking=reports.asking(tx, crms, period.since, period.until),
        before=_before(tx, crms, report),
        bad=Listed(tuple(_bad_line(context, tx, answer, now) for answer in unhappy[:MOST]), len(unhappy)),
        late=_listed(context, tx, *late, now=now),
        waiting=_listed(context, tx, *waiting, now=now),
        unheard=tuple(unheard),
        unheard_count=unheard_count,
        never_asked=reports.never_asked(tx, crms),
        not_asked=reports.not_asked(tx, crms, period.since, period.until),
        unread=covered.unread,
    )


def _before(tx: Transaction, crms: Collection[str], report: DueReport) -> Before | None:
    """Return the figures to compare with; none where nothing was live then, or only for a part of that time."""
    earlier, live_since = report.previous, reports.live_since(tx, crms)
    if live_since is None or live_since > earlier.since:
        return None
    answers, _bad = _answers(tx, crms, earlier)
    return Before(answers.count, reports.asking(tx, crms, earlier.since, earlier.until))


def _answers(tx: Transaction, crms: Collection[str], period: Period) -> tuple[ResponseCounts, list[ReportedResponse]]:
    """Count the answers of a time, each by the worst rating in it, and return the bad ones."""
    counts = dict.fromkeys(Band, 0)
    bad: list[ReportedResponse] = []
    for answered in reports.answers(tx, crms, period.since, period.until):
        counted_as = band(answered.response.worst)
        counts[counted_as] += 1
        if counted_as is Band.BAD:
            bad.append(answered)
    return ResponseCounts(counts[Band.GOOD], counts[Band.OK], counts[Band.BAD]), bad


def _unhappy(tx: Transaction, bad: Iterable[ReportedResponse]) -> list[_Unhappy]:
    """Return bad answers with their follow-ups, those first that somebody has to call about."""
    every = list(bad)
    follow_ups = reports.follow_ups_about(tx, [answered.response.response_id for answered in every])
    unhappy = [_Unhappy(answered, follow_ups.get(answered.response.response_id)) for answered in every]
    return sorted(unhappy, key=lambda answer: answer.order)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bad_line(context: Context, tx: Transaction, unhappy: _Unhappy, now: datetime) -> ReportLine:
    response, words = unhappy.answered.response, words_of(context)
    headline = words.text(
        "summary.answer",
        who=clauses.name(response.who, _ROOMY.who, words),
        rating=with_word(response.worst, words),
        topic=clauses.topic(response.label, response.subject, _ROOMY, words),
        day=words.day(response.at, context.settings.company.timezone),
    )
    return ReportLine(
        headline=headline,
        account=one_line(unhappy.answered.account),
        url=_url(context, tx, unhappy.answered.account_id),
        step=_step(context, tx, unhappy.named, now),
        quote=shorten(one_line(response.comment or ""), LONGEST_QUOTE),
    )


def _listed(
    context: Context, tx: Transaction, follow_ups: Sequence[NamedFollowUp], count: int, *, now: datetime
) -> Listed:
    answers = record_texts.answers_about(tx, [named.follow_up.id for named in follow_ups])
    words = words_of(context)
    lines = [
        ReportLine(
            headline=clauses.what(
                open_follow_up(context, tx, named, answers.get(named.follow_up.id, ())), _ROOMY, words
            ),
            account=one_line(named.account_name),
            url=_url(context, tx, named.follow_up.account_id),
            step=_step(context, tx, named, now),
        )
        for named in follow_ups
    ]
    return Listed(tuple(lines), count)


def _step(context: Context, tx: Transaction, named: NamedFollowUp | None, now: datetime) -> str:
    """Return what happens next about an answer, or how it ended."""
    words = words_of(context)
    if named is None:
        text = words.text("report.step.nobody")
    elif named.follow_up.state is FollowUpState.CLOSED:
        text = _ending(named.follow_up, words, context)
    else:
        text = clauses.step(open_follow_up(context, tx, named, ()), _ROOMY, words, now=now)
    return f"{text[:1].upper()}{text[1:]}."


def _ending(follow_up: FollowUp, words: Catalogue, context: Context) -> str:
    if follow_up.closed_at is None:
        raise Bug("a closed follow-up has no time of closing")
    day = words.day(follow_up.closed_at, context.settings.company.timezone)
    if follow_up.closed_by is ClosedBy.LATER_ANSWER:
        return words.text("report.step.later_answer", day=day)
    if follow_up.closed_by is ClosedBy.OUTCOME and follow_up.outcome:
        return words.text("report.step.outcome", day=day, outcome=_outcome(follow_up.outcome, words))
    return words.text("report.step.closed", day=day)


def _outcome(value: str, words: Catalogue) -> str:
    """Return an outcome in the reader's language; one of the admin's own as it is called."""
    names: Mapping[str, str] = {outcome.value: outcome.name.lower() for outcome in Outcome}
    return words.text(f"outcome.{names[value]}") if value in names else one_line(value)


def _url(context: Context, tx: Transaction, account_id: str) -> str:
    """Return where an account's record opens: in the CRM, or our own page while that CRM is not connected."""
    account = follow_up_facts.account_of(tx, account_id)
    crm = context.connected.get(account.ref.connection)
    if crm is None:
        return details_url(context, account_id)
    return crm.reader.record_url(account.ref)
