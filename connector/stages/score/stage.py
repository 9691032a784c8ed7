"""`score`: the figures of the accounts that something happened to.

Scores stand still. They hold for the start of the installation's day; the prior is fitted once a day and stored with a version,
and an account keeps the version that it was scored with until one of its own answers comes, or the book has doubled: so an answer
moves its own account and no other. Without an answer figures are published anew only when they are news, see `worth_publishing`: once
a day because of the time that has passed, and in the next lap when other people can be asked, or when a setting or the method of
scoring has changed.

A page of customers is scored in one transaction, with as many statements for a page of one as for a page of two hundred.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.model.score import Figures
from connector.scoring import shrinkage
from connector.scoring.evidence import AccountRating, dated_evidence
from connector.settings.time_zones import day_begins
from connector.stages.context import Context
from connector.stages.invite.stage import limits_of
from connector.stages.page_size import FEWEST, PageSize
from connector.stages.score.plan import (
    BY_SETTINGS,
    answers_key,
    figures,
    fitted_with,
    made_with,
    with_mood_since,
    worth_publishing,
)
from connector.stages.score.priors import FittedPrior, StoredPriors, prior_at
from connector.store import Transaction
from connector.store.crm.records import mark_all_stale
from connector.store.results import scores
from connector.store.results.scores import Publication, PublishedScore, TakenIn
from connector.store.surveys.askable import LOOK_AGAIN, askable_people


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """How many accounts got new figures."""

    scored: int = 0


@dataclass(frozen=True, slots=True)
class _Day:
    """What one run of the stage goes by."""

    context: Context
    now: datetime
    as_of: datetime
    fitted: FittedPrior
    """The prior for answers that are taken in."""
    earlier: StoredPriors
    """Those that customers were scored with."""
    made_with: str
    own_domains: Sequence[str]
    """Mail domains of our own people, whom nobody asks."""


def run(context: Context) -> ScoreResult:
    """Score what is stale, and look at what has aged since yesterday or was made with other settings.

    Where somebody waits for an answer of theirs, what has aged is left to the next lap.
    """
    now = context.clock.now()
    as_of = day_begins(now, context.settings)
    day = _Day(
        context=context,
        now=now,
        as_of=as_of,
        fitted=prior_at(context, as_of),
        earlier=StoredPriors(fitted_with(context.settings.scoring.half_life)),
        made_with=made_with(context.settings),
        own_domains=_own_domains(context),
    )
    scored = _score_stale(day)
    return ScoreResult(scored + _age(day) if context.customers is None else scored)


def _own_domains(context: Context) -> Sequence[str]:
    with context.store.read() as tx:
        return limits_of(context, tx).internal_domains


def waiting(context: Context, size: PageSize) -> Iterator[Sequence[PublishedScore]]:
    """Yield pages of the scores of customers that something happened to, until all were seen or the lap is stopped."""
    if context.customers is not None:
        yield from _waiting_of(context, sorted(context.customers))
        return
    place: tuple[datetime, str] | None = None
    while not context.stop.is_set():
        rows = size.rows
        with context.store.read() as tx:
            stale = scores.stale(tx, place, rows)
        if stale:
            yield stale
        last = stale[-1] if len(stale) == rows else None
        if last is None or last.stale_at is None:
            return
        place = (last.stale_at, last.customer)


def _waiting_of(context: Context, customers: Sequence[str]) -> Iterator[Sequence[PublishedScore]]:
    """Yield pages of the scores of those of these customers that something happened to."""
    for start in range(0, len(customers), FEWEST):
        if context.stop.is_set():
            return
        with context.store.read() as tx:
            known = scores.of_customers(tx, customers[start : start + FEWEST])
        if there := [score for score in known if score.stale_at is not None]:
            yield there


def _score_stale(day: _Day) -> int:
    scored, size = 0, PageSize()
    for page in waiting(day.context, size):
        with day.context.write() as tx, size.timed(len(page)):
            scored += _score_page(tx, day, scores.locked(tx, [score.customer for score in page]))
    return scored


def _score_page(tx: Transaction, day: _Day, page: Sequence[PublishedScore]) -> int:
    """Score those whose answers have changed, and look again at those that were made with other settings."""
    ratings = scores.ratings_of(tx, [before.customer for before in page])
    keys = {before.customer: answers_key(ratings[before.customer]) for before in page}
    changed = [before for before in page if before.answers_key != keys[before.customer]]
    again = [
        before for before in page if before.answers_key == keys[before.customer] and before.made_with != day.made_with
    ]
    known = _Page.read(tx, day, ratings, changed, again)
    published = [*known.take_in(changed), *known.look_again(again)]
    scores.publish(tx, published, method=shrinkage.METHOD, as_of=day.as_of, now=day.now)
    scores.taken_in(tx, known.taken_in([*changed, *again], keys), made_with=day.made_with)
    scores.still_holds(tx, [before.customer for before in again], day.as_of, made_with=day.made_with)
    return len(published)


def _age(day: _Day) -> int:
    """Look at the figures that only time, or a setting, has touched."""
    published, place, size = 0, "", PageSize()
    while not day.context.stop.is_set():
        rows = size.rows
        with day.context.store.read() as tx:
            if not scores.aged(tx, day.as_of, place, 1, made_with=day.made_with):
                break  # as in nearly every lap: nobody else is kept from writing for it
        with day.context.write() as tx, size.timed(rows):
            aged = scores.aged(tx, day.as_of, place, rows, made_with=day.made_with)
            # Of two who score a customer at once the second sees what the first has published.
            current = scores.locked(tx, [before.customer for before in aged])
            published += _age_page(tx, day, [before for before in current if before.stale_at is None])
        if len(aged) < rows:
            break
        place = aged[-1].customer
    return published


def _age_page(tx: Transaction, day: _Day, aged: Sequence[PublishedScore]) -> int:
    if not aged:
        return 0
    customers = [before.customer for before in aged]
    ratings = scores.ratings_of(tx, customers)
    known = _Page.read(tx, day, ratings, [], aged)
    published = known.look_again(aged)
    scores.publish(tx, published, method=shrinkage.METHOD, as_of=day.as_of, now=day.now)
    mark_all_stale(tx, [publication.customer for publication in published], day.now)
    otherwise = [before for before in aged if before.made_with != day.made_with]
    scores.taken_in(tx, known.taken_in(otherwise, {}), made_with=day.made_with)
    scores.still_holds(tx, customers, day.as_of, made_with=day.made_with)
    return len(published)


# ── a page ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of a page of customers: their answers, and how many of their people can be asked."""

    day: _Day
    ratings: Mapping[str, Sequence[AccountRating]]
    askable: Mapping[str, int]

    @classmethod
    def read(
        cls,
        tx: Transaction,
        day: _Day,
        ratings: Mapping[str, Sequence[AccountRating]],
        changed: Sequence[PublishedScore],
        again: Sequence[PublishedScore],
    ) -> "_Page":
        """Read what is to be known of customers whose answers have changed, and of those that are looked at again."""
        day.earlier.read(tx, {before.prior_version for before in again})
        most = day.context.settings.scoring.minimum
        customers = [before.customer for before in (*changed, *again)]
        return cls(day, ratings, askable_people(tx, customers, internal_domains=day.own_domains, most=most))

    def take_in(self, changed: Sequence[PublishedScore]) -> list[Publication]:
        """Score customers whose answers have changed, by the prior for such."""
        fitted = self.day.fitted
        published = []
        for before in changed:
            after = self._figures(before.customer, fitted)
            if after is not None or before.figures is not None:
                since = with_mood_since(before.figures, after, self.day.now)
                published.append(Publication(before.customer, since, fitted.version))
        return published

    def look_again(self, again: Sequence[PublishedScore]) -> list[Publication]:
        """Score customers whose answers are as they were, by the prior that they were scored with; returns what is news."""
        step = self.day.context.settings.scoring.write_step
        published = []
        for before in again:
            fitted = _kept(self.day.earlier.of_version(before.prior_version), self.day.fitted)
            after = self._figures(before.customer, fitted)
            if worth_publishing(before.figures, after, step):
                by = "" if before.made_with in (self.day.made_with, LOOK_AGAIN) else BY_SETTINGS
                since = with_mood_since(before.figures, after, self.day.now, by=by)
                published.append(Publication(before.customer, since, fitted.version))
        return published

    def taken_in(self, page: Sequence[PublishedScore], keys: Mapping[str, str]) -> list[TakenIn]:
        """Return what is to be kept of these customers' answers; whose key is not given has the one that it had."""
        half_life, as_of = self.day.context.settings.scoring.half_life, self.day.as_of
        return [
            TakenIn(
                before.customer,
                keys.get(before.customer, before.answers_key),
                dated_evidence(before.customer, self.ratings[before.customer], as_of, half_life),
            )
            for before in page
        ]

    def _figures(self, customer: str, fitted: FittedPrior) -> Figures | None:
        day = self.day
        askable = self.askable.get(customer, 0)
        return figures(self.ratings[customer], fitted.prior, day.context.settings, day.as_of, askable=askable)


def _kept(stored: FittedPrior | None, newest: FittedPrior) -> FittedPrior:
    """Return the prior that a customer was scored with, unless the book has doubled since: then it says far more, and that is news.

    On its first day an installation has no answers to fit a prior on. Were that one kept, ranges would stay as wide as on that day.
    """
    doubled = stored is None or newest.prior.accounts >= max(2 * stored.prior.accounts, 1)
    return newest if stored is None or doubled else stored
