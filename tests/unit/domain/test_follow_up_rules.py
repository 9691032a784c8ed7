"""What the `when` of a follow-up rule can express, and when it is met."""

import pytest

from connector.domain.follow_up_rules import (
    SCALES,
    BandClause,
    MoodClause,
    RatingClause,
    SilenceClause,
    matches,
    matches_mood,
    matches_ratings,
    matches_silence,
    parse_rule,
)
from connector.model import Mood, Rating
from connector.scoring.scales import Band
from connector.surveys.questionnaire import questionnaire


def rating(metric: str, value: float, *, direction: str = "up", question: str = "") -> Rating:
    low, high = SCALES.get(metric, (1, 5))
    return Rating(metric, question or metric, value, low, high, direction)


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
    (metric,) = rule.metrics
    assert matches_ratings(rule, [rating(metric, value)]) is holds


def test_a_rating_of_another_metric_never_matches() -> None:
    assert not matches_ratings(parse_rule("csat <= 2"), [rating("nps", 1)])


@pytest.mark.parametrize(
    ("metric", "value", "low", "high"),
    [
        ("csat", 2, True, False),
        ("csat", 3, False, False),
        ("csat", 4, False, True),
        ("nps", 6, True, False),
        ("nps", 7, False, False),
        ("nps", 9, False, True),
        ("ces", 3, True, False),
        ("ces", 4, False, False),
        ("ces", 5, False, True),
        ("speed", 2, True, False),
        ("onboarding", 2, True, False),
    ],
)
def test_low_and_high_are_the_bad_and_the_good_band_of_whatever_was_asked(
    metric: str, value: float, low: bool, high: bool
) -> None:
    assert parse_rule("low").clauses == (BandClause(Band.BAD),)
    assert matches_ratings(parse_rule("Low"), [rating(metric, value)]) is low
    assert matches_ratings(parse_rule("high"), [rating(metric, value)]) is high


def test_one_bad_dimension_makes_an_answer_low_and_none_makes_it_high() -> None:
    answer = [rating("csat", 5), rating("speed", 1), rating("friendliness", 4)]
    assert matches_ratings(parse_rule("low"), answer)
    assert not matches_ratings(parse_rule("high"), answer)
    assert matches_ratings(parse_rule("speed <= 2 and csat >= 4"), answer)
    assert not matches_ratings(parse_rule("friendliness <= 3"), answer)


def test_the_worst_of_several_ratings_regards_the_direction() -> None:
    effort = [rating("ces", value, direction="down", question=f"q{value}") for value in (2, 6)]
    assert matches_ratings(parse_rule("low"), effort)
    assert matches_ratings(parse_rule("ces >= 5"), effort)
    assert not matches_ratings(parse_rule("ces <= 3"), effort)


def test_a_rule_can_name_every_metric_that_a_survey_asks_for() -> None:
    asked = {
        question.metric: (question.low, question.high)
        for metric in ("csat", "nps", "ces", "composite")
        for question in questionnaire(metric, "en").questions
    }
    assert asked == dict(SCALES)


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
    assert not matches_ratings(parse_rule("silence >= 2"), [rating("csat", 1)])


def test_two_bounds_on_one_metric_must_both_hold() -> None:
    rule = parse_rule("csat >= 2 and csat <= 3")
    assert [matches_ratings(rule, [rating("csat", n)]) for n in (1, 2, 3, 4)] == [False, True, True, False]


def test_joined_clauses_must_all_hold() -> None:
    rule = parse_rule("nps <= 6 AND mood = unhappy and silence >= 1")
    assert rule.metrics == {"nps"}
    assert rule.on_mood
    assert rule.on_silence
    assert matches(rule, ratings=[rating("nps", 3)], mood=Mood.UNHAPPY, silence=1)
    assert not matches(rule, ratings=[rating("nps", 3)], mood=Mood.MIXED, silence=1)
    assert not matches(rule, ratings=[rating("nps", 3)], mood=Mood.UNHAPPY, silence=0)
    assert not matches(rule, ratings=[rating("csat", 1)], mood=Mood.UNHAPPY, silence=1)


def test_a_rule_keeps_its_text() -> None:
    rule = parse_rule("  csat <= 2 ")
    assert rule.text == "csat <= 2"
    assert rule.clauses == (RatingClause("csat", "<=", 2.0),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a condition"),
        ("csat", "not a condition"),
        ("lwo", 'did you mean "low"'),
        ("low <= 2", "nothing a rule can look at"),
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
