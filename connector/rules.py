"""When a follow-up is due: ``csat <= 2``, ``mood = unhappy``, ``silence >= 2``, or several of them joined by ``and``."""

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import Mood

SCALES: Final[Mapping[str, tuple[float, float]]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}
"""The lowest and the highest answer on each metric's scale."""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}
_MOODS: Final = {mood.value.lower(): mood for mood in (Mood.HAPPY, Mood.MIXED, Mood.UNHAPPY)}
_CLAUSE: Final = re.compile(r"([a-z_]+)\s*(<=|>=|==|<|>|=|\bis\b)\s*(\S+)")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


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


Clause = RatingClause | MoodClause | SilenceClause


@dataclass(frozen=True, slots=True)
class Rule:
    """The parsed text; every clause must hold."""

    text: str
    clauses: tuple[Clause, ...]

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics whose ratings the rule looks at."""
        return frozenset(clause.metric for clause in self.clauses if isinstance(clause, RatingClause))

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
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise ValueError(f'"{part}" is not a condition')
    subject, op, value = found[1], "=" if found[2] in {"is", "=="} else found[2], found[3]
    if subject == "mood":
        return _mood(op, value)
    if subject == "silence":
        return _silence(op, value)
    if subject in SCALES:
        return _rating(subject, op, value)
    close = difflib.get_close_matches(subject, [*SCALES, "mood", "silence"], n=1)
    raise ValueError(f'"{subject}" is nothing a rule can look at' + (f' (did you mean "{close[0]}"?)' if close else ""))


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


def matches_rating(rule: Rule, metric: str, value: float) -> bool:
    """Whether the rule looks at ratings of `metric`, and everything it says about them holds for this one."""
    clauses = [clause for clause in rule.clauses if isinstance(clause, RatingClause) and clause.metric == metric]
    return bool(clauses) and all(_COMPARE[clause.op](value, clause.value) for clause in clauses)


def matches_mood(rule: Rule, mood: Mood) -> bool:
    """Whether the rule looks at the mood, and it is this one."""
    clauses = [clause for clause in rule.clauses if isinstance(clause, MoodClause)]
    return bool(clauses) and all(clause.mood is mood for clause in clauses)


def matches_silence(rule: Rule, n: int) -> bool:
    """Whether the rule looks at silence, and being asked `n` times without an answer is enough of it."""
    clauses = [clause for clause in rule.clauses if isinstance(clause, SilenceClause)]
    return bool(clauses) and all(_COMPARE[clause.op](n, clause.times) for clause in clauses)


def matches(rule: Rule, *, ratings: Mapping[str, float], mood: Mood, silence: int) -> bool:
    """Whether every clause holds: for rules that join ratings, mood and silence."""
    return (
        all(metric in ratings and matches_rating(rule, metric, ratings[metric]) for metric in rule.metrics)
        and (not rule.on_mood or matches_mood(rule, mood))
        and (not rule.on_silence or matches_silence(rule, silence))
    )
