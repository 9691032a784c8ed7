"""Time zones of people, in whatever form a CRM holds them, and the company's where it holds none that can be read."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from connector.domain.working_time import WorkingTime
from connector.model import Owner
from connector.settings import Settings

_PARTS: Final = re.compile(r"[()]")
_SUMMER: Final = re.compile(r" (daylight|summer) time$")


@lru_cache(maxsize=4096)
def find_zone(text: str) -> ZoneInfo | None:
    """Return the zone that a text names, or None.

    Read are IANA names in any case and with blanks (``europe/helsinki``), as option names that spell their slash
    (``america_slash_new_york``), in the brackets of a label, and the names that Windows has (``FLE Standard Time``).
    """
    for part in (text, *_PARTS.split(text)):
        # In brackets "GMT" or "EST" says how far a place is from there in winter, and not that it has no summer time.
        known = _known().get(_folded(part)) if part == text or "/" in part else None
        name = known or _windows().get(_SUMMER.sub(" standard time", _spaced(part)))
        if name is not None:
            return ZoneInfo(name)
    return None


def first_zone(names: Iterable[object], otherwise: ZoneInfo) -> ZoneInfo:
    """Return the zone of the first name that can be read as one."""
    zones = (find_zone(name) for name in names if isinstance(name, str))
    return next((zone for zone in zones if zone is not None), otherwise)


def owner_zone(owner: Owner | None, settings: Settings) -> ZoneInfo:
    """Return the zone in which a CRM user reads days and times: their own, or else the company's."""
    return first_zone((owner.timezone if owner is not None else None,), settings.company.timezone)


def owner_hours(owner: Owner | None, settings: Settings) -> WorkingTime:
    """Return when a CRM user is at work: in the company's hours, by their own clocks."""
    return replace(settings.company.working_time, tz=owner_zone(owner, settings))


def day_begins(at: datetime, settings: Settings) -> datetime:
    """Return the first moment of the installation's day at `at` (aware), in UTC."""
    zone = settings.schedule.timezone
    return _midnight(at.astimezone(zone).date(), zone)


def next_day_begins(at: datetime, settings: Settings) -> datetime:
    """Return the first moment of the installation's day after `at` (aware), in UTC."""
    zone = settings.schedule.timezone
    return _midnight(at.astimezone(zone).date() + timedelta(days=1), zone)


def day_ends(at: datetime, zone: tzinfo) -> datetime:
    """Return the last second of the day that people in `zone` have at `at` (aware), in UTC."""
    return _midnight(at.astimezone(zone).date() + timedelta(days=1), zone) - timedelta(seconds=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _spaced(text: str) -> str:
    return " ".join(text.lower().split())


def _folded(text: str) -> str:
    return _spaced(text).replace("_slash_", "/").replace("\\", "/").replace(" / ", "/").replace(" ", "_")


@cache
def _known() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@cache
def _windows() -> dict[str, str]:
    """Windows names in small letters, each with the zone that CLDR gives for it anywhere."""
    from babel.core import get_global

    return {name.lower(): zone for name, zone in get_global("windows_zone_mapping").items()}
