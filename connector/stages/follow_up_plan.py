"""What `follow_up` would open for one customer: pure, values in, openings out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connector.model import Mood, Rating
from connector.rules import Rule, leading, matches
from connector.sentences.values import Said
from connector.settings.model import FollowUp
from connector.stages.score_plan import BY_SETTINGS

TOO_OLD = timedelta(days=7)
"""Ratings older than this open no follow-up: a call about last month's case is worse than none."""
IMPORTED = "import"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that counts, with all that rules look at."""

    said: Said
    ratings: tuple[Rating, ...]
    connection: str
    account_id: str
    source: str
    considered: bool
    interaction_id: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """What rules look at. `opened` tells, for each rule, when it last opened a follow-up here."""

    id: str
    answers: Sequence[Answer]
    figures: Mapping[str, Any] | None
    silence: int = 0
    last_answer: datetime | None = None
    opened: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def mood(self) -> Mood:
        """The published mood."""
        return Mood(self.figures["mood"]) if self.figures else Mood.TOO_FEW


@dataclass(frozen=True, slots=True)
class Opening:
    """A follow-up to open: by which rule, about which answers, the worst first (none: about the account), and why in words."""

    rule: str
    why: str
    answers: tuple[Answer, ...] = ()


def plan(
    customer: Customer, rules: Mapping[str, FollowUp], live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> list[Opening]:
    """Return the follow-ups that are due for a customer.

    `live` tells for each rule since when it is live, by connection: nothing that happened before opens anything.
    """
    openings = []
    for name, one in rules.items():
        opening = _opening(name, one.when, customer, live.get(name, {}), now)
        if opening is not None:
            openings.append(opening)
    return openings


def _opening(name: str, rule: Rule, customer: Customer, live: Mapping[str, datetime], now: datetime) -> Opening | None:
    if rule.on_ratings:
        return _on_ratings(name, rule, customer, live, now)
    if rule.on_mood and not _mood_is_news(name, customer, live):
        return None
    if rule.on_silence and not _silence_is_news(name, customer):
        return None
    if not live or not matches(rule, ratings=(), mood=customer.mood, silence=customer.silence):
        return None
    return Opening(name, _why(rule, customer))


def _on_ratings(
    name: str, rule: Rule, customer: Customer, live: Mapping[str, datetime], now: datetime
) -> Opening | None:
    found = tuple(
        replace(answer, said=replace(answer.said, rating=leading(rule, answer.ratings)))
        for answer in customer.answers
        if _is_fresh(answer, live, now)
        and matches(rule, ratings=answer.ratings, mood=customer.mood, silence=customer.silence)
    )
    return Opening(name, "", tuple(sorted(found, key=_worst_first))) if found else None


def _worst_first(answer: Answer) -> tuple[float, datetime]:
    """Order answers that came together: the task is about the worst of them, and of equal ones about the earliest."""
    rating = answer.said.rating
    share = (rating.value - rating.low) / (rating.high - rating.low)
    return (share if rating.direction == "up" else 1 - share, answer.said.at)


def _is_fresh(answer: Answer, live: Mapping[str, datetime], now: datetime) -> bool:
    since = live.get(answer.connection)
    if answer.considered or answer.source == IMPORTED or since is None:
        return False
    return answer.said.at >= max(since, now - TOO_OLD)


def _mood_is_news(name: str, customer: Customer, live: Mapping[str, datetime]) -> bool:
    """A mood opens one follow-up for each time it begins; one that a changed setting has given is no event."""
    if customer.figures is None or not live or customer.figures.get("mood_by") == BY_SETTINGS:
        return False
    since = datetime.fromisoformat(customer.figures["mood_since"])
    opened = customer.opened.get(name)
    return since >= min(live.values()) and (opened is None or opened < since)


def _silence_is_news(name: str, customer: Customer) -> bool:
    """A silence opens one follow-up; the next one needs an answer in between."""
    opened = customer.opened.get(name)
    return opened is None or (customer.last_answer is not None and opened < customer.last_answer)


def _why(rule: Rule, customer: Customer) -> str:
    parts = []
    if rule.on_mood:
        parts.append(f"the customer mood is {customer.mood.value}")
    if rule.on_silence:
        times = "once" if customer.silence == 1 else f"{customer.silence} times"
        parts.append(f"asked {times} without an answer")
    return " and ".join(parts)
