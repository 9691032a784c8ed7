"""The examples in the documentation are what the program says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from scoring_examples import stars

from connector.app.adapter_packages import installed_adapters
from connector.commands.score_file import parse_ratings
from connector.model import Mood
from connector.scoring.all_accounts import AccountResult, ScoreSettings, score_book
from connector.scoring.evidence import AccountRating, account_evidence
from connector.scoring.scales import CES, CSAT, NPS, Band, band
from connector.scoring.shrinkage import METHOD, fit_prior
from connector.settings import Settings, load
from connector.stages.score.plan import figures, mood_rule
from connector.stages.write_back.desired_values import figure_fields

PAGE = (Path(__file__).parents[3] / "docs" / "scoring.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


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
    assert f"as a whole lie around {prior.mean:.1f}" in TEXT
    assert f'"above 60" has a probability of {100 * arvo.probability_above(60):.0f} %' in TEXT
    assert f"`{METHOD}`" in PAGE


# ── the plain cases ──────────────────────────────────────────────────────────────────────────────────────────────────

TODAY = datetime(2026, 11, 22, tzinfo=UTC)
SCALES = {CSAT: (1, 5), CES: (1, 7), NPS: (0, 10)}
HEAD = "| answers | can be asked | satisfaction | likely range | on the record | mood |"


def table(head: str) -> list[list[str]]:
    """The rows of the table of the page that has this head, cell by cell."""
    lines = PAGE.partition(f"{head}\n")[2].splitlines()[1:]
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def answers_in(cell: str) -> Iterator[AccountRating]:
    """The ratings that a cell of the table tells: ``5, 3 · nps 9 · 4 (400 days ago)``."""
    for number, person in enumerate(cell.split(" · ")):
        for place, words in enumerate(person.split(", ")):
            told = re.fullmatch(r"(?:(nps|ces) )?(\d+)(?: \((\d+) days ago\))?", words)
            assert told, words
            metric, days = told[1] or CSAT, int(told[3] or 30 * place)
            low, high = SCALES[metric]
            yield stars(int(told[2]), f"p{number}", days=days, metric=metric, low=low, high=high)


@pytest.fixture
def defaults(tmp_path: Path) -> Settings:
    """The settings of an admin who wrote none about scoring."""
    path = tmp_path / "config.toml"
    path.write_text('[crm.hub]\nadapter = "hubspot"\naccess_token = "x"\n', encoding="utf-8")
    return load(path, environ={}, adapters=installed_adapters())


def book_row(cells: list[str], settings: Settings) -> list[str]:
    """The row as the program has it, for the answers of this one and the people who can be asked."""
    answers, askable = [*answers_in(cells[0])], int(cells[1])
    prior = fit_prior([account_evidence("acme", answers, TODAY, settings.scoring.half_life)])
    (alone,) = score_book(answers, TODAY, ScoreSettings())
    published = figures(answers, prior, settings, TODAY, askable=min(askable, settings.scoring.minimum))
    shown = figure_fields(published, ZoneInfo("UTC"))
    assert alone.score is not None
    number = "empty" if shown["satisfaction"] is None else str(shown["satisfaction"])
    score = alone.score
    return [cells[0], cells[1], f"{score.score:.0f}", f"{score.low:.0f}–{score.high:.0f}", number, shown["mood"]]


@pytest.mark.parametrize("cells", table(HEAD), ids=lambda cells: f"{cells[0]} of {cells[1]}")
def test_the_plain_cases_come_out_as_the_page_says(cells: list[str], defaults: Settings) -> None:
    assert book_row(cells, defaults) == cells


def test_the_plain_cases_are_those_that_everybody_has_an_opinion_about() -> None:
    books = {(cells[0], cells[5]) for cells in table(HEAD)}
    assert {mood for _, mood in books} == {mood.value for mood in Mood}
    assert {
        ("4 · 4 · 4 · 4 · 4", "Happy"),
        ("2 · 2 · 2", "Unhappy"),
        ("1", "Last answer bad"),
        ("1", "Too few answers"),
    } <= books


def test_what_the_command_goes_by_are_the_defaults_of_config(defaults: Settings) -> None:
    assert ScoreSettings() == ScoreSettings(defaults.scoring.half_life, mood_rule(defaults))


def test_the_bands_are_as_the_page_says() -> None:
    told = {cells[0].partition(",")[0].lower(): cells[1:] for cells in table("| asked for | good | ok | bad |")}
    for metric, (low, high) in SCALES.items():
        steps = range(low, high + 1)
        for expected, cell in zip((Band.GOOD, Band.OK, Band.BAD), told[metric], strict=True):
            found = [step for step in steps if band(stars(step, metric=metric, low=low, high=high)) is expected]
            ends = f"{found[0]} to {found[-1]}"
            assert cell in (", ".join(map(str, found)), ends)
