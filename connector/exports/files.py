"""Tables as files. Text of customers is data there: no cell of it becomes a formula or a link."""

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from connector.domain.text_cutting import cut
from connector.errors import Problem, SettingsError
from connector.exports.tables import Cell, Sheet
from connector.model import visible

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_BEFORE_A_FORMULA: Final = re.compile(r"""(?<![\s"])[\s"]*(?=[-=+@\uff1d\uff0b\uff0d\uff20])""")
"""The blanks and quotes before that by which a formula may begin in a field of a .csv file, from the first one on, so that a long run
of them is looked at once: https://owasp.org/www-community/attacks/CSV_Injection

Where numbers have a decimal comma, Excel separates cells by ";", and pays no heed to quotes within one: what follows a separator or a
line end in somebody's words begins a cell there."""
_LONGEST_CELL: Final = 32_767
"""Characters that a cell of Excel holds; more, and the whole file counts as damaged."""
_MOST_ROWS: Final = 1_048_576
"""Rows that a sheet of Excel holds, its head included."""


def write_file(path: Path, sheet: Sheet, tz: ZoneInfo) -> int:
    """Write a table as its name ends, .csv or .xlsx, in one step; returns the number of rows.

    A file that is there is replaced when the new one is complete. Raises `SettingsError` for another ending or a place that cannot be
    written.
    """
    writers: dict[str, Callable[[Path, Sheet, ZoneInfo], int]] = {".csv": write_csv, ".xlsx": _write_one}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise SettingsError(
            [Problem(str(path), "ends neither in .csv nor in .xlsx.", "Name the file OUT.csv or OUT.xlsx.")]
        )
    with _replaced(path) as unfinished:
        return write(unfinished, sheet, tz)


def write_csv(path: Path, sheet: Sheet, tz: ZoneInfo) -> int:
    """Write a table as RFC 4180 asks for, in UTF-8 with the mark by which spreadsheets know it. Times have their offset."""
    rows = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.key for column in sheet.columns])
        for cells in sheet.cells():
            writer.writerow([_csv_cell(cell, tz) for cell in cells])
            rows += 1
    return rows


def write_workbook(path: Path, sheets: Sequence[Sheet], tz: tzinfo) -> int:
    """Write tables as the sheets of an .xlsx file, row by row; returns the number of all rows.

    Times are those of `tz`, since Excel knows no zones. Rows that a sheet has no place for are left out, and its last row says so.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), options) as book:
        formats = {"head": book.add_format({"bold": True}), "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"})}
        return sum(_write_sheet(book.add_worksheet(sheet.title), sheet, tz, formats) for sheet in sheets)


def _write_one(path: Path, sheet: Sheet, tz: ZoneInfo) -> int:
    return write_workbook(path, [sheet], tz)


def _write_sheet(page: "Worksheet", sheet: Sheet, tz: tzinfo, formats: Mapping[str, "Format"]) -> int:
    page.freeze_panes(1, 0)
    for number, column in enumerate(sheet.columns):
        page.set_column(number, number, column.width)
        page.write_string(0, number, column.title, formats["head"])
    row = 0
    for cells in sheet.cells():
        row += 1
        if row == _MOST_ROWS - 1:
            page.write_string(
                row, 0, "There are more rows than a sheet holds: export a shorter period, or a .csv file."
            )
            break
        for number, cell in enumerate(cells):
            _write_cell(page, (row, number), cell, tz=tz, time_format=formats["time"])
    return row


def _write_cell(page: "Worksheet", place: tuple[int, int], cell: Cell, *, tz: tzinfo, time_format: "Format") -> None:
    match cell:
        case None:
            return
        case bool():
            page.write_boolean(*place, cell)
        case datetime():
            page.write_datetime(*place, cell.astimezone(tz).replace(tzinfo=None), time_format)
        case int() | float():
            page.write_number(*place, cell)
        case _:
            page.write_string(*place, cut(cell, _LONGEST_CELL))


def _csv_cell(cell: Cell, tz: tzinfo) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return cell.astimezone(tz).isoformat(timespec="minutes")
        case int() | float():
            return f"{cell:g}" if isinstance(cell, float) else str(cell)
        case _:
            return _as_words(cell)


def _as_words(text: str) -> str:
    """Return text that no spreadsheet reads as a formula, whatever it separates cells by, and no terminal as a command."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _BEFORE_A_FORMULA.sub(_quoted_where_cells_begin, visible(lines))
    return f"'{text}" if text.startswith(("\t", "\n")) else text


def _quoted_where_cells_begin(blanks: re.Match[str]) -> str:
    quoted = re.sub(r"(?<=[\t\n])", "'", blanks[0])
    begins_a_cell = blanks.start() == 0 or blanks.string[blanks.start() - 1] == ";"
    return f"'{quoted}" if begins_a_cell else quoted


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Hand out a file beside the path that takes its place when all went well.

    Only this user may read it: it holds customers' words.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except OSError as error:
        raise _unwritable(path, error) from error
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> SettingsError:
    reason = error.strerror or type(error).__name__
    return SettingsError(
        [Problem(str(path), f"cannot be written: {reason}.", "Name a file in a folder that you may write.")]
    )
