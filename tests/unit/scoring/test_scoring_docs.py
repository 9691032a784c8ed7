"""The example in the documentation is what the program says."""

import re
from datetime import UTC, datetime
from pathlib import Path

from connector.scoring.account_model import METHOD, fit_prior
from connector.scoring.book import AccountResult, ScoreSettings, score_book
from connector.scoring_file import parse_ratings

PAGE = (Path(__file__).parents[3] / "docs" / "scoring.md").read_text(encoding="utf-8")


def example() -> list[AccountResult]:
    block = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert block
    ratings = parse_ratings(block[1], name="ratings.csv")
    assert ratings.problems == ()
    return score_book(ratings.answers, datetime(2026, 11, 22, tzinfo=UTC), ScoreSettings())


def row(result: AccountResult) -> str:
    found = result.score
    assert found is not None
    return (
        f"| {result.account} | {found.people} | {found.answers} | {found.evidence:.1f} | {found.raw_mean:.1f} "
        f"| {found.own_share:.0%} | {found.score:.1f} | {found.low:.1f}–{found.high:.1f} | {result.mood.value} |"
    ).replace("%", " %")


def test_the_table_of_the_example_is_computed() -> None:
    rows = [row(result) for result in example()]

    assert len(rows) == 4
    assert "\n".join(rows) in PAGE


def test_the_numbers_in_the_text_are_computed() -> None:
    results = example()
    arvo = results[0].score
    prior = fit_prior(result.evidence for result in results)

    assert arvo is not None
    assert f"as a whole lie around {prior.mean:.1f}" in PAGE
    assert f'"above 70" has a\nprobability of {100 * arvo.probability_above(70):.0f} %' in PAGE
    assert f"`{METHOD}`" in PAGE
