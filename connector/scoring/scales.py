"""Answer scales: the map to the unit interval, NPS bands, top boxes, and rounding for people."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from connector.errors import MappingError

Direction = Literal["up", "down"]

NPS = "nps"
CSAT = "csat"
CES = "ces"


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and the highest possible answer, and which end is the good one.

    `up` means that a high value is good; `down` that a low one is, as with the effort asked for by the first CES.
    Raises MappingError when the ends are not two different finite numbers in order.
    """

    low: float
    high: float
    direction: Direction = "up"

    def __post_init__(self) -> None:
        """Refuse a scale without length or direction."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise MappingError(
                f"a scale cannot go from {self.low:g} to {self.high:g}.",
                field="low",
                value=self.low,
                remedy="Make low smaller than high.",
            )
        if self.direction not in ("up", "down"):
            raise MappingError(
                f'"{self.direction}" is not a direction.',
                field="direction",
                value=self.direction,
                remedy="Write up when a high value is good, down when a low one is.",
            )

    def upward(self, value: float) -> float:
        """The same answer on the same scale with the good end at the top. Raises MappingError off the scale."""
        if not self.low <= value <= self.high:
            raise MappingError(
                f"{value:g} is not on the scale from {self.low:g} to {self.high:g}.",
                field="value",
                value=value,
                remedy="Correct the value, or the low and high of its question.",
            )
        return value if self.direction == "up" else self.low + self.high - value

    def to_unit(self, value: float) -> float:
        """The answer between 0 (worst) and 1 (best), linear: 1 of 5 stars is 0. Raises MappingError off the scale."""
        return (self.upward(value) - self.low) / (self.high - self.low)


def require_metric_scale(metric: str, scale: Scale, value: float) -> None:
    """Raise MappingError when the answer claims to be an NPS answer and is not a whole number of 0 to 10.

    Ten and six point questions give other distributions than the eleven points that NPS is defined on.
    """
    if metric != NPS:
        return
    if (scale.low, scale.high, scale.direction) != (0, 10, "up"):
        raise MappingError(
            f"NPS is not asked from {scale.low:g} to {scale.high:g} ({scale.direction}).",
            field="metric",
            value=metric,
            remedy="NPS goes from 0 to 10 (up); give a question on another scale another metric name.",
        )
    nps_band(value)


def nps_band(value: float) -> int:
    """-1 for a detractor (0-6), 0 for a passive (7-8), 1 for a promoter (9-10), after Reichheld (2003).

    Raises MappingError for anything but a whole number from 0 to 10.
    """
    if value not in range(11):
        raise MappingError(
            f"{value:g} is no answer to NPS.", field="value", value=value, remedy="It takes whole numbers from 0 to 10."
        )
    if value >= 9:
        return 1
    return 0 if value >= 7 else -1


def top_boxes(scale: Scale) -> int | None:
    """How many of the best steps count as satisfied: two of 4 to 11 steps, one of 2 or 3, None for a slider."""
    span = scale.high - scale.low
    if span > 10:
        return None
    return 2 if span >= 3 else 1


def in_top_boxes(value: float, scale: Scale) -> bool | None:
    """Whether the answer counts as satisfied for CSAT; None when the scale has no boxes."""
    boxes = top_boxes(scale)
    return None if boxes is None else scale.upward(value) > scale.high - boxes


def is_easy(value: float, scale: Scale) -> bool | None:
    """Whether the answer is one of the three best of the seven of CES 2.0; None on any other scale."""
    return scale.upward(value) >= 5 if (scale.low, scale.high) == (1, 7) else None


def round_half_away(value: float) -> int:
    """The nearest whole number, halves away from zero: 12.5 is 13, -0.5 is -1, and there is no minus zero."""
    return int(Decimal(value).to_integral_value(rounding=ROUND_HALF_UP))
