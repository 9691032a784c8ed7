"""`score`: the figures of the accounts that something happened to.

Scores stand still. They hold for the start of the installation's day; the prior is fitted once a day and stored with a version,
and an account keeps the version that it was scored with until one of its own answers comes: so an answer moves its own account and no
other. Time alone publishes anew only when the figure has moved by `write_step` points or the evidence has faded.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from connector.scoring.account_model import METHOD, Prior, fit_prior
from connector.scoring.account_model import score as score_account
from connector.scoring.evidence import RatedAnswer, account_evidence
from connector.scoring.metrics import account_metrics
from connector.scoring.mood import MoodRule, mood
from connector.scoring.trend import trend
from connector.settings import Settings
from connector.stages.context import Context
from connector.store import Transaction, scoring
from connector.store.pulling import mark_stale
from connector.zones import day_begins

PAGE = 200

Figures = dict[str, Any]
"""What is published about a customer, as JSON values; see `figures`."""


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """How many accounts got new figures."""

    scored: int = 0


def run(context: Context) -> ScoreResult:
    """Score what is stale, and once a day look at what has aged."""
    now = context.clock.now()
    as_of = day_begins(now, context.settings)
    version, prior = _todays_prior(context, as_of)
    scored = _score_stale(context, prior, version=version, as_of=as_of, now=now)
    return ScoreResult(scored + _age(context, as_of=as_of, now=now))


def figures(ratings: Sequence[RatedAnswer], prior: Prior, settings: Settings, as_of: datetime) -> Figures | None:
    """Return what the ratings say about one customer; None without any, or when they have faded.

    ``score``, ``low`` and ``high`` are unrounded points 0-100, ``metrics`` the shares in their own units (None below 5 people).
    """
    if not ratings:
        return None
    half_life = settings.scoring.half_life
    evidence = account_evidence(ratings[0].account, ratings, as_of, half_life)
    result = score_account(evidence, prior)
    if result is None:
        return None
    rule = MoodRule(settings.scoring.minimum, settings.scoring.unhappy_below, settings.scoring.happy_above)
    metrics = account_metrics(ratings, as_of, half_life)
    moves = trend(ratings)
    return {
        "score": result.score,
        "low": result.low,
        "high": result.high,
        "mood": mood(result, rule).value,
        "people": result.people,
        "answers": result.answers,
        "evidence": result.evidence,
        "metrics": {name: one.value for name, one in metrics.items()},
        "trend": moves if moves is None else str(moves),
        "last_answer": max(rating.at for rating in ratings).isoformat(),
    }


def worth_publishing(before: Figures | None, after: Figures | None, step: float) -> bool:
    """Tell whether time alone has changed enough for a rep to be told."""
    if before is None or after is None:
        return before is not after
    moved: float = abs(before["score"] - after["score"])
    return moved >= step or bool(before["people"] != after["people"])


def _todays_prior(context: Context, as_of: datetime) -> tuple[int, Prior]:
    day = as_of.astimezone(context.settings.schedule.timezone).date().isoformat()
    with context.store.read() as connection:
        stored = scoring.latest_prior(connection)
        if stored is not None and stored.day == day:
            return stored.version, Prior.from_json(stored.value)
        book = scoring.whole_book(connection)
        half_life = context.settings.scoring.half_life
        prior = fit_prior(account_evidence(customer, mine, as_of, half_life) for customer, mine in book)
    with context.store.write() as connection:
        version = scoring.save_prior(connection, prior, day)
        return version, scoring.load_prior(connection, version)


def waiting(context: Context) -> Iterator[Any]:
    """Yield the standings that something happened to, until all were seen or the lap is stopped."""
    place = None
    while not context.stop.is_set():
        with context.store.read() as connection:
            rows = scoring.stale(connection, place, PAGE)
        yield from takewhile(lambda _row: not context.stop.is_set(), rows)
        if len(rows) < PAGE:
            return
        place = (rows[-1].stale_at, rows[-1].customer)


def _score_stale(context: Context, prior: Prior, *, version: int, as_of: datetime, now: datetime) -> int:
    scored = 0
    for row in waiting(context):
        with context.store.write() as connection:
            ratings = scoring.ratings_of(connection, row.customer)
            key = answers_key(ratings)
            if row.answers_key == key:
                continue
            scoring.taken_in(connection, row.customer, key)
            after = _with_mood_since(row.score, figures(ratings, prior, context.settings, as_of), now)
            if after is None and row.score is None:
                continue
            scoring.publish(connection, row.customer, after, method=METHOD, version=version, as_of=as_of, now=now)
            scored += 1
    return scored


def answers_key(ratings: Sequence[RatedAnswer]) -> str:
    """Return what tells one set of answers from another: figures are made anew when it differs."""
    return hashlib.blake2b(repr(ratings).encode(), digest_size=12).hexdigest()


def _with_mood_since(before: Figures | None, after: Figures | None, now: datetime) -> Figures | None:
    """Carry over since when the mood holds: rules on a mood open one follow-up for each time it begins."""
    if after is None:
        return None
    if before is not None and before["mood"] == after["mood"]:
        return after | {"mood_since": before["mood_since"]}
    return after | {"mood_since": now.isoformat()}


def _age(context: Context, *, as_of: datetime, now: datetime) -> int:
    """Look once a day at figures that only time has touched."""
    published, place = 0, ""
    while not context.stop.is_set():
        with context.store.write() as connection:
            rows = scoring.aged(connection, as_of, place, PAGE)
            published += sum(_age_one(connection, context, row, as_of=as_of, now=now) for row in rows)
            scoring.still_holds(connection, [row.customer for row in rows], as_of)
        if len(rows) < PAGE:
            break
        place = rows[-1].customer
    return published


def _age_one(connection: Transaction, context: Context, row: Any, *, as_of: datetime, now: datetime) -> bool:
    prior = scoring.load_prior(connection, row.prior_version)
    ratings = scoring.ratings_of(connection, row.customer)
    after = _with_mood_since(row.score, figures(ratings, prior, context.settings, as_of), now)
    if not worth_publishing(row.score, after, context.settings.scoring.write_step):
        return False
    scoring.publish(connection, row.customer, after, method=METHOD, version=row.prior_version, as_of=as_of, now=now)
    mark_stale(connection, row.customer, now)
    return True
