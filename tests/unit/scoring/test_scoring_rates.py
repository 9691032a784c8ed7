"""Shares, means and their changes are shown with what they leave open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_examples import REFERENCE

from connector.scoring.change import mean_change, rate_change
from connector.scoring.rates import mean_interval, wilson_interval, worst_case_bounds


@pytest.mark.parametrize("case", REFERENCE["rate_intervals"])
def test_the_reference_ranges(case: dict[str, float]) -> None:
    assert wilson_interval(case["hits"], case["total"], 0.95) == pytest.approx(case["wilson"], abs=1e-5)
    assert wilson_interval(case["hits"], case["total"], 0.9) == pytest.approx(case["wilson_90"], abs=1e-5)


@pytest.mark.parametrize(
    ("hits", "total", "published"), [(15, 148, (6.24, 16.05)), (0, 20, (0, 16.11)), (1, 29, (0.61, 17.18))]
)
def test_published_ranges(hits: int, total: int, published: tuple[float, float]) -> None:
    """Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3."""
    assert wilson_interval(hits, total, 0.95) == pytest.approx(published, abs=0.005)


def test_a_mean_has_students_range() -> None:
    # Mean 75, standard deviation 17.6777, t(0.95, 4) = 2.131847.
    assert mean_interval([50, 75, 75, 75, 100], 0.9) == pytest.approx((58.146, 91.854), abs=1e-3)
    assert mean_interval([0, 100, 100, 100, 100], 0.9)[1] == 100


def test_a_mean_of_four_has_no_range() -> None:
    with pytest.raises(ValueError, match="five"):
        mean_interval([50, 60, 70, 80], 0.9)


def test_the_silent_may_all_be_unhappy_or_all_happy() -> None:
    assert worst_case_bounds(satisfied=8, answered=10, asked=40) == (20, 95)
    assert worst_case_bounds(satisfied=8, answered=10, asked=10) == (80, 80)


@pytest.mark.parametrize(("satisfied", "answered", "asked"), [(5, 4, 10), (4, 11, 10), (0, 0, 0), (-1, 4, 10)])
def test_contradicting_counts_are_refused(satisfied: int, answered: int, asked: int) -> None:
    with pytest.raises(ValueError, match="satisfied"):
        worst_case_bounds(satisfied=satisfied, answered=answered, asked=asked)


def test_a_change_of_shares_has_newcombes_range() -> None:
    """56 of 70 against 48 of 80: .0524 to .3339 in Newcombe (1998), Statistics in Medicine 17:873-890, table II."""
    change = rate_change((56, 70), (48, 80), 0.95)

    assert change is not None
    assert change.delta == pytest.approx(20)
    assert (change.low, change.high) == pytest.approx((5.24, 33.39), abs=0.005)
    # Chi-squared of the table 56 14 / 48 32 by hand: 7.0335.
    assert change.p == pytest.approx(0.008, abs=5e-4)


def test_small_tables_are_tested_exactly() -> None:
    # The lady tasting tea: 3 of 4 against 1 of 4, two-sided 34/70.
    change = rate_change((3, 4), (1, 4), 0.95)

    assert change is not None
    assert change.p == pytest.approx(34 / 70)


def test_where_nobody_differs_there_is_nothing_to_find() -> None:
    change = rate_change((0, 6), (0, 9), 0.95)

    assert change is not None
    assert (change.delta, change.p) == (0, 1)
    assert rate_change((1, 2), (0, 0), 0.95) is None


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_fall_of_a_share_is_negative(hits: int, misses: int, hits_before: int, misses_before: int) -> None:
    there = rate_change((hits, hits + misses), (hits_before, hits_before + misses_before), 0.9)
    back = rate_change((hits_before, hits_before + misses_before), (hits, hits + misses), 0.9)

    if there is not None and back is not None:
        assert there.delta == pytest.approx(-back.delta)
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
        assert there.low - 1e-9 <= there.delta <= there.high + 1e-9
        assert 0 <= there.p <= 1


def test_means_are_compared_by_welch() -> None:
    # Variances 250 and 1000/3, means 80 and 50: t = 30 / sqrt(250/5 + 333.33/4) = 2.598, 6.06 degrees of freedom.
    change = mean_change([60, 70, 80, 90, 100], [30, 40, 60, 70], 0.9)

    assert change is not None
    assert change.delta == pytest.approx(30)
    assert change.low == pytest.approx(30 - 1.9403 * (50 + 333.333 / 4) ** 0.5, abs=0.1)
    assert change.p == pytest.approx(0.0403, abs=5e-4)


def test_means_that_cannot_be_compared() -> None:
    assert mean_change([50], [60, 70], 0.9) is None
    assert mean_change([50, 50], [60, 60], 0.9) is None
