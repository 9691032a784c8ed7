"""CSV as the Bulk API reads and writes it: every cell quoted, null and empty the same, `#N/A` to empty a field."""

import base64
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.salesforce.errors import RequestError, RowError
from adapters.sandbox.salesforce.org.schema import NUMBER_TYPES, Field

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
NULL = "#N/A"
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")
# From here on Java writes doubles with an exponent.
_EXPONENT_FROM = 1e7


class UnreadableUpload(Exception):
    """The upload cannot be read at all: the job fails with this message."""


@dataclass(frozen=True)
class UploadedTable:
    """An uploaded table."""

    header: list[str]
    rows: list[list[str]]


def read(content: bytes, delimiter: str, line_ending: str) -> UploadedTable:
    """The uploaded rows; raises Unreadable for the wrong line ending, no header, or a row of another width."""
    text = content.decode("utf-8", "replace")
    first = text.partition("\n")[0]
    if first.endswith("\r") is not (line_ending == "CRLF") and "\n" in text:
        words = f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        raise UnreadableUpload(words)
    header, *rows = [
        row for row in csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter]) if row
    ] or [[]]
    if not header:
        raise UnreadableUpload("InvalidBatch : Failed to parse CSV header")
    if any(len(row) != len(header) for row in rows):
        raise UnreadableUpload("ClientInputError : CSV parsing error: the number of cells differs from the header")
    return UploadedTable(header, rows)


def write(header: list[str], rows: Iterable[list[str]], delimiter: str, line_ending: str) -> bytes:
    """A table as the API sends it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=DELIMITERS[delimiter], lineterminator=LINE_ENDINGS[line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def cell(spec: Field, value: Any) -> str:
    """One value as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if spec.type == "datetime":
        return f"{value[:19]}.000Z"
    return _double(value) if isinstance(value, float) else str(value)


def _double(value: float) -> str:
    if abs(value) < _EXPONENT_FROM:
        return repr(value)
    digits, _, exponent = f"{value:.15e}".partition("e")
    digits = digits.rstrip("0")
    return f"{digits}0E{int(exponent)}" if digits.endswith(".") else f"{digits}E{int(exponent)}"


def typed(spec: Field, text: str) -> Any:
    """A cell as the JSON value it stands for; raises RowError for what the type cannot be."""
    if text == NULL:
        return None
    if spec.type == "boolean":
        if text.lower() not in {"true", "false", "1", "0"}:
            raise _wrong(spec, text)
        return text.lower() in {"true", "1"}
    if spec.type in NUMBER_TYPES:
        if not _NUMBER.match(text):
            raise _wrong(spec, text)
        return int(float(text)) if spec.type == "int" else float(text)
    return text


def _wrong(spec: Field, text: str) -> RowError:
    words = f"{spec.label}: value not of required type: {text}"
    return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", words, [spec.name])


def error_text(error: RowError) -> str:
    """A refusal as the result table writes it."""
    return f"{error.code}:{error.message}:{''.join(f'{name} ' for name in error.fields)}--"


def locator(position: int) -> str:
    """The name of the place where the next part of the results begins."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def position(text: str) -> int:
    """The place behind a locator; raises RequestError for one that was never given."""
    if text in {"", "null"}:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise RequestError("INVALID_QUERY_LOCATOR", "invalid query locator") from None
