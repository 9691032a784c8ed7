"""How many properties of its own an account may have: by object, and in all."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import FIELD_LIMITS
from connector.errors import CrmError, NotPermitted, RecordRejected, SchemaChanged
from connector.ports import FieldLimit

_TYPES: Final[Mapping[str, str]] = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "tasks": "0-27",
    "meetings": "0-47",
    "calls": "0-48",
}
"""What HubSpot calls its own objects in such lists; those that an account has made have their id for a name."""
_FULL: Final = re.compile(r"limit.*propert|propert.*limit|maximum.*propert", re.IGNORECASE)


def limits(client: HubSpotClient, objects: Sequence[str]) -> list[FieldLimit]:
    """Return the limits that hold for these objects; none where HubSpot does not tell us, which making a property then does."""
    try:
        data = client.read(FIELD_LIMITS, call="limits of properties").data
    except (NotPermitted, RecordRejected, SchemaChanged):
        return []
    except CrmError as error:
        if error.permanent:  # an account whose API does not have it
            return []
        raise
    rows = {str(row.get("objectTypeId")): row for row in data.get("byObjectType") or () if isinstance(row, Mapping)}
    field_limits = [_limit((name,), rows.get(_TYPES.get(name, name)), "limit", "usage") for name in objects]
    field_limits.append(_limit(tuple(objects), data, "overallLimit", "overallUsage"))
    return [limit for limit in field_limits if limit is not None]


def is_full(error: RecordRejected) -> bool:
    """Tell whether a property was refused because there are too many."""
    return "LIMIT" in error.code.upper() or _FULL.search(error.what) is not None


def _limit(objects: tuple[str, ...], row: Mapping[str, Any] | None, most: str, used: str) -> FieldLimit | None:
    if row is None or not isinstance(row.get(most), int) or not isinstance(row.get(used), int):
        return None
    return FieldLimit(objects, row[most], row[used])
