"""A rating as people read it: on its own scale, with the word that says which end is the good one."""

from typing import Final

from connector.domain.text_cutting import cut
from connector.domain.text_direction import one_line
from connector.model import Rating
from connector.scoring.scales import Band, band, scale_of
from connector.sentences.catalogue import Catalogue

WORDED: Final = ("csat", "nps", "ces")
"""Metrics that have words of their own and need no name beside the figure."""
_NAME: Final = 30
"""The longest name of a dimension, which an admin chose, that a sentence holds whole."""
_FEWEST_FOR_EXTREMES: Final = 5
"""Steps from which on the ends of a scale are called very good and very bad."""
_EASE: Final = {1: "worst", 2: "bad", 3: "nearly_bad", 4: "ok", 5: "nearly_good", 6: "good", 7: "best"}


def figure(rating: Rating, words: Catalogue) -> str:
    """Return the rating on its scale: ``2 of 5``; a dimension's with its name: ``speed 2 of 5``."""
    value, high = words.number(rating.value), words.number(rating.high)
    if rating.metric in WORDED:
        return words.text("figure.plain", value=value, high=high)
    return words.text("figure.dimension", dimension=metric_name(rating.metric, words), value=value, high=high)


def word(rating: Rating, words: Catalogue) -> str:
    """Return what the rating means: ``dissatisfied``, ``somewhat easy``, ``unlikely to recommend``. The good end is plain from it."""
    family = rating.metric if rating.metric in WORDED else "dimension"
    return words.text(f"{family}.{_level(rating, family)}")


def with_word(rating: Rating, words: Catalogue) -> str:
    """Return ``2 of 5, dissatisfied``."""
    return words.text("figure.with_word", figure=figure(rating, words), word=word(rating, words))


def in_brackets(rating: Rating, words: Catalogue) -> str:
    """Return ``2 of 5 (dissatisfied)``."""
    return words.text("figure.in_brackets", figure=figure(rating, words), word=word(rating, words))


def metric_name(metric: str, words: Catalogue) -> str:
    """Return what a metric measures, in words; an admin's own dimension by the name that it was given."""
    key = f"metric.{metric}"
    return words.text(key) if key in words.messages else cut(one_line(metric.replace("_", " ")), _NAME)


def _level(rating: Rating, family: str) -> str:
    if family == "nps":
        return str(band(rating))
    scale = scale_of(rating)
    upward = scale.upward(rating.value)
    if family == "ces" and (rating.low, rating.high) == (1, 7) and upward in _EASE:
        return _EASE[int(upward)]
    if rating.high - rating.low + 1 >= _FEWEST_FOR_EXTREMES and upward in (rating.low, rating.high):
        return "best" if upward == rating.high else "worst"
    return {Band.GOOD: "good", Band.OK: "ok", Band.BAD: "bad"}[band(rating)]
