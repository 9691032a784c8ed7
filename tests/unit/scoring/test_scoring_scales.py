"""A rating means the same wherever it comes from, and is shown as people round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import MappingError
from connector.scoring.scales import Direction, Scale, in_top_boxes, is_easy, nps_band, round_half_away


@pytest.mark.parametrize(
    ("value", "scale", "unit"),
    [
        (1, Scale(1, 5), 0.0),  # one of five stars is the worst answer, not a fifth of the best
        (4, Scale(1, 5), 0.75),
        (2, Scale(1, 5, "down"), 0.75),
        (3.5, Scale(0.5, 5), 0.6666666666666667),
        (-100, Scale(-100, 100), 0.0),
        (0, Scale(0, 1), 0.0),
    ],
)
def test_the_ends_of_the_scale_are_the_worst_and_the_best(value: float, scale: Scale, unit: float) -> None:
    assert scale.to_unit(value) == pytest.approx(unit, abs=1e-12)


def test_low_effort_is_turned_round_before_anything_is_averaged() -> None:
    effort = Scale(1, 5, "down")

    assert sum(effort.to_unit(value) for value in [1, 2, 1, 3, 5]) / 5 == pytest.approx(0.65)


@pytest.mark.parametrize("value", [0, 5.1, -1, float("nan"), float("inf")])
def test_a_value_off_the_scale_is_refused(value: float) -> None:
    with pytest.raises(MappingError, match="not on the scale") as refused:
        Scale(1, 5).to_unit(value)
    assert refused.value.remedy


@pytest.mark.parametrize(("low", "high"), [(5, 1), (3, 3), (0, float("inf")), (float("nan"), 5)])
def test_a_scale_without_length_is_refused(low: float, high: float) -> None:
    with pytest.raises(MappingError, match="scale cannot go"):
        Scale(low, high)


def test_a_direction_is_up_or_down() -> None:
    with pytest.raises(MappingError, match='"sideways"'):
        Scale(1, 5, "sideways")  # type: ignore[arg-type]


def test_nps_bands() -> None:
    assert [nps_band(value) for value in range(11)] == [-1] * 7 + [0, 0, 1, 1]


@pytest.mark.parametrize("value", [11, -1, 7.5])
def test_nps_takes_whole_numbers_from_0_to_10(value: float) -> None:
    with pytest.raises(MappingError, match="no answer to NPS"):
        nps_band(value)


@pytest.mark.parametrize(
    ("scale", "satisfied"),
    [
        (Scale(1, 5), [4, 5]),
        (Scale(1, 7), [6, 7]),
        (Scale(1, 10), [9, 10]),
        (Scale(0, 10), [9, 10]),
        (Scale(1, 3), [3]),
        (Scale(0, 1), [1]),
        (Scale(1, 5, "down"), [1, 2]),
    ],
)
def test_the_best_boxes_count_as_satisfied(scale: Scale, satisfied: list[int]) -> None:
    steps = range(int(scale.low), int(scale.high) + 1)

    assert [value for value in steps if in_top_boxes(value, scale)] == satisfied


def test_a_slider_has_no_boxes() -> None:
    assert in_top_boxes(90, Scale(0, 100)) is None


def test_easy_is_5_to_7_of_seven() -> None:
    assert [value for value in range(1, 8) if is_easy(value, Scale(1, 7))] == [5, 6, 7]
    assert [value for value in range(1, 8) if is_easy(value, Scale(1, 7, "down"))] == [1, 2, 3]
    assert is_easy(5, Scale(1, 5)) is None


@pytest.mark.parametrize(
    ("value", "shown"), [(12.5, 13), (-0.5, -1), (0.5, 1), (33.333333, 33), (-0.2, 0), (-8.95, -9), (2.5, 3)]
)
def test_halves_are_rounded_away_from_zero(value: float, shown: int) -> None:
    assert round_half_away(value) == shown


def test_there_is_no_minus_zero() -> None:
    assert str(round_half_away(-0.4)) == "0"


@given(st.floats(min_value=0, max_value=1))
def test_turning_a_scale_round_turns_the_answer_round(value: float) -> None:
    assert Scale(0, 1, "down").to_unit(value) == pytest.approx(1 - Scale(0, 1).to_unit(value))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1), st.floats(), st.sampled_from(["up", "down"]))
def test_whatever_a_scale_is_an_answer_lies_between_its_ends_or_is_refused(
    low: float, share: float, high: float, direction: Direction
) -> None:
    try:
        scale = Scale(low, high, direction)
        value = min(max(low + share * (high - low), low), high)
    except MappingError:
        return
    assert 0 <= scale.to_unit(value) <= 1
    assert {scale.to_unit(low), scale.to_unit(high)} == {0, 1}
