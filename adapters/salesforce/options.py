"""The values of a picklist, in the form that Salesforce's metadata has for them."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

Metadata = Mapping[str, Any]
_NAMES = ("valueName", "fullName")
"""What a value's API name is called: Salesforce takes either, and shows one of them."""


def listed(metadata: Metadata) -> frozenset[str]:
    """Return the API names of all values, those that an admin has switched off too."""
    return frozenset(str(row[key]) for row in _rows(metadata) for key in _NAMES if row.get(key))


def with_options(metadata: Metadata, options: Sequence[str]) -> dict[str, Any] | None:
    """Return the definition with these values behind the others, and nothing else changed; None where it has all of them.

    What is written replaces the definition. One whose values are kept elsewhere (a global value set) is not ours to change: None too.
    """
    definition = (metadata.get("valueSet") or {}).get("valueSetDefinition")
    absent = [option for option in options if option not in listed(metadata)]
    if not definition or not absent:
        return None
    changed = copy.deepcopy(dict(metadata))
    rows = changed["valueSet"]["valueSetDefinition"]["value"]
    key = next((key for row in rows for key in _NAMES if row.get(key)), "fullName")
    rows += [{key: option, "label": option, "default": False} for option in absent]
    return changed


def _rows(metadata: Metadata) -> Sequence[Mapping[str, Any]]:
    definition = (metadata.get("valueSet") or {}).get("valueSetDefinition") or {}
    rows = definition.get("value")
    return rows if isinstance(rows, list) else ()
