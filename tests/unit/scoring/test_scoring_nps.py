"""Net promoter scores carry a range that holds what it says, also for a handful of answers."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_examples import REFERENCE

from connector.errors import MappingError
from connector.scoring.change import nps_change, paired_nps_change
from connector.scoring.nps import NpsCounts, adjusted_wald_interval, interval, nps, score_interval, wald_interval
from connector.scoring.scales import round_half_away

counts = st.builds(NpsCounts, *[st.integers(0, 40)] * 3).filter(lambda counts: counts.total > 0)


def test_published_examples() -> None:
    large = nps(NpsCounts(395, 476, 291))

    assert large == pytest.approx(-8.950086058519794)
    assert large is not None
    assert round_half_away(large) == -9
    assert nps(NpsCounts.of(range(1, 11))) == -40


def test_nobody_asked_is_no_score_rather_than_zero() -> None:
    assert nps(NpsCounts(0, 0, 0)) is None


def test_other_scales_are_refused() -> None:
    with pytest.raises(MappingError):
        NpsCounts.of([9, 10, 11])


@pytest.mark.parametrize("case", REFERENCE["nps_intervals"])
def test_the_reference_ranges(case: dict[str, Any]) -> None:
    group = NpsCounts(*case["counts"])

    assert nps(group) == pytest.approx(case["nps"], abs=1e-4)
    assert wald_interval(group, 0.95) == pytest.approx(case["wald"], abs=1e-4)
    assert adjusted_wald_interval(group, 0.95) == pytest.approx(case["adjusted_wald"], abs=1e-4)
    assert adjusted_wald_interval(group, 0.9) == pytest.approx(case["adjusted_wald_90"], abs=1e-4)
    assert score_interval(group, 0.95) == pytest.approx(case["score"], abs=1e-4)


def test_unanimous_groups_still_have_a_range() -> None:
    # Known identities with Wilson's range: its upper end for 0 of 5, and twice its lower end for 5 of 5 less 100.
    assert score_interval(NpsCounts(0, 5, 0), 0.95) == pytest.approx((-43.448246, 43.448246), abs=1e-4)
    assert score_interval(NpsCounts(0, 0, 5), 0.95) == pytest.approx((13.103507, 100), abs=1e-4)
    assert score_interval(NpsCounts(5, 0, 0), 0.95) == pytest.approx((-100, -13.103507), abs=1e-4)


def test_the_range_shown_changes_its_method_at_ten_answers_and_stays_on_the_scale() -> None:
    nine, ten = NpsCounts(0, 0, 9), NpsCounts(0, 0, 10)

    assert interval(nine, 0.9) == pytest.approx(score_interval(nine, 0.9))
    assert interval(ten, 0.9)[0] == pytest.approx(adjusted_wald_interval(ten, 0.9)[0])
    assert adjusted_wald_interval(ten, 0.9)[1] > 100
    assert interval(ten, 0.9)[1] == 100


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_score_range_covers_what_it_promises(n: int) -> None:
    """Exact coverage at 95 %, by adding up all possible samples of n answers, over four kinds of customers."""
    profiles = [(0.2, 0.3, 0.5), (0.1, 0.2, 0.7), (0.3, 0.4, 0.3), (0.05, 0.15, 0.8)]
    coverage = [_coverage(n, profile) for profile in profiles]

    assert sum(coverage) / len(coverage) > 0.94


def _coverage(n: int, shares: tuple[float, float, float]) -> float:
    net = 100 * (shares[2] - shares[0])
    covered = 0.0
    for detractors in range(n + 1):
        for passives in range(n + 1 - detractors):
            sample = (detractors, passives, n - detractors - passives)
            low, high = score_interval(NpsCounts(*sample), 0.95)
            ways = math.factorial(n) // math.prod(math.factorial(k) for k in sample)
            covered += (low <= net <= high) * ways * math.prod(p**k for p, k in zip(shares, sample, strict=True))
    return covered


@given(counts)
def test_a_range_holds_the_score_and_mirrors_with_it(group: NpsCounts) -> None:
    low, high = score_interval(group, 0.9)
    mirrored = score_interval(NpsCounts(group.promoters, group.passives, group.detractors), 0.9)

    assert -100 <= low <= 100 * group.net <= high <= 100
    assert mirrored == pytest.approx((-high, -low), abs=1e-6)


@given(counts)
def test_asking_for_more_certainty_widens_the_range(group: NpsCounts) -> None:
    widths = [high - low for low, high in (interval(group, level) for level in (0.5, 0.8, 0.95))]

    assert all(narrow <= wide for narrow, wide in pairwise(widths))


def test_the_reference_change() -> None:
    case = REFERENCE["nps_change"]

    change = nps_change(NpsCounts(*case["current"]), NpsCounts(*case["previous"]), 0.95)

    assert change is not None
    assert change.delta == pytest.approx(case["delta"], abs=1e-5)
    assert (change.low, change.high) == pytest.approx(case["interval"], abs=1e-5)
    assert change.p == pytest.approx(case["p"], abs=1e-7)


@given(counts, counts)
def test_a_fall_is_negative(current: NpsCounts, previous: NpsCounts) -> None:
    there, back = nps_change(current, previous, 0.9), nps_change(previous, current, 0.9)

    assert there is not None
    assert back is not None
    assert there.delta == pytest.approx(-back.delta)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == pytest.approx(back.p)


def test_there_is_no_change_from_nothing() -> None:
    assert nps_change(NpsCounts(1, 1, 1), NpsCounts(0, 0, 0), 0.9) is None


def test_people_who_answered_twice_are_compared_with_themselves() -> None:
    # Moves of 1, 1, 0, 2, 1 bands: mean 1, standard deviation 0.7071, t = 3.1623 with 4 degrees of freedom.
    change = paired_nps_change([(9, 8), (8, 3), (9, 10), (10, 0), (7, 6)], 0.95)

    assert change is not None
    assert change.delta == pytest.approx(100)
    assert change.p == pytest.approx(0.034110, abs=1e-5)
    assert paired_nps_change([(9, 8)], 0.95) is None
    assert paired_nps_change([(9, 8), (10, 7)], 0.95) is None
