"""The account's mood in words: what the answers say plainly, and beyond that only what the score is sure enough to say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from connector.model import Mood
from connector.scoring.evidence import AccountRating, by_person
from connector.scoring.scales import Band, band, worst
from connector.scoring.shrinkage import AccountScore

SURE = 0.8
RECENT = timedelta(days=365)
"""How old an answer may be to stand for itself: twelve months."""

_LAST: dict[Band, Mood] = {Band.GOOD: Mood.LAST_GOOD, Band.OK: Mood.LAST_OK, Band.BAD: Mood.LAST_BAD}
_ALL: dict[Band, Mood] = {Band.GOOD: Mood.HAPPY, Band.OK: Mood.MIXED, Band.BAD: Mood.UNHAPPY}


@dataclass(frozen=True, slots=True)
class MoodRule:
    """The admin's settings: from how many people a mood is named, its thresholds (0-100), the widest range that is shown (points)."""

    minimum: int = 3
    unhappy_below: float = 50.0
    happy_above: float = 60.0
    widest: float = 60.0

    def shows(self, score: AccountScore) -> bool:
        """Whether the likely range is narrow enough for the number to be shown on a record or a page."""
        return score.high - score.low <= self.widest


def mood(
    ratings: Iterable[AccountRating], score: AccountScore | None, rule: MoodRule, *, as_of: datetime, askable: int
) -> Mood:
    """Return the mood of one account from its ratings and the score made of them; of these rules the first that holds.

    1. Fewer than the minimum of its people can be asked (`askable`): the band of the last answer of the last 12 months.
    2. Fewer than the minimum answered: too few answers.
    3. That many answered in the last 12 months, and the latest answers of them all are in one band: that band.
    4. The likely range is wider than the widest: too few answers.
    5. Unhappy or happy when the true satisfaction lies beyond its threshold with a probability of at least 0.8; else mixed.

    Without a score (nobody answered, or it has faded) nothing is said but that there are too few answers.
    """
    if score is None:
        return Mood.TOO_FEW
    recent = [rating for rating in ratings if as_of - rating.at <= RECENT]
    if askable < rule.minimum and recent:
        return _LAST[_latest(recent)]
    if score.people < rule.minimum:
        return Mood.TOO_FEW
    bands = [_latest(of_person) for of_person in by_person(recent).values()]
    if len(bands) >= rule.minimum and len(set(bands)) == 1:
        return _ALL[bands[0]]
    return _by_probability(score, rule)


def _latest(ratings: Iterable[AccountRating]) -> Band:
    """Return the band of the newest answer, of several ratings given at that moment the worst."""
    newest_first = sorted(ratings, key=lambda rating: rating.at, reverse=True)
    return band(worst(takewhile(lambda rating: rating.at == newest_first[0].at, newest_first)))


def _by_probability(score: AccountScore, rule: MoodRule) -> Mood:
    if not rule.shows(score):
        return Mood.TOO_FEW
    if score.probability_below(rule.unhappy_below) >= SURE:
        return Mood.UNHAPPY
    if score.probability_above(rule.happy_above) >= SURE:
        return Mood.HAPPY
    return Mood.MIXED
