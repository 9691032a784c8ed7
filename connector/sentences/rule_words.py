"""Follow-up rules in words, for the reps: why they see a task."""

from typing import Final

from connector.domain.follow_up_rules import SCALES, BandClause, Clause, MoodClause, RatingClause, Rule
from connector.scoring.scales import Band
from connector.sentences.catalogue import Catalogue
from connector.sentences.ratings import metric_name

_COMPARED: Final = {"<=": "at_most", "<": "below", ">=": "at_least", ">": "above", "=": "exactly"}


def rule_sentence(rule: Rule, words: Catalogue) -> str:
    """Return ``Why you see this: we call when a customer gives 2 of 5 or less for satisfaction.``"""
    first, *others = (_condition(clause, words) for clause in rule.clauses)
    conditions = first
    for other in others:
        conditions = words.text("condition.and", first=conditions, second=other)
    return words.text("task.why", conditions=conditions)


def _condition(clause: Clause, words: Catalogue) -> str:
    if isinstance(clause, BandClause):
        return words.text("condition.low" if clause.band is Band.BAD else "condition.high")
    if isinstance(clause, MoodClause):
        return words.text("condition.mood", mood=words.text(f"mood.{clause.mood.value}"))
    if isinstance(clause, RatingClause):
        _, high = SCALES[clause.metric]
        return words.text(
            f"condition.{_COMPARED[clause.op]}",
            value=words.number(clause.value),
            high=words.number(high),
            metric=metric_name(clause.metric, words),
        )
    return _silence(clause.op, clause.times, words)


def _silence(op: str, times: int, words: Catalogue) -> str:
    if op in ("<", ">"):
        times += 1 if op == ">" else -1
    form = {"=": "exactly", ">": "at_least", ">=": "at_least"}.get(op, "at_most")
    return words.count(f"condition.silence_{form}", times)
