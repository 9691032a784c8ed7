"""The account's mood in words: only said when the score is sure enough to say it."""

from dataclasses import dataclass

from connector.model import Mood
from connector.scoring.account_model import AccountScore

SURE = 0.8
WIDEST_RANGE = 50.0


@dataclass(frozen=True, slots=True)
class MoodRule:
    """From how many people a mood is named at all, and the two thresholds (0-100) of the admin's settings."""

    minimum: int = 3
    unhappy_below: float = 50.0
    happy_above: float = 70.0


def mood(score: AccountScore | None, rule: MoodRule) -> Mood:
    """Unhappy or happy when the true satisfaction lies beyond its threshold with a probability of at least 0.8.

    Too few answers when fewer people than the minimum answered, or when the likely range is wider than 50 points.
    """
    if score is None or score.people < rule.minimum or score.high - score.low > WIDEST_RANGE:
        return Mood.TOO_FEW
    if score.probability_below(rule.unhappy_below) >= SURE:
        return Mood.UNHAPPY
    if score.probability_above(rule.happy_above) >= SURE:
        return Mood.HAPPY
    return Mood.MIXED
