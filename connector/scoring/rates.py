"""Shares of satisfied answers and mean indices: ranges, and worst cases over those who stayed silent."""

import math
from collections.abc import Sequence


def wilson_interval(hits: float, total: float, level: float) -> tuple[float, float]:
    """Wilson's range (1927) of a share, in percent. Raises ZeroDivisionError when there are no answers."""
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    share, squared = hits / total, z * z
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    half = z / (1 + squared / total) * math.sqrt(share * (1 - share) / total + squared / (4 * total * total))
    # Rounding errors would leave 0 of 5 with a lower end just beside zero.
    low = 0.0 if hits == 0 else 100 * max(centre - half, 0.0)
    high = 100.0 if hits == total else 100 * min(centre + half, 1.0)
    return low, high


def mean_interval(values: Sequence[float], level: float) -> tuple[float, float]:
    """Student's range of the mean of values from 0 to 100, cut off at the ends. Raises ValueError below five values."""
    if len(values) < 5:
        raise ValueError("a range of a mean needs at least five values")
    from scipy.special import stdtrit

    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * deviation / math.sqrt(len(values))
    return max(mean - half, 0.0), min(mean + half, 100.0)


def worst_case_bounds(*, satisfied: int, answered: int, asked: int) -> tuple[float, float]:
    """The share of satisfied people among all asked, in percent, if all who are silent were unhappy, or happy (Manski).

    `asked` counts delivered invitations, reminders not among them. Raises ValueError when the counts contradict each other
    or nobody was asked.
    """
    if not 0 <= satisfied <= answered <= asked or asked == 0:
        raise ValueError("0 <= satisfied <= answered <= asked must hold, and somebody must have been asked")
    return 100 * satisfied / asked, 100 * (satisfied + asked - answered) / asked
