"""When a follow-up is due: ``low``, ``csat <= 2``, ``mood = unhappy``, ``silence >= 2``, or several of them joined by ``and``."""

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.domain.config.spelling import closest
from connector.model import Mood, Rating
from connector.scoring.scales import Band, band, worst

SCALES: Final[Mapping[str, tuple[float, float]]] = {
    "csat": (1, 5),
    "nps": (0, 10),
    "ces": (1, 7),
    "speed": (1, 5),
    "competence": (1, 5),
    "friendliness": (1, 5),
}
"""The lowest and the highest answer to each metric that a survey asks for."""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}
_BANDS: Final[Mapping[str, Band]] = {"low": Band.BAD, "high": Band.GOOD}
_MOODS: Final = {mood.value.lower(): mood for mood in (Mood.HAPPY, Mood.MIXED, Mood.UNHAPPY)}
_CLAUSE: Final = re.compile(r"([a-z_]+)\s*(<=|>=|==|<|>|=|\bis\b)\s*(\S+)")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class BandClause:
    """The worst of all that a person answered lies in `band` of its own scale: 1 or 2 of 5 and 0 to 6 of 10 are low."""

    band: Band


@dataclass(frozen=True, slots=True)
class RatingClause:
    """One person's answer on `metric` compared with `value`."""

    metric: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class MoodClause:
    """The account's mood is `mood`."""

    mood: Mood


@dataclass(frozen=True, slots=True)
class SilenceClause:
    """How many times in a row somebody was asked without an answer, compared with `times`."""

    op: str
    times: int


Clause = BandClause | RatingClause | MoodClause | SilenceClause


@dataclass(frozen=True, slots=True)
class Rule:
    """The parsed text; every clause must hold."""

    text: str
    clauses: tuple[Clause, ...]

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that the rule names."""
        return frozenset(clause.metric for clause in self.clauses if isinstance(clause, RatingClause))

    @property
    def bands(self) -> frozenset[Band]:
        """The bands in which the rule wants an answer to lie, whatever was asked."""
        return frozenset(clause.band for clause in self.clauses if isinstance(clause, BandClause))

    @property
    def on_ratings(self) -> bool:
        """Whether the rule is about one person's answer; else it is about the account as a whole."""
        return bool(self.metrics or self.bands)

    @property
    def on_mood(self) -> bool:
        """Whether the rule looks at the account's mood."""
        return any(isinstance(clause, MoodClause) for clause in self.clauses)

    @property
    def on_silence(self) -> bool:
        """Whether the rule looks at silence."""
        return any(isinstance(clause, SilenceClause) for clause in self.clauses)


def parse_rule(text: str) -> Rule:
    """Read a rule. Raises ValueError whose text says which part is wrong and what would be right."""
    parts = re.split(r"\s+and\s+", text.strip().lower())
    return Rule(text=text.strip(), clauses=tuple(_clause(part) for part in parts))


def _clause(part: str) -> Clause:
    if part in _BANDS:
        return BandClause(_BANDS[part])
    match = _CLAUSE.fullmatch(part)
    if match is None:
        raise ValueError(f'"{part}" is not a condition{_meant(part, _BANDS)}')
    subject, op, value = match[1], "=" if match[2] in {"is", "=="} else match[2], match[3]
    if subject == "mood":
        return _mood(op, value)
    if subject == "silence":
        return _silence(op, value)
    if subject in SCALES:
        return _rating(subject, op, value)
    raise ValueError(f'"{subject}" is nothing a rule can look at{_meant(subject, [*SCALES, "mood", "silence"])}')


def _meant(word: str, words: Collection[str]) -> str:
    near = closest(word, words)
    return f' (did you mean "{near}"?)' if near else ""


def _mood(op: str, value: str) -> MoodClause:
    mood = _MOODS.get(value.strip("\"'"))
    if op != "=" or mood is None:
        raise ValueError("a mood is compared as in mood = unhappy, with one of: " + ", ".join(_MOODS))
    return MoodClause(mood)


def _silence(op: str, value: str) -> SilenceClause:
    if not value.isdecimal() or not 1 <= int(value) <= 100:
        raise ValueError("silence is compared with a whole number of times from 1 to 100")
    return SilenceClause(op, int(value))


def _rating(metric: str, op: str, value: str) -> RatingClause:
    low, high = SCALES[metric]
    if not _NUMBER.fullmatch(value) or not low <= float(value) <= high:
        raise ValueError(f"{metric} is compared with a number from {low:g} to {high:g}")
    if (op, float(value)) in {("<", low), (">", high)}:
        raise ValueError(f"no answer can be {op} {value}")
    return RatingClause(metric, op, float(value))


def matches_ratings(rule: Rule, ratings: Sequence[Rating]) -> bool:
    """Whether the rule looks at ratings, and everything that it says about them holds for these, one person's answers to one survey.

    Of several ratings of one metric the worst counts, whichever end of its scale that is, so that one bad dimension is enough.
    """
    if not rule.on_ratings or not ratings:
        return False
    return all(_is_met(clause, ratings) for clause in rule.clauses if isinstance(clause, BandClause | RatingClause))


def _is_met(clause: BandClause | RatingClause, ratings: Sequence[Rating]) -> bool:
    if isinstance(clause, BandClause):
        return band(worst(ratings)) is clause.band
    of_metric = [rating for rating in ratings if rating.metric == clause.metric]
    return bool(of_metric) and _COMPARE[clause.op](worst(of_metric).value, clause.value)


def matches_mood(rule: Rule, mood: Mood) -> bool:
    """Whether the rule looks at the mood, and it is this one."""
    clauses = [clause for clause in rule.clauses if isinstance(clause, MoodClause)]
    return bool(clauses) and all(clause.mood is mood for clause in clauses)


def matches_silence(rule: Rule, n: int) -> bool:
    """Whether the rule looks at silence, and being asked `n` times without an answer is enough of it."""
    clauses = [clause for clause in rule.clauses if isinstance(clause, SilenceClause)]
    return bool(clauses) and all(_COMPARE[clause.op](n, clause.times) for clause in clauses)


def matches(rule: Rule, *, ratings: Sequence[Rating], mood: Mood, silence: int) -> bool:
    """Whether every clause holds: for rules that join ratings, mood and silence."""
    return (
        (not rule.on_ratings or matches_ratings(rule, ratings))
        and (not rule.on_mood or matches_mood(rule, mood))
        and (not rule.on_silence or matches_silence(rule, silence))
    )
