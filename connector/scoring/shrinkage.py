"""The account score: a hierarchical beta-binomial model, integrated over a grid.

Every account has a true satisfaction. The accounts of one book scatter around a common mean `mu`, and the strength `M`
says how closely: an account's own answers outweigh the book once they are worth more than M people. Both are
unknown, and plugging in one best guess makes ranges far too narrow on small books, so they stay a distribution over a
grid of 50 means and 21 strengths.

That distribution is the `Prior`. It is fitted on the whole book, the account to be scored included, which is exact
and counts nothing twice: once mu and M are given, the belief about an account depends on its own answers alone. A
stored prior can be used again. An account's newer answers then move its own score at once, through its own Beta; what
they tell about mu and M enters with the next fit. Fitting and scoring the same evidence is the model without that delay.

Sources: Jewell (1974) and Buehlmann and Straub (1970) for the credibility form, Gelman et al., Bayesian Data Analysis,
section 5.3, for the grid. The typical strength of five people was estimated from the 73,421 ratings of InstEval.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from connector.model.documents import JsonObject
from connector.scoring.beta import Beta
from connector.scoring.evidence import AccountEvidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Array = NDArray[np.float64]

METHOD = "afterword-beta-grid-1"
LEVEL = 0.9
FADED_BELOW = 0.05
"""Fresh people. Below it, at the typical strength, an account's own answers make up less than a hundredth of its score."""

_TYPICAL_STRENGTH = 5.0
_LOG_STRENGTH_SD = 0.9
_MEANS = tuple((step + 0.5) / 50 for step in range(50))
_STRENGTH_STEPS = tuple(step / 4 for step in range(-10, 11))
_MOST_POINTS = 400
_NODES = 20
_FIRST_END = 0.005
"""The first part ends where the nearest pole lies on the other side of 0: at the lowest mean times the lowest strength."""


@dataclass(frozen=True)
class Prior:
    """What the whole book says about any one account before its own answers are looked at.

    `kappa` (0.2-1) is the variance of one answer as a share of that of a yes/no answer: graded answers say more.
    `log_weights` holds the logarithms of the weights of the grid points, strengths within means, the heaviest being 0.
    """

    method: str
    kappa: float
    accounts: int
    log_weights: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The expected satisfaction of an account about which nothing is known, 0-100."""
        return 100 * float(self._grid.weights @ self._grid.means)

    @property
    def strength(self) -> float:
        """The typical (geometric mean) number of people that the book is worth against an account's own."""
        import numpy as np

        return math.exp(float(self._grid.weights @ np.log(self._grid.strengths)))

    def to_json(self) -> str:
        """The prior as text, from which `from_json` makes an equal one."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Prior":
        """The prior that was stored. Raises ValueError when another method fitted it, or it is none: then fit anew."""
        try:
            stored: JsonObject = json.loads(text)
            method, kappa, accounts = stored["method"], float(stored["kappa"]), int(stored["accounts"])
            log_weights = tuple(float(weight) for weight in stored["log_weights"])
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a prior") from error
        if method != METHOD:
            raise ValueError(f"this prior was fitted by {method}, not by {METHOD}")
        if len(log_weights) != len(_MEANS) * len(_STRENGTH_STEPS):
            raise ValueError(f"this prior has {len(log_weights)} grid points")
        return cls(method, kappa, accounts, log_weights)

    @cached_property
    def _grid(self) -> "_Grid":
        import numpy as np

        means, strengths = _grid_points(self.kappa)
        weights = np.exp(np.array(self.log_weights))
        return _Grid(means, strengths, weights / weights.sum())


@dataclass(frozen=True, slots=True)
class _Grid:
    means: "_Array"
    strengths: "_Array"
    weights: "_Array"


@dataclass(frozen=True, slots=True)
class AccountScore:
    """One account's satisfaction: points from 0 to 100, never rounded here.

    `low` and `high` hold the true value with 90 % probability. `raw_mean` is the account's own weighted mean,
    `evidence` its worth in fresh people, and `own_share` (0-1) how far the score rests on the account's own answers
    rather than on the book.
    """

    account: str
    score: float
    low: float
    high: float
    raw_mean: float
    people: int
    answers: int
    evidence: float
    own_share: float
    belief: Beta
    method: str = METHOD

    def probability_below(self, threshold: float) -> float:
        """The probability that the account's true satisfaction lies below a threshold of 0-100."""
        return self.belief.below(threshold)

    def probability_above(self, threshold: float) -> float:
        """The probability that the account's true satisfaction lies above a threshold of 0-100."""
        return 1 - self.belief.below(threshold)

    @property
    def indicative(self) -> bool:
        """Whether only one person, or less than one fresh person's worth, stands behind the score."""
        return self.people == 1 or self.evidence < 1


def fit_prior(evidences: Iterable[AccountEvidence]) -> Prior:
    """Weigh every pair of mean and strength by how well it explains the whole book; accounts without answers add nothing.

    The weak prior: any mean is as likely as any other, and the strength is log-normal around five people.
    """
    import numpy as np

    known = [evidence for evidence in evidences if evidence.total > 0]
    kappa = answer_variance(known)
    counts = sorted((evidence.total / kappa, evidence.weighted / kappa) for evidence in known)
    log_weights = -0.5 * np.tile(np.array(_STRENGTH_STEPS), len(_MEANS)) ** 2
    log_weights += _log_likelihood(np.array(counts).reshape(-1, 2), *_grid_points(kappa))
    # Nine decimals are far below what can be seen in a score, and keep the stored text short.
    rounded = np.round(log_weights - log_weights.max(), 9)
    return Prior(METHOD, kappa, len(known), tuple(rounded.tolist()))


def answer_variance(evidences: Iterable[AccountEvidence]) -> float:
    """The variance of one answer within its account as a share of g (1 - g), the most it can be around the mean g.

    1 when all answers are at the ends of their scales. Otherwise estimated from the people's values within accounts,
    drawn to 0.5 with the weight of 20 people, and kept within 0.2 and 1. The values are not weighted by age: an old
    answer counts less because the world has moved on, not because it was given less exactly.
    """
    known = [evidence for evidence in evidences if evidence.total > 0]
    if not any(evidence.graded for evidence in known):
        return 1.0
    total = math.fsum(evidence.total for evidence in known)
    grand = min(max(math.fsum(evidence.weighted for evidence in known) / total, 0.1), 0.9)
    freedom = sum(evidence.people - 1 for evidence in known)
    spread = math.fsum(evidence.spread for evidence in known) / (grand * (1 - grand))
    return min(max((spread + 20 * 0.5) / (freedom + 20), 0.2), 1.0)


def score(evidence: AccountEvidence, prior: Prior) -> AccountScore | None:
    """The account's score under the book's prior; None when nobody answered, or so long ago that it has faded.

    Under each pair of mean and strength the account's belief is a Beta; their mixture has the score as its mean, and
    the range is that of the one Beta with the mixture's mean and variance.
    """
    raw = evidence.mean
    if raw is None or evidence.total < FADED_BELOW:
        return None
    belief = _belief(evidence, prior)
    low, high = belief.interval(LEVEL)
    people = evidence.total / prior.kappa
    return AccountScore(
        account=evidence.account,
        score=belief.mean,
        low=low,
        high=high,
        raw_mean=100 * raw,
        people=evidence.people,
        answers=evidence.answers,
        evidence=evidence.total,
        own_share=people / (people + prior.strength),
        belief=belief,
    )


def _belief(evidence: AccountEvidence, prior: Prior) -> Beta:
    grid = prior._grid
    size = grid.strengths + evidence.total / prior.kappa
    means = (grid.means * grid.strengths + evidence.weighted / prior.kappa) / size
    mean = float(grid.weights @ means)
    variance = float(grid.weights @ (means * (1 - means) / (size + 1) + (means - mean) ** 2))
    return Beta.with_moments(mean, variance)


def _grid_points(kappa: float) -> "tuple[_Array, _Array]":
    """All pairs of mean and strength, as two arrays of the same length."""
    import numpy as np

    strengths = _TYPICAL_STRENGTH / kappa * np.exp(_LOG_STRENGTH_SD * np.array(_STRENGTH_STEPS))
    return np.repeat(_MEANS, len(strengths)), np.tile(strengths, len(_MEANS))


def _log_likelihood(counts: "_Array", means: "_Array", strengths: "_Array") -> "_Array":
    """The log likelihood of all accounts (rows of size, successes) at each grid point: beta-binomial, fractions allowed.

    Of each account it is a sum of three functions of one number, so the numbers are gathered first, see `_gathered`.
    """
    import numpy as np
    from scipy.special import betaln, gammaln

    alpha, beta = means * strengths, (1 - means) * strengths
    total = -len(counts) * betaln(alpha, beta)
    if len(counts):
        size, hits = counts.T
        for offsets, values, sign in (
            (alpha, hits, 1),
            (beta, np.maximum(size - hits, 0.0), 1),
            (strengths[: len(_STRENGTH_STEPS)], size, -1),
        ):
            points, weights = _gathered(np.sort(values))
            explained = sign * (gammaln(offsets[:, None] + points) @ weights)
            total = total + np.resize(explained, total.shape)
    return np.asarray(total, dtype=np.float64)


def _gathered(values: "_Array") -> "tuple[_Array, _Array]":
    """Points with weights that stand for sorted numbers from 0 on: what log gamma adds up to is the same, from any offset of the grid.

    Equal numbers are one point. Where that leaves too many, those between two ends, each twice the one before it, are 20 points: the
    Chebyshev nodes, with the weights by which a polynomial through them adds up. Log gamma is smooth enough from 0 on for it to be
    off by less than 1e-12 for each number (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2: its pole lies at
    least three times as far from the middle of a part as the part's end).
    """
    import numpy as np
    from numpy.polynomial import chebyshev

    points, counts = np.unique(values, return_counts=True)
    if len(points) <= _MOST_POINTS:
        return points, counts.astype(np.float64)
    parts = np.maximum(np.ceil(np.log2(np.maximum(points, _FIRST_END) / _FIRST_END)), 0).astype(int)
    starts = np.flatnonzero(np.diff(parts, prepend=-1))
    ends = _FIRST_END * np.exp2(parts[starts])
    begins = np.where(parts[starts] == 0, 0.0, ends / 2)
    middles, halves = (begins + ends) / 2, (ends - begins) / 2
    lengths = np.diff(starts, append=len(points))
    inside = (points - np.repeat(middles, lengths)) / np.repeat(halves, lengths)
    nodes = chebyshev.chebpts1(_NODES)
    sums = np.add.reduceat(chebyshev.chebvander(inside, _NODES - 1) * counts[:, None], starts, axis=0)
    shares = np.where(np.arange(_NODES) == 0, 1, 2) / _NODES * chebyshev.chebvander(nodes, _NODES - 1)
    return (middles[:, None] + halves[:, None] * nodes).ravel(), (sums @ shares.T).ravel()
