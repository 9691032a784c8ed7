"""NPS, CSAT and CES of an account: shown from five people on, each of whom counts once."""

from datetime import timedelta

import pytest
from scoring_examples import HALF_LIFE, NOW, recommend, stars

from connector.scoring.evidence import AccountRating
from connector.scoring.metrics import AccountMetric, account_metrics
from connector.scoring.nps import NpsCounts, score_interval
from connector.scoring.rates import mean_interval, wilson_interval


def metrics(*answers: AccountRating) -> dict[str, AccountMetric]:
    return account_metrics(answers, NOW, HALF_LIFE)


def effort(value: float, contact: str, *, high: float = 7) -> AccountRating:
    return stars(value, contact, metric="ces", low=1, high=high)


def people(*values: float) -> list[tuple[float, str]]:
    return [(value, f"p{i}") for i, value in enumerate(values)]


def test_nps_is_in_points_with_its_range() -> None:
    found = metrics(*(recommend(*one) for one in people(10, 9, 8, 3, 10, 9)))["nps"]

    assert found.value == pytest.approx(100 * (4 - 1) / 6)
    assert (found.low, found.high) == pytest.approx(score_interval(NpsCounts(1, 1, 4), 0.9))
    assert found.people == 6


def test_csat_is_the_share_of_the_two_best_boxes() -> None:
    found = metrics(*(stars(*one) for one in people(5, 4, 4, 3, 1)))["csat"]

    assert found.value == pytest.approx(60)
    assert (found.low, found.high) == pytest.approx(wilson_interval(3, 5, 0.9))


def test_ces_is_the_share_of_5_to_7() -> None:
    found = metrics(*(effort(*one) for one in people(7, 5, 4, 6, 1)))["ces"]

    assert found.value == pytest.approx(60)


def test_any_other_metric_is_a_mean_on_the_common_scale() -> None:
    found = metrics(*(stars(*one, metric="speed") for one in people(5, 4, 4, 3, 1)))["speed"]

    assert found.value == pytest.approx(60)
    assert (found.low, found.high) == pytest.approx(mean_interval([100, 75, 75, 50, 0], 0.9))


@pytest.mark.parametrize("metric", ["csat", "nps", "ces", "speed"])
def test_four_people_are_too_few_for_a_figure(metric: str) -> None:
    low, high = (0, 10) if metric == "nps" else (1, 7)
    answers = [stars(7, f"p{i}", metric=metric, low=low, high=high) for i in range(4)]

    assert metrics(*answers)[metric] == AccountMetric(None, None, None, 4)


def test_everybody_counts_once_with_their_newest_answer() -> None:
    talkative = [recommend(0, "p0", days=days) for days in range(1, 20)]
    found = metrics(*talkative, *(recommend(*one) for one in people(10, 9, 9, 10, 9)))["nps"]

    assert (found.value, found.people) == (100, 5)


@pytest.mark.parametrize("values", [(1, 5), (5, 1)])
def test_two_questions_of_one_survey_are_not_the_better_of_both(values: tuple[float, float]) -> None:
    both = [stars(value, "p0") for value in values]

    assert metrics(*both, *(stars(5, f"p{i}") for i in range(1, 5)))["csat"].value == 80


def test_one_metrics_answers_say_nothing_of_another() -> None:
    found = metrics(*(recommend(*one) for one in people(10, 9, 9, 10, 9)), stars(1, "p0"))

    assert found["nps"].value == 100
    assert found["csat"].people == 1
    assert list(found) == ["csat", "nps"]


def test_answers_older_than_four_half_lives_no_longer_count() -> None:
    fresh = [stars(5, f"p{i}") for i in range(5)]

    assert metrics(*fresh, stars(1, "old", days=721))["csat"].value == 100
    assert metrics(*fresh, stars(1, "old", days=719))["csat"].people == 6
    assert account_metrics([stars(5, days=721)], NOW, HALF_LIFE) == {}
    assert account_metrics([stars(5, days=721)], NOW, timedelta(days=365))["csat"].people == 1


def test_an_answer_without_boxes_has_no_share() -> None:
    sliders = [stars(80, f"p{i}", low=0, high=100) for i in range(6)]
    old_effort = [effort(1, f"p{i}", high=5) for i in range(6)]

    assert metrics(*sliders)["csat"] == AccountMetric(None, None, None, 0)
    assert metrics(*old_effort)["ces"] == AccountMetric(None, None, None, 0)
