"""Whether two groups differ: net promoter scores, shares and means of independent answers, and paired answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.scoring.nps import NpsCounts
from connector.scoring.rates import wilson_interval


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """Current less previous, in points: negative is a fall. `p` is the two-sided probability of as much by chance."""

    delta: float
    low: float
    high: float
    p: float


def nps_change(current: NpsCounts, previous: NpsCounts, level: float) -> ScoreChange | None:
    """The change of the net promoter score on adjusted counts, as Lewis and Sauro (2021) advise; None when one is empty.

    Delta is the difference of the adjusted scores, on which the range is centred.
    """
    if current.total == 0 or previous.total == 0:
        return None
    from scipy import stats

    now, then = current.adjusted(), previous.adjusted()
    error = math.hypot(now.error, then.error)
    delta = now.net - then.net
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    return ScoreChange(
        100 * delta, 100 * (delta - half), 100 * (delta + half), math.erfc(abs(delta) / error / math.sqrt(2))
    )


def rate_change(current: tuple[int, int], previous: tuple[int, int], level: float) -> ScoreChange | None:
    """The change of a share, each given as (hits, total), in percentage points; None when one has no answers.

    The range is Newcombe's hybrid of two Wilson ranges (1998, method 10). The test is Fisher's exact one when a cell
    of the table is expected below 5, else the chi-squared one without correction.
    """
    if current[1] == 0 or previous[1] == 0:
        return None
    now, then = 100 * current[0] / current[1], 100 * previous[0] / previous[1]
    now_low, now_high = wilson_interval(*current, level)
    then_low, then_high = wilson_interval(*previous, level)
    delta = now - then
    low = delta - math.hypot(now - now_low, then_high - then)
    high = delta + math.hypot(now_high - now, then - then_low)
    return ScoreChange(delta, low, high, _table_p(current, previous))


def mean_change(current: Sequence[float], previous: Sequence[float], level: float) -> ScoreChange | None:
    """The change of a mean by Welch's test; None when a group has fewer than two answers or neither varies."""
    if min(len(current), len(previous)) < 2 or len(set(current)) == len(set(previous)) == 1:
        return None
    from scipy import stats

    return _of_result(
        stats.ttest_ind(current, previous, equal_var=False), stats.tmean(current) - stats.tmean(previous), level
    )


def paired_nps_change(pairs: Sequence[tuple[float, float]], level: float) -> ScoreChange | None:
    """The change among people who answered both times, as (current, previous) answers from 0 to 10.

    None when there are fewer than two such people or all moved alike. Raises MappingError for no answer to NPS.
    """
    moves = [100 * (NpsCounts.of([now]).net - NpsCounts.of([then]).net) for now, then in pairs]
    if len(moves) < 2 or len(set(moves)) == 1:
        return None
    from scipy import stats

    return _of_result(stats.ttest_1samp(moves, 0.0), math.fsum(moves) / len(moves), level)


class _Interval(Protocol):
    low: float
    high: float


class _TestResult(Protocol):
    """What SciPy's t tests return."""

    pvalue: float

    def confidence_interval(self, confidence_level: float) -> _Interval: ...


def _of_result(result: _TestResult, delta: float, level: float) -> ScoreChange:
    interval = result.confidence_interval(level)
    return ScoreChange(float(delta), float(interval.low), float(interval.high), float(result.pvalue))


def _table_p(current: tuple[int, int], previous: tuple[int, int]) -> float:
    hits, total = current[0] + previous[0], current[1] + previous[1]
    if hits in (0, total):
        return 1.0
    from scipy import stats

    table = [[k, n - k] for k, n in (current, previous)]
    smallest = min(part * n / total for part in (hits, total - hits) for n in (current[1], previous[1]))
    if smallest < 5:
        return float(stats.fisher_exact(table).pvalue)
    return float(stats.chi2_contingency(table, correction=False).pvalue)
