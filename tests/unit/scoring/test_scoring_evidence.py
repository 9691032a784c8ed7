"""What answers are worth: fresh ones more than old ones, and one person never more than one answer."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_examples import HALF_LIFE, NOW, REFERENCE, answers_of, evidence, recommend, stars

from connector.errors import MappingError
from connector.scoring.evidence import AccountRating, account_evidence


@pytest.mark.parametrize("case", REFERENCE["evidence_and_fixed_prior"])
def test_the_reference_evidence(case: dict[str, Any]) -> None:
    answers = [stars(value, who, days=days, low=0, high=100) for who, value, days in case["answers"]]

    found = account_evidence("acme", answers, NOW, timedelta(days=case["half_life_days"]))

    assert found.people == case["people"]
    assert found.total == pytest.approx(case["evidence"], abs=1e-9)
    assert found.kish == pytest.approx(case["kish"], abs=1e-9)
    assert found.mean == pytest.approx(case["raw"] / 100, abs=1e-9)


def test_age_takes_evidence_away_although_the_effective_number_of_people_stays() -> None:
    old = evidence(*(stars(5, f"p{i}", days=4 * 180) for i in range(5)))

    assert old.total == pytest.approx(5 / 16)
    assert old.kish == pytest.approx(5)


def test_a_person_counts_as_their_freshest_answer_and_with_the_mean_of_all() -> None:
    found = evidence(stars(5), stars(1, days=180))

    assert (found.people, found.answers, found.total) == (1, 2, 1)
    assert found.mean == pytest.approx((1 * 1 + 0.5 * 0) / 1.5)


def test_several_questions_about_one_interaction_on_one_day_are_one_answer() -> None:
    together = evidence(stars(5, interaction="case 1"), stars(1, interaction="case 1"), stars(1, days=40))

    assert together.answers == 2
    assert together.mean == pytest.approx(evidence(stars(3), stars(1, days=40)).mean)


def test_what_is_one_answer_is_as_fresh_as_its_last_part() -> None:
    long = evidence(stars(5, interaction="case 1", days=0.9), stars(5, interaction="case 1", days=0.1))

    assert long.answers == 1
    assert long.total == pytest.approx(2 ** (-0.1 / 180))


@pytest.mark.parametrize(
    "other",
    [
        {"interaction": "case 2"},
        {"interaction": "case 1", "days": 1},
        {"interaction": "case 1", "contact": "jan"},
        {"interaction": None},
    ],
)
def test_what_differs_in_interaction_day_or_person_is_another_answer(other: dict[str, Any]) -> None:
    assert evidence(stars(5, interaction="case 1"), stars(1, **other)).answers == 2


def test_anonymous_answers_within_30_days_are_one_person() -> None:
    assert evidence(stars(5, None, days=50), stars(4, None, days=21)).people == 1
    assert evidence(stars(5, None, days=50), stars(4, None, days=20)).people == 2
    # Counted from the first answer of the window, not from the one before.
    assert evidence(*(stars(5, None, days=days) for days in (60, 40, 20))).people == 2


def test_anonymous_answers_are_nobody_elses() -> None:
    assert evidence(stars(5, None), stars(5, "maria"), stars(5, "jan")).people == 3


def test_no_answers_are_no_evidence() -> None:
    nothing = evidence()

    assert (nothing.total, nothing.people, nothing.answers, nothing.mean) == (0, 0, 0, None)


def test_answers_from_after_the_as_of_time_count_as_fresh() -> None:
    assert evidence(stars(5, days=-400)).total == 1


def test_a_half_life_is_longer_than_zero() -> None:
    with pytest.raises(ValueError, match="half-life"):
        account_evidence("acme", [stars(5)], NOW, timedelta(0))


def test_an_answer_of_an_age_beyond_all_reckoning_is_worth_nothing() -> None:
    ancient = account_evidence("acme", [stars(5, days=3000)], NOW, timedelta(days=1))

    assert (ancient.total, ancient.mean, ancient.people) == (0, None, 1)


@pytest.mark.parametrize("wrong", [{"value": 6}, {"low": 5}, {"direction": "left"}])
def test_an_impossible_answer_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(MappingError):
        stars(**({"value": 4} | wrong))


@pytest.mark.parametrize(
    "other", [{"low": 1}, {"low": 0, "high": 5, "value": 4}, {"value": 7.5}, {"direction": "down"}]
)
def test_an_nps_answer_has_eleven_points(other: dict[str, Any]) -> None:
    with pytest.raises(MappingError):
        recommend(**({"value": 9} | other))


def test_zero_is_an_answer() -> None:
    assert evidence(recommend(0)).mean == 0


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stars(5, at=datetime(2026, 11, 22))  # noqa: DTZ001


@given(answers_of(), st.randoms())
def test_the_order_of_answers_does_not_matter(answers: list[AccountRating], chance: random.Random) -> None:
    shuffled = answers.copy()
    chance.shuffle(shuffled)

    assert evidence(*shuffled) == evidence(*answers)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 1000)), min_size=1, max_size=100))
def test_one_person_counts_at_most_once(given_answers: list[tuple[int, int]]) -> None:
    found = evidence(*(stars(value, days=days) for value, days in given_answers))

    assert found.people == 1
    assert found.total <= 1
    assert 0 <= found.weighted <= found.total


@given(answers_of())
def test_evidence_never_exceeds_the_effective_number_nor_that_the_people(answers: list[AccountRating]) -> None:
    found = evidence(*answers)

    assert 0 <= found.weighted <= found.total <= found.kish + 1e-9
    assert found.kish <= found.people + 1e-9
    assert found.people <= found.answers <= len(answers)


@given(answers_of().filter(lambda answers: all(one.at <= NOW for one in answers)), st.integers(0, 900))
def test_waiting_takes_the_same_share_from_everybody(answers: list[AccountRating], days: int) -> None:
    today = evidence(*answers)
    later = account_evidence("acme", answers, NOW + timedelta(days=days), HALF_LIFE)

    assert later.total == pytest.approx(today.total * 2 ** (-days / 180))
    assert later.mean == pytest.approx(today.mean)
