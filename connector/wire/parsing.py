"""Parsers of answers of other machines: each accepts any input."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

_FARTHEST: Final = timedelta(days=366)
"""The time of a clock that is further from ours than this is ignored."""
_MOST_DIGITS: Final = 4_000


def parsed(body: bytes | str) -> Any:
    """Return what an answer says. `ValueError`: it is no JSON, or more deeply nested than anybody can have meant.

    A number that none can be (too many digits, NaN, Infinity) comes as its text: only its own record is at fault.
    """
    try:
        return json.loads(body, parse_constant=str)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError:
        return json.loads(body, parse_constant=str, parse_int=_whole_number)


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def time_of(stamp: str | None, now: datetime) -> datetime | None:
    """Return the time of a Date header; None where it has none, or an impossible one."""
    try:
        moment = parsedate_to_datetime(stamp or "").astimezone(UTC)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return moment if abs(moment - now) <= _FARTHEST else None
