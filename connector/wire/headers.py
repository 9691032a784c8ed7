"""Parsers of what headers say: each takes whatever comes."""

import re
from datetime import timedelta
from typing import Final

_LONGEST_PAUSE: Final = timedelta(days=1)
"""Whoever asks for more is asked again on the next day."""
_NUMBER: Final = re.compile("[0-9]{1,9}")
"""More than anybody counts in a day, and as much as a database keeps in a column."""


def number_of(text: str | None) -> int | None:
    """Return the number that a header holds; None where it holds none."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def pause_of(text: str | None) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, a day at most; None where it does not say it in seconds."""
    seconds = number_of(text)
    return None if seconds is None else min(_LONGEST_PAUSE, timedelta(seconds=min(seconds, 86_400)))
