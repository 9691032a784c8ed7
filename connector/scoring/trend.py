"""Whether satisfaction rises or falls over disjoint calendar periods, when there are enough answers to test it."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from functools import cache

from connector.scoring.evidence import AccountRating

PERIODS = 5
ANSWERS = 5
CHANCE = 0.10
NEWEST = 8
"""Only the newest periods count: two years of quarters. What came before is not where it is going."""

_EXACT_UP_TO = 10


class Trend(StrEnum):
    """Where satisfaction is going. The value is what the rep reads."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class MannKendall:
    """The test of Mann (1945) and Kendall (1975): S counts the pairs that rise less those that fall."""

    s: int
    variance: float
    p: float


def trend(ratings: Iterable[AccountRating]) -> Trend | None:
    """The trend of one account, or of any other group; None when it cannot be tested.

    It takes five calendar months with at least five answers each or, failing that, five such quarters. Answers to
    another metric or on another scale are another series, so the series with the most answers speaks.
    """
    series = _longest_series(ratings)
    for months in (1, 3):
        means = period_means(series, months)
        if len(means) >= PERIODS:
            return _trend_of(mann_kendall(means[-NEWEST:]))
    return None


def period_means(ratings: Iterable[AccountRating], months: int) -> list[float]:
    """The mean (0-100) of every calendar period (UTC) of so many months that has five answers or more, oldest first."""
    periods: dict[int, list[float]] = {}
    for rating in ratings:
        at = rating.at.astimezone(UTC)
        periods.setdefault((at.year * 12 + at.month - 1) // months, []).append(100 * rating.unit)
    return [math.fsum(values) / len(values) for _, values in sorted(periods.items()) if len(values) >= ANSWERS]


def mann_kendall(values: Sequence[float]) -> MannKendall:
    """The two-sided test for a monotone trend: exact for up to ten values without ties, else normal, corrected for ties.

    Raises ValueError below two values.
    """
    n = len(values)
    if n < 2:
        raise ValueError("a trend needs at least two values")
    s = sum((later > earlier) - (later < earlier) for earlier, later in itertools.combinations(values, 2))
    ties = [values.count(value) for value in set(values)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if n <= _EXACT_UP_TO and len(ties) == n:
        return MannKendall(s, variance, _exact_p(n, s))
    from scipy.special import ndtr

    z = (abs(s) - 1) / math.sqrt(variance) if s and variance > 0 else 0.0
    return MannKendall(s, variance, 2 * float(ndtr(-z)))


def _longest_series(ratings: Iterable[AccountRating]) -> list[AccountRating]:
    series: dict[tuple[str, float, float, str], list[AccountRating]] = {}
    for rating in ratings:
        series.setdefault((rating.metric, rating.low, rating.high, rating.direction), []).append(rating)
    return max(series.items(), key=lambda item: (len(item[1]), item[0]), default=(None, []))[1]


def _trend_of(test: MannKendall) -> Trend:
    if test.p >= CHANCE:
        return Trend.STEADY
    return Trend.RISING if test.s > 0 else Trend.FALLING


def _exact_p(n: int, s: int) -> float:
    """How often a random order of n different values has an S at least as far from zero."""
    pairs = n * (n - 1) // 2
    orders = _orders_by_falls(n)
    extreme = sum(count for falls, count in enumerate(orders) if abs(pairs - 2 * falls) >= abs(s))
    return extreme / math.factorial(n)


@cache
def _orders_by_falls(n: int) -> tuple[int, ...]:
    """How many orders of n different values have 0, 1, 2 … falling pairs (the Mahonian numbers)."""
    if n == 1:
        return (1,)
    shorter = _orders_by_falls(n - 1)
    length = len(shorter) + n - 1
    return tuple(sum(shorter[max(0, falls - n + 1) : falls + 1]) for falls in range(length))
