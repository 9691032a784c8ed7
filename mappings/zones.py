"""Time zones as users have them in a CRM."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from mappings.converters import read_text


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def read_zone(value: Any) -> str | None:
    """Return the IANA name as it is spelt there; None for what is none."""
    name = read_text(value)
    return _zones().get(name.lower().replace(" ", "_")) if name else None
