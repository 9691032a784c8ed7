"""The well-known figures of one account: NPS, CSAT, CES, and the mean of any other metric, each with its range."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.scoring import nps
from connector.scoring.evidence import AccountRating, by_person
from connector.scoring.rates import mean_interval, wilson_interval
from connector.scoring.scales import CES, CSAT, NPS, in_top_boxes, is_easy
from connector.scoring.shrinkage import LEVEL

PEOPLE = 5
"""From how many people a figure is shown."""

COUNTS_FOR = 4
"""Half-lives after which an answer no longer counts here: it is then worth a sixteenth of a fresh one."""


@dataclass(frozen=True, slots=True)
class AccountMetric:
    """One figure with its 90 % range: NPS in points (-100 to 100), everything else 0-100; None below five people."""

    value: float | None
    low: float | None
    high: float | None
    people: int


def account_metrics(
    ratings: Iterable[AccountRating], as_of: datetime, half_life: timedelta
) -> dict[str, AccountMetric]:
    """Every metric that one account has answers to, by name.

    Each person counts once, with their newest answer to that metric (the worst, if several questions of one survey
    ask for it), unweighted, so that the figure can be checked by hand. Answers older than four half-lives no longer
    count. An answer to CSAT on a slider, or to CES on anything but seven points, has no box and enters the account's
    satisfaction alone.
    """
    oldest = as_of - COUNTS_FOR * half_life
    newest: dict[str, list[AccountRating]] = {}
    for of_person in by_person(rating for rating in ratings if rating.at >= oldest).values():
        # The ratings come oldest first, so the last of each metric stays.
        for metric, rating in {rating.metric: rating for rating in of_person}.items():
            newest.setdefault(metric, []).append(rating)
    return {metric: _figure(metric, newest[metric]) for metric in sorted(newest)}


def _figure(metric: str, ratings: Sequence[AccountRating]) -> AccountMetric:
    if metric == NPS:
        return _nps(ratings)
    if metric == CSAT:
        return _rate([in_top_boxes(rating.value, rating.scale) for rating in ratings])
    if metric == CES:
        return _rate([is_easy(rating.value, rating.scale) for rating in ratings])
    return _mean(ratings)


def _nps(ratings: Sequence[AccountRating]) -> AccountMetric:
    counts = nps.NpsCounts.of(rating.value for rating in ratings)
    if len(ratings) < PEOPLE:
        return _unknown(len(ratings))
    return AccountMetric(nps.nps(counts), *nps.interval(counts, LEVEL), people=len(ratings))


def _rate(boxes: Iterable[bool | None]) -> AccountMetric:
    hits = [box for box in boxes if box is not None]
    if len(hits) < PEOPLE:
        return _unknown(len(hits))
    return AccountMetric(100 * sum(hits) / len(hits), *wilson_interval(sum(hits), len(hits), LEVEL), people=len(hits))


def _mean(ratings: Sequence[AccountRating]) -> AccountMetric:
    values = [100 * rating.unit for rating in ratings]
    if len(values) < PEOPLE:
        return _unknown(len(values))
    return AccountMetric(math.fsum(values) / len(values), *mean_interval(values, LEVEL), people=len(values))


def _unknown(people: int) -> AccountMetric:
    return AccountMetric(None, None, None, people)
