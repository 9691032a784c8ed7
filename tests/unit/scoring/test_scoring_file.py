"""A file of ratings is read as admins write it, and every row that cannot be used is named with what to do."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.commands.score_file import parse_ratings, read_ratings
from connector.errors import AfterwordError
from connector.scoring.all_accounts import ScoreSettings, score_book
from connector.scoring.evidence import AccountRating

HEADER = "account,contact,metric,value,low,high,direction,at"
GOOD = "Acme,maria@acme.example,csat,4,1,5,up,2026-11-12T09:30:00Z"


def parse(*rows: str, header: str = HEADER) -> tuple[AccountRating, ...]:
    found = parse_ratings("\n".join([header, *rows]), name="ratings.csv")
    assert found.problems == ()
    return found.answers


def test_a_row_becomes_an_answer() -> None:
    assert parse(GOOD) == (
        AccountRating(
            account="Acme",
            contact="maria@acme.example",
            metric="csat",
            value=4,
            low=1,
            high=5,
            direction="up",
            at=datetime(2026, 11, 12, 9, 30, tzinfo=UTC),
        ),
    )


def test_a_file_as_excel_saves_it_in_europe(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(
        "At;Account;Contact;Metric;Value;Low;High;Direction\r\n2026-11-12;Ääni Oy;;CSAT;4,5;0,5;5;Up\r\n",
        encoding="utf-8-sig",
    )

    (answer,) = read_ratings(path).answers

    assert (answer.account, answer.contact, answer.metric, answer.value, answer.low) == (
        "Ääni Oy",
        None,
        "csat",
        4.5,
        0.5,
    )
    assert answer.at == datetime(2026, 11, 12, tzinfo=UTC)


def test_times_are_utc_unless_they_say_otherwise() -> None:
    times = ["2026-11-12", "2026-11-12 09:30", "2026-11-12T09:30:00+02:00"]
    answers = parse(*(GOOD.replace("2026-11-12T09:30:00Z", at) for at in times))

    assert [one.at.isoformat() for one in answers] == [
        "2026-11-12T00:00:00+00:00",
        "2026-11-12T09:30:00+00:00",
        "2026-11-12T07:30:00+00:00",
    ]


def test_an_address_in_other_letters_is_the_same_person() -> None:
    first, second = parse(GOOD, GOOD.replace("maria@acme", "Maria@ACME"))

    assert first.contact == second.contact


def test_extra_columns_and_blank_lines_do_no_harm() -> None:
    assert parse("", GOOD + ",note", "  ,,", header=HEADER + ",remark") == parse(GOOD)


def test_a_blank_value_is_an_account_that_did_not_answer() -> None:
    found = parse_ratings(f"{HEADER}\n{GOOD}\nBolt,,csat,,1,5,up,2026-11-12\n", name="ratings.csv")

    assert found.accounts == ("Acme", "Bolt")
    assert [one.account for one in found.answers] == ["Acme"]
    assert found.problems == ()


def test_zero_is_an_answer() -> None:
    (answer,) = parse("Acme,jan,nps,0,0,10,up,2026-11-12")

    assert answer.value == 0


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (",maria,csat,4,1,5,up,2026-11-12", "account", "nothing is written"),
        ("Acme,maria,,4,1,5,up,2026-11-12", "metric", "nothing is written"),
        ("Acme,maria,csat,good,1,5,up,2026-11-12", "value", '"good" is not a number'),
        ("Acme,maria,csat,nan,1,5,up,2026-11-12", "value", '"nan" is not a number'),
        ("Acme,maria,csat,6,1,5,up,2026-11-12", "value", "not on the scale from 1 to 5"),
        ("Acme,maria,csat,4,,5,up,2026-11-12", "low", "nothing is written"),
        ("Acme,maria,csat,4,5,1,up,2026-11-12", "low", "cannot go from 5 to 1"),
        ("Acme,maria,csat,4,1,5,,2026-11-12", "direction", "not a direction"),
        ("Acme,maria,csat,4,1,5,up,yesterday", "at", '"yesterday" is not a time'),
        ("Acme,maria,csat,4,1,5,up", "at", "nothing is written"),
        ("Acme,maria,nps,9,1,10,up,2026-11-12", "metric", "NPS is not asked from 1 to 10"),
        ("Acme,maria,nps,7.5,0,10,up,2026-11-12", "value", "7.5 is no answer to NPS"),
        ("Acme,maria,csat,4,5,1,5,up,2026-11-12", "row", "9 cells where the first line names 8"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_stops_no_other(row: str, field: str, words: str) -> None:
    found = parse_ratings(f"{HEADER}\n{GOOD}\n{row}\n{GOOD}\n", name="ratings.csv")

    (problem,) = found.problems
    assert problem.where == f"ratings.csv: line 3, {field}"
    assert words in problem.what
    assert problem.remedy
    assert len(found.answers) == 2


@pytest.mark.parametrize(("low", "high", "direction"), [("-1e308", "1e308", "up"), ("1e308", "1.5e308", "down")])
def test_a_scale_too_wide_to_reckon_with_is_named_and_spoils_no_other_account(
    low: str, high: str, direction: str
) -> None:
    wide = f"Beta,,effort,{high},{low},{high},{direction},2026-11-12"
    found = parse_ratings("\n".join([HEADER, GOOD, wide]), name="ratings.csv")
    (problem,) = found.problems
    assert (problem.where, "too far apart" in problem.what) == ("ratings.csv: line 3, low", True)
    (result,) = score_book(found.answers, datetime(2026, 11, 22, tzinfo=UTC), ScoreSettings())
    assert result.score is not None
    assert math.isfinite(result.score.score)


def test_line_numbers_are_those_of_the_file() -> None:
    found = parse_ratings(f"{HEADER}\n\n{GOOD}\n\nAcme,jan,csat,9,1,5,up,2026-11-12\n", name="r.csv")

    assert [problem.where for problem in found.problems] == ["r.csv: line 5, value"]


def test_a_quotation_mark_never_swallows_rows_in_silence() -> None:
    closed_later = parse_ratings(f'{HEADER}\n"Acme,x\n{GOOD}\nBolt",y,csat,4,1,5,up,2026-11-12\n', name="r.csv")
    assert [problem.where for problem in closed_later.problems] == ["r.csv: line 2, row"]

    with pytest.raises(AfterwordError, match="not proper CSV") as refused:
        parse_ratings(f'{HEADER}\n"Acme,x\n{GOOD}\n', name="r.csv")
    assert "quotation mark" in refused.value.remedy


@pytest.mark.parametrize("text", ["", "account,contact\n", "4\n5\n"])
def test_a_file_without_the_columns_is_refused(text: str) -> None:
    with pytest.raises(AfterwordError, match="no column") as refused:
        parse_ratings(text, name="r.csv")
    assert HEADER in refused.value.remedy


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(AfterwordError, match="more than one column value"):
        parse_ratings(f"{HEADER},Value\n{GOOD},5\n", name="r.csv")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(AfterwordError, match="No such file"):
        read_ratings(tmp_path / "missing.csv")

    latin = tmp_path / "latin.csv"
    latin.write_bytes("Ääni".encode("latin-1"))
    with pytest.raises(AfterwordError, match="not UTF-8"):
        read_ratings(latin)
