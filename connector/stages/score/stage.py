"""`score`: the figures of the accounts that something happened to.

Scores stand still. They hold for the start of the installation's day; the prior is fitted once a day and stored with a version,
and an account keeps the version that it was scored with until one of its own answers comes, or the book has doubled: so an answer
moves its own account and no other. Without an answer figures are published anew only when they are news, see `worth_publishing`: once
a day because of the time that has passed, and in the next lap when other people can be asked, or when a setting or the method of
scoring has changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from connector.model.score import Figures
from connector.scoring import shrinkage
from connector.scoring.evidence import AccountRating, account_evidence
from connector.scoring.shrinkage import Prior, fit_prior
from connector.settings.time_zones import day_begins
from connector.stages.context import Context
from connector.stages.invite.stage import limits_of
from connector.stages.score.plan import (
    BY_SETTINGS,
    answers_key,
    figures,
    fitted_with,
    made_with,
    with_mood_since,
    worth_publishing,
)
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.results import scores
from connector.store.results.scores import PublishedScore, StoredPrior
from connector.store.surveys.askable import LOOK_AGAIN, askable_people

PAGE = 200
AGED_AT_ONCE = 50
"""How many customers are worked out in one transaction: nobody else can write meanwhile."""


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """How many accounts got new figures."""

    scored: int = 0


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A prior, and the version that it is stored as."""

    version: int
    prior: Prior


@dataclass(frozen=True, slots=True)
class _Day:
    """What one run of the stage goes by."""

    context: Context
    now: datetime
    as_of: datetime
    fitted: _Fitted
    """The prior of the day."""
    fitted_with: str
    made_with: str
    own_domains: Sequence[str]
    """Mail domains of our own people, whom nobody asks."""


def run(context: Context) -> ScoreResult:
    """Score what is stale, and look at what has aged since yesterday or was made with other settings."""
    now = context.clock.now()
    as_of = day_begins(now, context.settings)
    day = _Day(
        context=context,
        now=now,
        as_of=as_of,
        fitted=_todays_prior(context, as_of),
        fitted_with=fitted_with(context.settings.scoring.half_life),
        made_with=made_with(context.settings),
        own_domains=_own_domains(context),
    )
    return ScoreResult(_score_stale(day) + _age(day))


def _own_domains(context: Context) -> Sequence[str]:
    with context.store.read() as tx:
        return limits_of(context, tx).internal_domains


def waiting(context: Context) -> Iterator[PublishedScore]:
    """Yield the scores of customers that something happened to, until all were seen or the lap is stopped."""
    place: tuple[datetime, str] | None = None
    while not context.stop.is_set():
        with context.store.read() as tx:
            stale = scores.stale(tx, place, PAGE)
        yield from takewhile(lambda _score: not context.stop.is_set(), stale)
        last = stale[-1] if len(stale) == PAGE else None
        if last is None or last.stale_at is None:
            return
        place = (last.stale_at, last.customer)


# ── the prior ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _todays_prior(context: Context, as_of: datetime) -> _Fitted:
    day = as_of.astimezone(context.settings.schedule.timezone).date().isoformat()
    half_life = context.settings.scoring.half_life
    how = fitted_with(half_life)
    with context.store.read() as tx:
        stored = _usable(scores.prior_of_day(tx, day, how), how)
        if stored is not None:
            return stored
        book = scores.whole_book(tx)
        prior = fit_prior(account_evidence(customer, ratings, as_of, half_life) for customer, ratings in book)
    with context.write() as tx:
        saved = scores.save_prior(tx, prior, day, fitted_with=how)
        # Another process may have been first: then its prior holds for the day.
        return _usable(saved, how) or _Fitted(scores.replace_prior(tx, saved.version, prior), prior)


def _usable(stored: StoredPrior | None, how: str) -> _Fitted | None:
    """Return a stored prior; None when there is none, or when it was fitted in another way: then it is fitted anew."""
    if stored is None or stored.fitted_with != how:
        return None
    try:
        return _Fitted(stored.version, Prior.from_json(stored.value))
    except ValueError:
        return None


# ── one customer ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _score_stale(day: _Day) -> int:
    scored = 0
    for before in waiting(day.context):
        with day.context.write() as tx:
            ratings = scores.ratings_of(tx, before.customer)
            key = answers_key(ratings)
            if before.answers_key != key:
                scored += _take_in(tx, day, before, ratings)
                scores.taken_in(tx, before.customer, key, made_with=day.made_with)
            elif before.made_with != day.made_with:
                scored += _look_again(tx, day, before, ratings)
                scores.still_holds(tx, [before.customer], day.as_of, made_with=day.made_with)
    return scored


def _take_in(tx: Transaction, day: _Day, before: PublishedScore, ratings: list[AccountRating]) -> bool:
    """Score a customer whose answers have changed, by the prior of the day."""
    askable = _askable(tx, day, before.customer)
    after = figures(ratings, day.fitted.prior, day.context.settings, day.as_of, askable=askable)
    if after is None and before.figures is None:
        return False
    _publish(tx, day, before, with_mood_since(before.figures, after, day.now), version=day.fitted.version)
    return True


def _look_again(tx: Transaction, day: _Day, before: PublishedScore, ratings: list[AccountRating]) -> bool:
    """Score a customer whose answers are as they were, by the prior that they were scored with, and publish what is news."""
    askable = _askable(tx, day, before.customer)
    fitted = _kept(_usable(scores.prior_of_version(tx, before.prior_version), day.fitted_with), day)
    after = figures(ratings, fitted.prior, day.context.settings, day.as_of, askable=askable)
    by = "" if before.made_with in (day.made_with, LOOK_AGAIN) else BY_SETTINGS
    if not worth_publishing(before.figures, after, day.context.settings.scoring.write_step):
        return False
    _publish(tx, day, before, with_mood_since(before.figures, after, day.now, by=by), version=fitted.version)
    return True


def _kept(stored: _Fitted | None, day: _Day) -> _Fitted:
    """Return the prior that a customer was scored with, unless the book has doubled since: then it says far more, and that is news.

    On its first day an installation has no answers to fit a prior on. Were that one kept, ranges would stay as wide as on that day.
    """
    doubled = stored is None or day.fitted.prior.accounts >= max(2 * stored.prior.accounts, 1)
    return day.fitted if stored is None or doubled else stored


def _publish(tx: Transaction, day: _Day, before: PublishedScore, after: Figures | None, *, version: int) -> None:
    scores.publish(tx, before.customer, after, method=shrinkage.METHOD, version=version, as_of=day.as_of, now=day.now)


def _askable(tx: Transaction, day: _Day, customer: str) -> int:
    most = day.context.settings.scoring.minimum
    return askable_people(tx, customer, internal_domains=day.own_domains, most=most)


# ── everybody, page by page ──────────────────────────────────────────────────────────────────────────────────────────


def _age(day: _Day) -> int:
    """Look at the figures that only time, or a setting, has touched."""
    published, place = 0, ""
    while not day.context.stop.is_set():
        with day.context.write() as tx:
            aged = scores.aged(tx, day.as_of, place, AGED_AT_ONCE, made_with=day.made_with)
            published += sum(_age_one(tx, day, before) for before in aged)
            scores.still_holds(tx, [before.customer for before in aged], day.as_of, made_with=day.made_with)
        if len(aged) < AGED_AT_ONCE:
            break
        place = aged[-1].customer
    return published


def _age_one(tx: Transaction, day: _Day, before: PublishedScore) -> bool:
    ratings = scores.ratings_of(tx, before.customer)
    if not _look_again(tx, day, before, ratings):
        return False
    mark_stale(tx, before.customer, day.now)
    return True
