"""Net promoter score of a group: the value, its ranges, and the change between two groups.

Ranges after Rocks (2016), "Interval estimation for the net promoter score", The American Statistician 70:365-372.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connector.scoring.scales import nps_band

FEW = 10
"""Below this many answers the score interval is used: the others cover too little there."""

_BISECTIONS = 80


@dataclass(frozen=True, slots=True)
class NpsCounts:
    """How many detractors, passives and promoters there are; fractions (weights) are allowed."""

    detractors: float
    passives: float
    promoters: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "NpsCounts":
        """Count answers from 0 to 10. Raises MappingError for anything else."""
        bands = [nps_band(value) for value in values]
        return cls(bands.count(-1), bands.count(0), bands.count(1))

    @property
    def total(self) -> float:
        """All answers; passives count."""
        return self.detractors + self.passives + self.promoters

    @property
    def net(self) -> float:
        """Promoters less detractors as a share of all, -1 to 1."""
        return (self.promoters - self.detractors) / self.total

    @property
    def error(self) -> float:
        """The standard error of `net`: sqrt(v / n) with n, not n - 1."""
        variance = (self.promoters + self.detractors) / self.total - self.net**2
        return math.sqrt(max(variance, 0.0) / self.total)

    def adjusted(self) -> "NpsCounts":
        """The counts with three made-up answers spread 3/4, 3/2, 3/4, which repairs the Wald range of small groups."""
        return NpsCounts(self.detractors + 0.75, self.passives + 1.5, self.promoters + 0.75)


def nps(counts: NpsCounts) -> float | None:
    """The net promoter score, -100 to 100, unrounded; None when nobody answered."""
    return 100 * counts.net if counts.total > 0 else None


def wald_interval(counts: NpsCounts, level: float) -> tuple[float, float]:
    """The textbook range, which has no width when all agree. For comparison only. Raises ZeroDivisionError when empty."""
    half = _z(level) * counts.error
    return 100 * (counts.net - half), 100 * (counts.net + half)


def adjusted_wald_interval(counts: NpsCounts, level: float) -> tuple[float, float]:
    """Rocks' adjusted Wald range. It is centred on the adjusted score, and its ends may lie beyond -100 and 100."""
    return wald_interval(counts.adjusted(), level)


def score_interval(counts: NpsCounts, level: float) -> tuple[float, float]:
    """All scores that a score test (Tango 1998; May and Johnson 1997) would not reject. Raises ZeroDivisionError when empty."""
    z = _z(level)
    all_detractors, all_promoters = counts.detractors == counts.total, counts.promoters == counts.total
    low = -1.0 if all_detractors else _root(lambda net: _statistic(counts, net) - z, -1.0, counts.net)
    high = 1.0 if all_promoters else _root(lambda net: _statistic(counts, net) + z, counts.net, 1.0)
    return 100 * low, 100 * high


def interval(counts: NpsCounts, level: float) -> tuple[float, float]:
    """The range to show, within -100 and 100: score interval below ten answers, adjusted Wald from there."""
    low, high = (score_interval if counts.total < FEW else adjusted_wald_interval)(counts, level)
    return max(low, -100.0), min(high, 100.0)


def _statistic(counts: NpsCounts, net: float) -> float:
    """How many standard errors the observed score lies above a supposed one in (-1, 1), under which q are detractors."""
    n, detractors, promoters = counts.total, counts.detractors, counts.promoters
    a = 2 * n
    b = -detractors - promoters + (2 * n - promoters + detractors) * net
    c = -detractors * net * (1 - net)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * q + net * (1 - net))
    return (promoters - detractors - n * net) / math.sqrt(variance) if variance > 0 else 0.0


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses zero."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _z(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
