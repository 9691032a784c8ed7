"""A file of ratings: CSV in, rated answers and every row that cannot be used out."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from connector.errors import AfterwordError, MappingError, Problem
from connector.scoring.evidence import AccountRating
from connector.scoring.scales import Direction

COLUMNS = ("account", "contact", "metric", "value", "low", "high", "direction", "at")


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """What a file holds. `accounts` are all that it names, also those whose values are blank (nobody answered)."""

    answers: tuple[AccountRating, ...]
    accounts: tuple[str, ...]
    problems: tuple[Problem, ...]
    """One for each row that was left out, with its line number."""


def read_ratings(path: Path) -> RatingsFile:
    """Read a CSV file of ratings: UTF-8, a header row, separated by commas, semicolons or tabs.

    A blank value means that nobody answered, a blank contact that nobody knows who did. Raises AfterwordError when the
    file cannot be read at all or lacks a column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AfterwordError(
            f"the file is not UTF-8 text (byte {error.start}).", where=str(path), remedy="Save it as CSV UTF-8."
        ) from error
    except OSError as error:
        raise AfterwordError(
            f"the file cannot be read: {error.strerror}.", where=str(path), remedy="Check its path and its permissions."
        ) from error
    return parse_ratings(text, name=path.name)


def parse_ratings(text: str, *, name: str) -> RatingsFile:
    """The ratings in the text of a CSV file, which problems call by this name. Raises AfterwordError without a column."""
    answers: list[AccountRating] = []
    accounts: dict[str, None] = {}
    problems: list[Problem] = []
    for line, cells in _lines(text, name):
        try:
            row = _by_column(cells)
            answer = _answer(row)
        except MappingError as error:
            problems.append(Problem(f"{name}: line {line}, {error.field}", error.what, error.remedy))
            continue
        accounts[row["account"]] = None
        if answer is not None:
            answers.append(answer)
    return RatingsFile(tuple(answers), tuple(accounts), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Cells:
    header: tuple[str, ...]
    cells: tuple[str, ...]


def _lines(text: str, name: str) -> Iterator[tuple[int, _Cells]]:
    """Every row that is not empty, with the number of its first line."""
    # Strict: an unclosed quotation mark would otherwise swallow the rest of the file without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = _header(next(reader, []), name)
        line = reader.line_num + 1
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                yield line, _Cells(header, stripped)
            line = reader.line_num + 1
    except csv.Error as error:
        raise AfterwordError(
            f"the file is not proper CSV: {error}.",
            where=f"{name}: line {reader.line_num}",
            remedy="Look for a quotation mark that is not closed.",
        ) from error


def _header(cells: list[str], name: str) -> tuple[str, ...]:
    header = tuple(cell.strip().lower() for cell in cells)
    missing = [column for column in COLUMNS if column not in header]
    doubled = [column for column in COLUMNS if header.count(column) > 1]
    if not missing and not doubled:
        return header
    what = f"has no column {', '.join(missing)}" if missing else f"has more than one column {', '.join(doubled)}"
    raise AfterwordError(
        f"the file {what}.",
        where=f"{name}: line 1",
        remedy=f"Name each of these columns once in the first line: {','.join(COLUMNS)}.",
    )


def _by_column(row: _Cells) -> dict[str, str]:
    """The cells by column name, those left off at the end blank. Raises MappingError when cells and columns do not match."""
    extra = len(row.cells) - len(row.header)
    if extra > 0 or any("\n" in cell for cell in row.cells):
        raise MappingError(
            f"this row has {len(row.cells)} cells where the first line names {len(row.header)} columns.",
            field="row",
            value=row.cells,
            remedy='Put cells that hold a comma in quotation marks ("4,5"), and close every quotation mark on its line.',
        )
    return dict(zip(row.header, row.cells + ("",) * -extra, strict=True))


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _answer(row: Mapping[str, str]) -> AccountRating | None:
    """The row's answer, None when its value is blank. Raises MappingError."""
    account, metric = _filled(row, "account"), _filled(row, "metric").lower()
    low, high = _number(row, "low"), _number(row, "high")
    at = _time(row)
    if not row["value"]:
        return None
    return AccountRating(
        account=account,
        contact=_contact(row["contact"]),
        metric=metric,
        value=_number(row, "value"),
        low=low,
        high=high,
        # Any other word is refused by the scale itself.
        direction=cast(Direction, row["direction"].lower()),
        at=at,
    )


def _contact(text: str) -> str | None:
    """Who answered; the same address in other letters is the same person."""
    return (text.casefold() if "@" in text else text) or None


def _filled(row: Mapping[str, str], column: str) -> str:
    if row[column]:
        return row[column]
    raise MappingError("nothing is written here.", field=column, value="", remedy=f"Fill in the {column} of this row.")


def _number(row: Mapping[str, str], column: str) -> float:
    text = _filled(row, column)
    # 4,5 is how most of Europe writes 4.5; whoever groups thousands has no rating scale.
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    raise MappingError(
        f'"{row[column]}" is not a number.', field=column, value=row[column], remedy="Write a number such as 4 or 4.5."
    )


def _time(row: Mapping[str, str]) -> datetime:
    """The time of the answer; without a zone it is read as UTC."""
    text = _filled(row, "at")
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MappingError(
            f'"{text}" is not a time.',
            field="at",
            value=text,
            remedy="Write it as 2026-11-22 or 2026-11-22T14:30:00Z.",
        ) from error
