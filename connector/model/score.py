"""What is published about a customer's satisfaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connector.model import Mood


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a customer."""

    score: float | None
    """Points 0-100, unrounded; None while the range is wider than the admin's widest: a number that means nothing is shown nowhere."""
    low: float | None
    """The ends of the 90 % interval, likewise."""
    high: float | None
    mood: Mood
    people: int
    """How many people have answered."""
    answers: int
    evidence: float
    """How many people who answer today these answers are worth."""
    askable: int
    """How many people of the customer can be asked, as far as it matters for the mood."""
    metrics: Mapping[str, float | None]
    """The shares by metric, each in its own unit; None below 5 people."""
    trend: str | None
    """rising, steady or falling; None where it cannot be tested."""
    last_answer: datetime
    mood_since: datetime | None = None
    mood_by: str = ""
    """Why the mood began, where no answer and no time that passed began it."""
