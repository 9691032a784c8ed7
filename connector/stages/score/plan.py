"""What `score` publishes about a customer, and when it is worth publishing: pure, ratings in, figures out."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from connector.model.score import Figures
from connector.scoring import shrinkage
from connector.scoring.evidence import AccountRating, account_evidence
from connector.scoring.metrics import account_metrics
from connector.scoring.mood import MoodRule, mood
from connector.scoring.scales import round_half_away
from connector.scoring.shrinkage import Prior
from connector.scoring.shrinkage import score as score_account
from connector.scoring.trend import trend
from connector.settings import Settings

RULES: Final = 2
"""The version of what is made of a score: moods, and what is shown. With a new one everybody is looked at again."""
BY_SETTINGS: Final = "settings"
"""Why a mood began, where no answer and no time that passed began it: it is no event, and opens no follow-up."""


def figures(
    ratings: Sequence[AccountRating], prior: Prior, settings: Settings, as_of: datetime, *, askable: int
) -> Figures | None:
    """Return what the ratings say about one customer; None without any, or when they have faded.

    `askable`: how many people of the customer can be asked, as far as it matters for the mood.
    """
    if not ratings:
        return None
    half_life = settings.scoring.half_life
    result = score_account(account_evidence(ratings[0].account, ratings, as_of, half_life), prior)
    if result is None:
        return None
    rule = mood_rule(settings)
    shown = rule.shows(result)
    direction = trend(ratings)
    return Figures(
        score=result.score if shown else None,
        low=result.low if shown else None,
        high=result.high if shown else None,
        mood=mood(ratings, result, rule, as_of=as_of, askable=askable),
        people=result.people,
        answers=result.answers,
        evidence=result.evidence,
        askable=askable,
        metrics={name: metric.value for name, metric in account_metrics(ratings, as_of, half_life).items()},
        trend=None if direction is None else direction.value,
        last_answer=max(rating.at for rating in ratings),
    )


def mood_rule(settings: Settings) -> MoodRule:
    """Return the admin's settings of the mood."""
    scoring = settings.scoring
    return MoodRule(scoring.minimum, scoring.unhappy_below, scoring.happy_above, scoring.widest)


def worth_publishing(before: Figures | None, after: Figures | None, step: float) -> bool:
    """Tell whether figures without a new answer are news: another mood, other people, metrics or trend, a score that moved by a step.

    A number that appears or disappears is news too.
    """
    if before is None or after is None:
        return before is not after
    if _beside_the_score(before) != _beside_the_score(after):
        return True
    if before.score is None or after.score is None:
        return before.score is not after.score
    return abs(before.score - after.score) >= step


def _beside_the_score(known: Figures) -> tuple[object, ...]:
    metrics = {name: value if value is None else round_half_away(value) for name, value in known.metrics.items()}
    return known.mood, known.people, known.trend, metrics


def with_mood_since(before: Figures | None, after: Figures | None, now: datetime, *, by: str = "") -> Figures | None:
    """Carry over since when the mood holds, and what began it: rules on a mood open one follow-up for each time it begins."""
    if after is None:
        return None
    if before is not None and before.mood is after.mood and before.mood_since is not None:
        return replace(after, mood_since=before.mood_since, mood_by=before.mood_by)
    return replace(after, mood_since=now, mood_by=by)


def answers_key(ratings: Sequence[AccountRating]) -> str:
    """Return what tells one set of answers from another: figures are made anew when it differs.

    It stays as it was first stored, when the class had another name: else an upgrade would publish everybody's figures anew.
    """
    first_kept = ", ".join(
        f"RatedAnswer(account={rating.account!r}, contact={rating.contact!r}, metric={rating.metric!r}, "
        f"value={rating.value!r}, low={rating.low!r}, high={rating.high!r}, direction={rating.direction!r}, "
        f"at={rating.at!r}, interaction={rating.interaction!r})"
        for rating in ratings
    )
    return _hash(f"[{first_kept}]")


def fitted_with(half_life: timedelta) -> str:
    """Return what a prior depends on beside the answers; one that was fitted with anything else is not used."""
    return f"{shrinkage.METHOD} {half_life.total_seconds():.0f}s"


def made_with(settings: Settings) -> str:
    """Return what figures depend on beside answers and prior: with another value everybody is looked at again."""
    own = sorted(settings.limits.internal_domains)
    return _digest((shrinkage.METHOD, RULES, sorted(settings.scoring.model_dump().items()), own))


def _digest(value: object) -> str:
    return _hash(repr(value))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
