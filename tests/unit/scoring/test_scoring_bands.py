"""What a rating counts as, good, ok or bad, and which of several is the worst: by the scale, whichever end is the good one."""

import pytest

from connector.errors import MappingError
from connector.model import Rating
from connector.scoring.scales import Band, Rated, band, worst


def rating(metric: str, value: float, low: float, high: float, direction: str = "up") -> Rating:
    return Rating(metric, "q", value, low, high, direction)


@pytest.mark.parametrize(
    ("metric", "low", "high", "direction", "bands"),
    [
        ("csat", 1, 5, "up", "bad bad ok good good"),
        ("ces", 1, 7, "up", "bad bad bad ok good good good"),
        ("nps", 0, 10, "up", "bad bad bad bad bad bad bad ok ok good good"),
        ("delivery", 1, 5, "up", "bad bad ok good good"),
        ("waiting", 1, 5, "down", "good good ok bad bad"),
        ("ces", 1, 5, "down", "good good ok bad bad"),
        ("csat", 1, 7, "up", "bad bad bad ok good good good"),
        ("csat", 1, 10, "up", "bad bad bad bad ok ok good good good good"),
        ("quality", 0, 10, "up", "bad bad bad bad ok ok ok good good good good"),
        ("stars", 1, 3, "up", "bad ok good"),
        ("grade", 1, 6, "down", "good good ok ok bad bad"),
        ("faces", 1, 4, "up", "bad bad good good"),
        ("thumbs", 0, 1, "up", "bad good"),
        ("thumbs", 0, 1, "down", "good bad"),
    ],
)
def test_every_step_of_a_scale_counts_as_good_ok_or_bad(
    metric: str, low: float, high: float, direction: str, bands: str
) -> None:
    steps = range(int(low), int(high) + 1)
    assert [band(rating(metric, step, low, high, direction)) for step in steps] == [Band(one) for one in bands.split()]


def test_a_slider_is_cut_into_thirds() -> None:
    assert band(rating("mood", 33.3, 0, 100)) is Band.BAD
    assert band(rating("mood", 33.4, 0, 100)) is Band.OK
    assert band(rating("mood", 66.6, 0, 100)) is Band.OK
    assert band(rating("mood", 66.7, 0, 100)) is Band.GOOD


def test_what_is_called_nps_on_another_scale_goes_by_that_scale() -> None:
    assert band(rating("nps", 5, 1, 5)) is Band.GOOD


def test_a_value_off_its_scale_has_no_band() -> None:
    with pytest.raises(MappingError, match="not on the scale"):
        band(rating("csat", 6, 1, 5))


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([rating("csat", 5, 1, 5), rating("csat", 2, 1, 5), rating("csat", 3, 1, 5)], 1),
        # On a scale of effort the highest number is the worst answer.
        ([rating("ces", 1, 1, 5, "down"), rating("ces", 5, 1, 5, "down")], 1),
        # 3 of 7 lies lower than 3 of 5: 33 points against 50.
        ([rating("csat", 3, 1, 5), rating("ces", 3, 1, 7)], 1),
        # Of equal ones the first speaks.
        ([rating("csat", 2, 1, 5), rating("waiting", 4, 1, 5, "down")], 0),
        # 6 of 10 to NPS is a detractor: worse than a 3 of 5, though its number lies higher on its scale.
        ([rating("csat", 3, 1, 5), rating("nps", 6, 0, 10)], 1),
    ],
)
def test_the_worst_of_several_ratings(ratings: list[Rated], expected: int) -> None:
    assert worst(ratings) is ratings[expected]
