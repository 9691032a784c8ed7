"""An arrow is only drawn when there is something to test, and then only when chance would hardly draw it."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_examples import REFERENCE, recommend, stars

from connector.scoring.evidence import AccountRating
from connector.scoring.trend import Trend, mann_kendall, period_means, trend


def month(number: int, values: list[float]) -> list[AccountRating]:
    """One answer per value in the numbered month from January 2025 on."""
    at = datetime(2025 + number // 12, number % 12 + 1, 10, 12, tzinfo=UTC)
    return [stars(value, f"p{i}", at=at) for i, value in enumerate(values)]


def months(*means: float, step: int = 1, answers: int = 5) -> list[AccountRating]:
    """Months (every `step`th) whose answers have these means."""
    return [one for number, mean in enumerate(means) for one in month(number * step, [mean] * answers)]


@pytest.mark.parametrize("case", REFERENCE["mann_kendall"])
def test_the_reference_tests(case: dict[str, float]) -> None:
    found = mann_kendall(case["values"])  # type: ignore[arg-type]

    assert found.s == case["s"]
    assert found.variance == pytest.approx(case["variance"])
    assert found.p == pytest.approx(case["p_exact"] or case["p_normal"], abs=1e-9)


@pytest.mark.parametrize(("n", "smallest"), [(3, 1 / 3), (4, 1 / 12), (5, 1 / 60)])
def test_few_periods_cannot_prove_anything(n: int, smallest: float) -> None:
    assert mann_kendall(list(range(n))).p == pytest.approx(smallest)


def test_exact_chances_are_those_of_all_orders() -> None:
    orders = [mann_kendall(order) for order in itertools.permutations(range(5))]

    for one in orders:
        assert one.p == pytest.approx(sum(abs(other.s) >= abs(one.s) for other in orders) / len(orders))


@given(st.lists(st.integers(0, 100), min_size=2, max_size=30))
def test_the_other_way_round_it_falls(values: list[int]) -> None:
    there, back = mann_kendall(values), mann_kendall(values[::-1])

    assert there.s == -back.s
    assert there.p == pytest.approx(back.p)
    assert 0 <= there.p <= 1


def test_one_value_is_no_trend() -> None:
    with pytest.raises(ValueError, match="two values"):
        mann_kendall([1])


def test_rising_falling_and_steady() -> None:
    assert trend(months(2, 2.5, 3, 3.5, 4)) is Trend.RISING
    assert trend(months(4, 3.5, 3, 2.5, 2)) is Trend.FALLING
    assert trend(months(3, 4, 2, 4, 3)) is Trend.STEADY
    assert trend(months(4, 4, 4, 4, 4)) is Trend.STEADY


def test_an_arrow_may_be_wrong_once_in_ten_times_by_chance() -> None:
    assert mann_kendall([2, 2.5, 3, 4, 3.5]).p == pytest.approx(10 / 120)
    assert trend(months(2, 2.5, 3, 4, 3.5)) is Trend.RISING
    assert trend(months(2, 3, 2.5, 4, 3.5)) is Trend.STEADY


def test_four_periods_draw_no_arrow() -> None:
    assert trend(months(2, 3, 4, 5)) is None
    assert trend([]) is None


def test_a_period_with_four_answers_does_not_count() -> None:
    thin = months(1, 2, 3, 4, 5, answers=4)

    assert trend(thin) is None
    assert trend([*thin, *months(1, 2, 3, 4, 5, answers=1)]) is Trend.RISING


def test_quarters_serve_where_months_are_too_thin() -> None:
    steps = [2, 2, 2, 2.5, 2.5, 2.5, 3, 3, 3, 3.5, 3.5, 3.5, 4, 4, 4]

    assert trend(months(*steps, answers=2)) is Trend.RISING


def test_periods_follow_the_calendar_and_share_no_answer() -> None:
    answers = months(1, 2, 3, 4, 5, 5)

    assert period_means(answers, 1) == [0, 25, 50, 75, 100, 100]
    assert period_means(answers, 3) == pytest.approx([25, 275 / 3])


def test_only_the_newest_periods_say_where_it_is_going() -> None:
    long_ago = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]

    assert trend(months(*long_ago, 5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5)) is Trend.FALLING


def test_another_question_is_another_series() -> None:
    rising = months(2, 2.5, 3, 3.5, 4)
    falling = [recommend(10 - number // 2, "ada", at=one.at) for number, one in enumerate(rising[:20])]

    assert trend([*rising, *falling]) is Trend.RISING
    assert trend(falling) is None
