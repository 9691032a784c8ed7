"""Parsers of what Salesforce's records hold: each takes whatever comes."""

from datetime import datetime
from typing import Any, Final

_LATEST_YEAR: Final = 4000
"""The last that Salesforce itself takes."""


def is_stamp(text: Any) -> bool:
    """Tell whether this is the text of an instant that a record can have been changed at."""
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return False
    return at.tzinfo is not None and 1 < at.year < _LATEST_YEAR
