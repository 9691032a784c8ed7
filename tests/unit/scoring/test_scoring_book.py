"""A whole book of ratings scored at once, without anything stored before."""

import json
import random
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_examples import NOW, REFERENCE, answers_of, recommend, stars

from connector.model import Mood
from connector.scoring.all_accounts import ScoreSettings, book_json, score_book
from connector.scoring.evidence import AccountRating
from connector.scoring.mood import MoodRule
from connector.scoring.shrinkage import METHOD


@pytest.mark.parametrize("case", REFERENCE["books"], ids=["4 accounts", "12 accounts"])
def test_the_reference_books_from_single_answers(case: dict[str, list[float]]) -> None:
    sizes = [round(size) for size in case["evidence"]]
    hits = [round(size * mean) for size, mean in zip(sizes, case["mean"], strict=True)]
    answers = [
        stars(5 if i < good else 1, f"p{i}", account=f"{number:02}")
        for number, (size, good) in enumerate(zip(sizes, hits, strict=True))
        for i in range(size)
    ]

    results = score_book(answers, NOW, ScoreSettings(), accounts=[f"{number:02}" for number in range(len(sizes))])

    for result, size, value, interval in zip(results, sizes, case["score"], case["interval_90"], strict=True):
        if size == 0:
            assert result.score is None
            continue
        assert result.score is not None
        assert result.score.score == pytest.approx(value, abs=0.75)
        assert (result.score.low, result.score.high) == pytest.approx(interval, abs=1.2)


def test_the_result_as_json() -> None:
    answers = [stars(5, f"p{i}", account="Acme") for i in range(6)] + [recommend(9, "p0", account="Acme")]
    results = score_book([*answers, stars(2, "x", account="Bolt", days=90)], NOW, ScoreSettings(), accounts=["Calm"])

    document = json.loads(json.dumps(book_json(results, NOW)))

    assert document["as_of"] == "2026-11-22T00:00:00Z"
    assert document["method"] == METHOD
    acme, bolt, calm = document["accounts"]
    assert list(acme) == ["account", "satisfaction", "low", "high", "people", "answers", "evidence", "mood", "metrics"]
    assert acme["low"] < acme["satisfaction"] < acme["high"]
    assert (acme["people"], acme["answers"], acme["evidence"], acme["mood"]) == (6, 7, 6, "Happy")
    assert acme["metrics"]["csat"]["value"] == 100
    assert acme["metrics"]["nps"] == {"value": None, "low": None, "high": None, "people": 1}
    assert bolt["evidence"] == pytest.approx(0.5**0.5)
    assert (calm["satisfaction"], calm["low"], calm["high"], calm["people"]) == (None, None, None, 0)
    assert (calm["mood"], calm["metrics"]) == ("Too few answers", {})


def test_the_time_is_written_in_utc() -> None:
    helsinki = datetime(2026, 11, 22, 2, tzinfo=timezone(timedelta(hours=2)))

    assert book_json([], helsinki) == {"as_of": "2026-11-22T00:00:00Z", "method": METHOD, "accounts": []}


def test_the_admins_settings_hold() -> None:
    answers = [stars(5, f"p{i}", days=90) for i in range(2)]

    strict = score_book(answers, NOW, ScoreSettings(mood=MoodRule(minimum=3)))[0]
    quick = score_book(answers, NOW, ScoreSettings(half_life=timedelta(days=90)))[0]

    # Nobody else is known who could be asked, so the last answer speaks.
    assert strict.mood is Mood.LAST_GOOD
    assert quick.evidence.total == 1 < strict.evidence.total


def test_faded_accounts_show_nothing() -> None:
    faded, alive = score_book([stars(5, account="a", days=1500), stars(5, account="b")], NOW, ScoreSettings())

    assert (faded.score, faded.mood, faded.evidence.people) == (None, Mood.TOO_FEW, 1)
    assert alive.score is not None


@settings(max_examples=30)
@given(st.lists(answers_of(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_ratings_does_not_matter(groups: list[list[AccountRating]], chance: random.Random) -> None:
    answers = [
        stars(one.value, one.contact, at=one.at, interaction=one.interaction, account=str(i))
        for i, group in enumerate(groups)
        for one in group
    ]
    ordered = book_json(score_book(answers, NOW, ScoreSettings()), NOW)
    chance.shuffle(answers)

    assert book_json(score_book(answers, NOW, ScoreSettings()), NOW) == ordered
