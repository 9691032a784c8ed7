"""Text that people read is cut between characters as they see them, wherever it is cut."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2] / "connector"
READ: Final = re.compile(
    r"\b(comment|reason|note|subject|name|label|text|cell|words|said|told|title)\b[^\n=]*\)?\[:\s*(_?LONGEST|\d{2})"
)


def test_no_module_slices_text_of_others() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.py"))
        if "migrations" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if READ.search(line) and "digest" not in line
    ]
    assert found == []
