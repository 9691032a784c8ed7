"""What `when` can say, and when it holds."""

import pytest

from connector.model import Mood
from connector.rules import (
    MoodClause,
    RatingClause,
    SilenceClause,
    matches,
    matches_mood,
    matches_rating,
    matches_silence,
    parse_rule,
)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("csat <= 2", 2, True),
        ("csat <= 2", 3, False),
        ("csat < 2", 2, False),
        ("nps >= 9", 9, True),
        ("nps > 9", 9, False),
        ("ces = 3", 3, True),
        ("ces<=3.5", 3.4, True),
    ],
)
def test_a_rating_is_compared(text: str, value: float, holds: bool) -> None:
    rule = parse_rule(text)
    assert matches_rating(rule, text[:4].strip("<= "), value) is holds


def test_a_rating_of_another_metric_never_matches() -> None:
    assert not matches_rating(parse_rule("csat <= 2"), "nps", 1)


@pytest.mark.parametrize("text", ["mood = unhappy", "mood is unhappy", "Mood is Unhappy", 'mood = "unhappy"'])
def test_the_mood_is_compared(text: str) -> None:
    rule = parse_rule(text)
    assert rule.clauses == (MoodClause(Mood.UNHAPPY),)
    assert matches_mood(rule, Mood.UNHAPPY)
    assert not matches_mood(rule, Mood.TOO_FEW)


def test_silence_is_counted() -> None:
    rule = parse_rule("silence >= 2")
    assert rule.clauses == (SilenceClause(">=", 2),)
    assert [matches_silence(rule, n) for n in (0, 1, 2, 3)] == [False, False, True, True]


def test_a_rule_matches_only_what_it_looks_at() -> None:
    assert not matches_mood(parse_rule("csat <= 2"), Mood.UNHAPPY)
    assert not matches_silence(parse_rule("csat <= 2"), 9)
    assert not matches_rating(parse_rule("silence >= 2"), "csat", 1)


def test_two_bounds_on_one_metric_must_both_hold() -> None:
    rule = parse_rule("csat >= 2 and csat <= 3")
    assert [matches_rating(rule, "csat", n) for n in (1, 2, 3, 4)] == [False, True, True, False]


def test_joined_clauses_must_all_hold() -> None:
    rule = parse_rule("nps <= 6 AND mood = unhappy and silence >= 1")
    assert rule.metrics == {"nps"}
    assert rule.on_mood
    assert rule.on_silence
    assert matches(rule, ratings={"nps": 3}, mood=Mood.UNHAPPY, silence=1)
    assert not matches(rule, ratings={"nps": 3}, mood=Mood.MIXED, silence=1)
    assert not matches(rule, ratings={"nps": 3}, mood=Mood.UNHAPPY, silence=0)
    assert not matches(rule, ratings={"csat": 1}, mood=Mood.UNHAPPY, silence=1)


def test_a_rule_keeps_its_text() -> None:
    rule = parse_rule("  csat <= 2 ")
    assert rule.text == "csat <= 2"
    assert rule.clauses == (RatingClause("csat", "<=", 2.0),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a condition"),
        ("csat", "not a condition"),
        ("csat <= two", "number from 1 to 5"),
        ("csat <= 9", "number from 1 to 5"),
        ("nps > 10", "no answer can be > 10"),
        ("cast <= 2", 'did you mean "csat"'),
        ("mood < happy", "mood = unhappy"),
        ("mood = furious", "one of: happy, mixed, unhappy"),
        ("silence >= 0", "from 1 to 100"),
        ("silence >= 1.5", "from 1 to 100"),
        ("csat <= 2 or nps <= 6", "not a condition"),
        ("csat <= 2 and", "not a condition"),
        ("csat <= nan", "number from 1 to 5"),
    ],
)
def test_other_rules_are_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_rule(text)
    assert says in str(caught.value)
