"""From ratings to evidence: how many people of an account answered, how recently, and how they rated."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from connector.scoring.scales import Direction, Scale, require_metric_scale, scale_between

ANONYMOUS_WINDOW = timedelta(days=30)

Person = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class AccountRating:
    """One rating for the score: of which account, by whom, on which scale, and when.

    `contact` is None when nobody knows who answered. `interaction` names what was rated, when that is known.
    Raises MappingError when the value does not fit its scale or metric, ValueError when `at` has no time zone.
    """

    account: str
    contact: str | None
    metric: str
    value: float
    low: float
    high: float
    direction: Direction
    at: datetime
    interaction: str | None = None
    unit: float = field(init=False, repr=False, compare=False)
    """The answer between 0 (worst) and 1 (best): looked at again and again, so it is worked out once."""

    def __post_init__(self) -> None:
        """Refuse what could not be scored later."""
        scale = self.scale
        require_metric_scale(self.metric, scale, self.value)
        if self.at.tzinfo is None:
            raise ValueError("the time of an answer needs a time zone")
        object.__setattr__(self, "unit", scale.to_unit(self.value))

    @property
    def scale(self) -> Scale:
        """The scale of the question."""
        return scale_between(self.low, self.high, self.direction)


@dataclass(frozen=True, slots=True)
class AccountEvidence:
    """What is known about one account before anything is borrowed from the other accounts.

    `total` counts fresh people: one who answered today is 1, one who answered a half-life ago is 0.5. `weighted` is
    the sum of the people's values (0-1) with the same weights. `spread` is the plain sum of squares of these values
    about their mean, `graded` whether any answer lay between the ends of its scale, and `kish` the effective number
    of people for the variance of a weighted mean (it does not see age, so it is no measure of evidence).
    """

    account: str
    total: float
    weighted: float
    people: int
    answers: int
    spread: float
    graded: bool
    kish: float

    @property
    def mean(self) -> float | None:
        """The people's weighted mean (0-1); None when nobody answered."""
        return self.weighted / self.total if self.total > 0 else None

    def aged(self, by: timedelta, half_life: timedelta) -> "AccountEvidence":
        """The same after some time without an answer: all weights fall alike, so nothing else changes."""
        left = weight(by, half_life)
        return replace(self, total=self.total * left, weighted=self.weighted * left)


@dataclass(frozen=True, slots=True)
class DatedEvidence:
    """What an account's answers are worth at a moment that none of them is later than, at this half-life."""

    evidence: AccountEvidence
    at: datetime
    half_life: timedelta


@dataclass(frozen=True, slots=True)
class _ResponseMean:
    unit: float
    at: datetime


def account_evidence(
    account: str, ratings: Iterable[AccountRating], as_of: datetime, half_life: timedelta
) -> AccountEvidence:
    """Weigh the answers of one account by age, and let each person count at most as one fresh answer.

    An answer of age a weighs 2^(-a / half_life); one from after `as_of` counts as fresh. A person's value is the
    weighted mean of their answers, and their weight that of their freshest one (a discounted count as in the power
    prior of Ibrahim and Chen, 2000). Raises ValueError when the half-life is not positive.
    """
    if half_life <= timedelta(0):
        raise ValueError("the half-life must be longer than zero")
    people = [_merged(answers) for answers in by_person(ratings).values()]
    voices = [_voice(answers, as_of, half_life) for answers in people]
    weights = [weight for weight, _ in voices]
    total = math.fsum(weights)
    squares = math.fsum(weight * weight for weight in weights)
    return AccountEvidence(
        account=account,
        total=total,
        weighted=math.fsum(weight * value for weight, value in voices),
        people=len(people),
        answers=sum(len(answers) for answers in people),
        spread=_spread([value for _, value in voices]),
        graded=any(0 < answer.unit < 1 for answers in people for answer in answers),
        kish=total * total / squares if squares > 0 else 0.0,
    )


def dated_evidence(
    account: str, ratings: Sequence[AccountRating], as_of: datetime, half_life: timedelta
) -> DatedEvidence:
    """The evidence of `account_evidence`, or that of the moment of the last answer where it is later.

    An answer from after `as_of` would count as fresh for too long, were its evidence to age from then on.
    """
    at = max([as_of, *(rating.at for rating in ratings)])
    return DatedEvidence(account_evidence(account, ratings, at, half_life), at, half_life)


def by_person(ratings: Iterable[AccountRating]) -> dict[Person, list[AccountRating]]:
    """The ratings of one account by who gave them, oldest first; of those given at the same moment the worst is last.

    Nobody can tell whether anonymous answers come from one person or from many, so those within 30 days of the
    first of them count as one person.
    """
    people: dict[Person, list[AccountRating]] = {}
    window, opened = 0, None
    for rating in sorted(ratings, key=lambda rating: (rating.at, -rating.unit)):
        if rating.contact is not None:
            people.setdefault(("contact", rating.contact), []).append(rating)
            continue
        if opened is None or rating.at - opened >= ANONYMOUS_WINDOW:
            window, opened = window + 1, rating.at
        people.setdefault(("anonymous", window), []).append(rating)
    return people


def weight(age: timedelta, half_life: timedelta) -> float:
    """What an answer of this age counts: 1 when fresh, half after every half-life, never more than 1."""
    return math.exp2(-max(age / half_life, 0.0))


def _merged(ratings: list[AccountRating]) -> list[_ResponseMean]:
    """One person's answers, where several questions about one interaction on one day are one answer: their mean."""
    single = [_ResponseMean(rating.unit, rating.at) for rating in ratings if rating.interaction is None]
    same: dict[tuple[str, date], list[AccountRating]] = {}
    for rating in ratings:
        if rating.interaction is not None:
            same.setdefault((rating.interaction, rating.at.date()), []).append(rating)
    return single + [
        _ResponseMean(math.fsum(rating.unit for rating in group) / len(group), max(rating.at for rating in group))
        for group in same.values()
    ]


def _voice(answers: list[_ResponseMean], as_of: datetime, half_life: timedelta) -> tuple[float, float]:
    """One person's weight and value."""
    weights = [weight(as_of - answer.at, half_life) for answer in answers]
    total = math.fsum(weights)
    if total == 0:
        return 0.0, math.fsum(answer.unit for answer in answers) / len(answers)
    values = zip(weights, answers, strict=True)
    return max(weights), min(math.fsum(share * answer.unit for share, answer in values) / total, 1.0)


def _spread(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)
