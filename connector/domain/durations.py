"""Spans of time as admins write them: ``0s 90s 15m 24h 7d``."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_GRAMMAR: Final = re.compile(r"([0-9]{1,10})([smhd])")
_LONGEST: Final = timedelta(days=36_500)


def parse_duration(text: str) -> timedelta:
    """Read one whole number and one unit (s, m, h, d).

    Raises ValueError for anything else, and for more than a hundred years, which date arithmetic may not survive.
    """
    match = _GRAMMAR.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a duration")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError("longer than a hundred years")
    return timedelta(seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Write it in the largest unit that leaves no rest, except that one day is ``24h``; fractions of a second are dropped."""
    seconds = int(span.total_seconds())
    if seconds == _UNITS["d"]:
        return "24h"
    for unit, size in _UNITS.items():
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return "0s"


def parse_moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, that lies so long before now (``24h``), or that people in a zone write like this: ``2026-11-12``
    (its first moment), ``2026-11-12T14:00``, or with a zone of its own.

    `ValueError`: it is none, or lies ahead.
    """
    text = text.strip()
    if text[:1].isdigit() and text[-1:] in _UNITS:
        return now - parse_duration(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no moment") from None
    try:
        moment = (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("no moment") from None
    if moment > now:
        raise ValueError("in the future")
    return moment
