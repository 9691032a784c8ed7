"""Answer scales: the map to the unit interval, bands, top boxes, and rounding for people."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Literal, Protocol, TypeVar, cast

from connector.errors import MappingError

Direction = Literal["up", "down"]

NPS = "nps"
CSAT = "csat"
CES = "ces"


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and the highest possible answer, and which end is the good one.

    `up` means that a high value is good; `down` that a low one is, as with the effort asked for by the first CES.
    Raises MappingError when the ends are not two different finite numbers in order, or too far apart to reckon with.
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
        if not (math.isfinite(self.high - self.low) and math.isfinite(self.low + self.high)):
            raise MappingError(
                f"the ends of a scale from {self.low:g} to {self.high:g} are too far apart to reckon with.",
                field="low",
                value=self.low,
                remedy="Write the lowest and the highest answer that people could choose, such as 1 and 5.",
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
        # Within the ends, whatever the rounding of numbers of very different size.
        return value if self.direction == "up" else min(max(self.low + self.high - value, self.low), self.high)

    def to_unit(self, value: float) -> float:
        """The answer between 0 (worst) and 1 (best), linear: 1 of 5 stars is 0. Raises MappingError off the scale."""
        self.upward(value)
        above_worst = value - self.low if self.direction == "up" else self.high - value
        return above_worst / (self.high - self.low)


@lru_cache(maxsize=256)
def scale_between(low: float, high: float, direction: Direction) -> Scale:
    """A scale, made once: an installation asks on few, and looks at them for every answer. Raises MappingError as `Scale` does."""
    return Scale(low, high, direction)


_NPS_SCALE = Scale(0, 10)


class Rated(Protocol):
    """One number with its metric and its scale: a rating as stored, or an answer to be scored."""

    @property
    def metric(self) -> str:
        """``csat``, ``nps``, ``ces``, or an admin's own dimension."""

    @property
    def value(self) -> float:
        """The number that was given."""

    @property
    def low(self) -> float:
        """The lowest number of the scale."""

    @property
    def high(self) -> float:
        """The highest number of the scale."""

    @property
    def direction(self) -> str:
        """``up`` when a high number is good, ``down`` when a low one is."""


class Band(StrEnum):
    """What a rating counts as."""

    GOOD = "good"
    OK = "ok"
    BAD = "bad"


AnyRated = TypeVar("AnyRated", bound=Rated)

_WORST_FIRST = (Band.BAD, Band.OK, Band.GOOD)


def band(rating: Rated) -> Band:
    """Return what a rating counts as. Raises MappingError for a value off its scale.

    NPS has its own bands (9-10, 7-8, 0-6). On every other scale the upper third is good and the lower third bad, ends included,
    the good end being the one that the direction names: 4-5, 3 and 1-2 of five steps, 5-7, 4 and 1-3 of seven.
    """
    scale = scale_of(rating)
    if rating.metric == NPS and scale == _NPS_SCALE:
        return Band.GOOD if rating.value >= 9 else Band.OK if rating.value >= 7 else Band.BAD
    # Multiplied instead of divided: 5 of 7 steps lies exactly on the border, and must not fall on either side of it by rounding.
    above, span = 3 * (scale.upward(rating.value) - scale.low), scale.high - scale.low
    if above >= 2 * span:
        return Band.GOOD
    return Band.BAD if above <= span else Band.OK


def worst(ratings: Iterable[AnyRated]) -> AnyRated:
    """Return the worst of several ratings, of equal ones the first: by band, then by its place between the ends of its scale.

    So a 6 of 10 to NPS (bad) is worse than a 3 of 5 (ok). Raises ValueError without any, MappingError for a value off its scale.
    """
    return min(ratings, key=lambda rating: (_WORST_FIRST.index(band(rating)), scale_of(rating).to_unit(rating.value)))


def scale_of(rating: Rated) -> Scale:
    """Return the scale of a rating. Raises MappingError for one that is none."""
    # Any other word for the direction is refused by the scale itself.
    return scale_between(rating.low, rating.high, cast(Direction, rating.direction))


def require_metric_scale(metric: str, scale: Scale, value: float) -> None:
    """Raise MappingError when the answer claims to be an NPS answer and is not a whole number of 0 to 10.

    Ten and six point questions give other distributions than the eleven points that NPS is defined on.
    """
    if metric != NPS:
        return
    if scale != _NPS_SCALE:
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
