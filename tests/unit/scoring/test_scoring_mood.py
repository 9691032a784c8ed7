"""The mood: plain words where the answers are plain, the score's where it is sure, and nothing beyond that."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scoring_examples import NOW, evidence, recommend, stars

from connector.model import Mood
from connector.scoring.evidence import AccountRating
from connector.scoring.mood import MoodRule, mood
from connector.scoring.shrinkage import AccountScore, Beta, fit_prior, score

MANY = 100
"""Enough people who can be asked."""


def alone(answers: list[AccountRating]) -> AccountScore | None:
    """The score of an account without others to lean on."""
    found = evidence(*answers)
    return score(found, fit_prior([found]))


def mood_of(*answers: AccountRating, askable: int = MANY, rule: MoodRule | None = None) -> Mood:
    return mood(answers, alone([*answers]), rule or MoodRule(), as_of=NOW, askable=askable)


def people(*values: float) -> list[AccountRating]:
    return [stars(value, f"p{number}") for number, value in enumerate(values)]


class TestTheLastAnswer:
    @pytest.mark.parametrize(("value", "expected"), [(5, Mood.LAST_GOOD), (3, Mood.LAST_OK), (1, Mood.LAST_BAD)])
    def test_it_speaks_where_too_few_can_be_asked(self, value: float, expected: Mood) -> None:
        assert mood_of(stars(value), askable=1) is expected
        assert mood_of(stars(value), askable=2) is expected
        assert mood_of(stars(value), askable=3) is Mood.TOO_FEW

    def test_it_is_the_newest(self) -> None:
        assert mood_of(stars(5, "a"), stars(1, "b", days=10), askable=2) is Mood.LAST_GOOD
        assert mood_of(stars(5, "a", days=10), stars(1, "b"), askable=2) is Mood.LAST_BAD

    def test_of_several_questions_answered_at_once_it_is_the_worst(self) -> None:
        assert mood_of(stars(5), recommend(6), stars(4), askable=1) is Mood.LAST_BAD
        assert mood_of(stars(5, direction="down"), stars(5), askable=1) is Mood.LAST_BAD

    def test_it_speaks_for_twelve_months(self) -> None:
        assert mood_of(stars(5, days=365), askable=1) is Mood.LAST_GOOD
        assert mood_of(stars(5, days=365.1), askable=1) is Mood.TOO_FEW

    def test_it_speaks_before_the_others_do(self) -> None:
        assert mood_of(*people(5, 5, 5, 5), stars(1, "last", days=-0.5), askable=2) is Mood.LAST_BAD


class TestAllInOneBand:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [((4, 4, 4, 4, 4), Mood.HAPPY), ((4, 5, 4), Mood.HAPPY), ((3, 3, 3), Mood.MIXED), ((2, 1, 2), Mood.UNHAPPY)],
    )
    def test_it_needs_no_probability(self, values: tuple[float, ...], expected: Mood) -> None:
        strict = MoodRule(unhappy_below=0, happy_above=100, widest=1)
        assert mood_of(*people(*values), rule=strict) is expected

    def test_one_other_answer_leaves_it_to_the_score(self) -> None:
        strict = MoodRule(unhappy_below=0, happy_above=100)
        assert mood_of(*people(4, 4, 4, 4, 3), rule=strict) is Mood.MIXED

    def test_only_the_latest_answer_of_each_counts(self) -> None:
        reformed = [stars(1, f"p{number}", days=100) for number in range(3)]
        assert mood_of(*people(5, 5, 5), *reformed) is Mood.HAPPY

    def test_other_scales_have_their_own_bands(self) -> None:
        assert mood_of(*(recommend(8, f"p{number}") for number in range(3))) is Mood.MIXED
        assert mood_of(*(recommend(9, f"p{number}") for number in range(3))) is Mood.HAPPY

    def test_one_fresh_answer_does_not_speak_for_those_of_years_ago(self) -> None:
        old = [stars(1, f"p{number}", days=400) for number in range(3)]
        assert mood_of(stars(5, "fresh"), *old) is not Mood.HAPPY

    def test_nobody_asked_within_a_year_leaves_it_to_the_score(self) -> None:
        assert mood_of(*(stars(5, f"p{number}", days=400) for number in range(9)), rule=MoodRule(widest=100)) in {
            Mood.HAPPY,
            Mood.MIXED,
        }


class TestByTheScore:
    def test_fewer_people_than_the_minimum_are_too_few(self) -> None:
        assert mood_of(*people(5, 5)) is Mood.TOO_FEW
        assert mood_of(*people(5, 5, 5, 5, 5, 5, 5, 5), rule=MoodRule(minimum=9)) is Mood.TOO_FEW

    def test_many_answers_of_one_person_are_one_person(self) -> None:
        assert mood_of(*(stars(5, days=day) for day in range(6))) is Mood.TOO_FEW

    @pytest.mark.parametrize(("high", "expected"), [(95.0, Mood.MIXED), (95.1, Mood.TOO_FEW)])
    def test_sixty_points_are_the_widest_range_with_a_mood(self, high: float, expected: Mood) -> None:
        answers = people(5, 1, 3)
        found = alone(answers)
        assert found is not None
        wide = replace(found, low=35.0, high=high, belief=Beta(5, 5))
        assert mood(answers, wide, MoodRule(), as_of=NOW, askable=MANY) is expected

    @pytest.mark.parametrize(("sure", "expected"), [(0.8001, Mood.UNHAPPY), (0.7999, Mood.MIXED)])
    def test_it_is_said_from_four_chances_in_five(self, sure: float, expected: Mood) -> None:
        answers = people(2, 2, 2, 2, 2, 2, 2, 3)
        found = alone(answers)
        assert found is not None
        rule = MoodRule(unhappy_below=found.belief.quantile(sure), happy_above=99)
        assert mood(answers, found, rule, as_of=NOW, askable=MANY) is expected

    def test_thresholds_are_the_admins(self) -> None:
        answers = people(3, 4, 3, 4, 3, 4, 3, 4)
        assert mood_of(*answers) is Mood.MIXED
        assert mood_of(*answers, rule=MoodRule(happy_above=30)) is Mood.HAPPY
        assert mood_of(*answers, rule=MoodRule(unhappy_below=90, happy_above=95)) is Mood.UNHAPPY


def test_nothing_is_said_of_an_account_without_a_score() -> None:
    assert mood([], None, MoodRule(minimum=0), as_of=NOW, askable=0) is Mood.TOO_FEW
    # Its last answer is not a year old, but with so short a half-life it has faded, and nothing of it is shown.
    assert mood([stars(5, days=300)], None, MoodRule(), as_of=NOW, askable=1) is Mood.TOO_FEW


def test_an_answer_that_a_clock_dates_ahead_is_recent() -> None:
    assert mood_of(stars(5, at=NOW + timedelta(days=1)), askable=1) is Mood.LAST_GOOD
