"""Text that people read is cut between characters as they see them, wherever it is cut."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OWN: Final = {"sandbox", "memory", "migrations"}
"""Folders without words of others, or whose words nobody reads."""
READ: Final = re.compile(
    r"\b(comment|reason|note|subject|name|label|text|cell|words|said|told|title|what|message|detail)\b[^\n=]*\)?\[:\s*(_?LONGEST|\d{2})"
)
AT_A_LENGTH: Final = re.compile(r"\[:\s*(_?[A-Z][A-Z_]+|\d{3,}|[2-9]\d|\w+ - 1)\s*\]")
"""Ids of Salesforce have 15 or 18 letters; whatever is cut at another length is text."""


def slices(folder: str, pattern: re.Pattern[str]) -> Iterator[str]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if OWN.isdisjoint(path.parts):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if pattern.search(line) and "digest" not in line:
                    yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_no_module_slices_text_of_others() -> None:
    assert list(slices("connector", READ)) == []


def test_no_adapter_slices_text_of_others() -> None:
    assert list(slices("adapters", AT_A_LENGTH)) == []
