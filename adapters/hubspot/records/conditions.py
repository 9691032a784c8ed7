"""Conditions: as HubSpot's search is asked them, and as they are checked here where it cannot be."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, Final

from adapters.hubspot.records.wire_values import millis, moment, to_wire
from connector.ports import Condition

Filter = dict[str, Any]
Group = list[Filter]
Where = tuple[tuple[Condition, ...], ...]
Types = Mapping[str, str]
"""The type of each property that a search may filter by."""

GROUPS: Final = 5
FILTERS_IN_A_GROUP: Final = 6
FILTERS: Final = 18
"""HubSpot's limits of one search."""
RESERVED: Final = 2
"""Filters that the place in a listing needs in each group."""

_ORDER: Final = {"<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"}
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def groups(where: Where, types: Types) -> list[Group] | None:
    """Return the conditions as groups of filters, [] for none; None when a search cannot be asked them.

    HubSpot leaves it open whether a record without a value is "not equal": so it is asked for both.
    """
    filter_groups: list[Group] = []
    for terms in where:
        if any(term.field not in types for term in terms):
            return None
        filter_groups += [list(group) for group in product(*(_alternatives(term, types[term.field]) for term in terms))]
    sizes = [len(group) + RESERVED for group in filter_groups]
    if len(filter_groups) > GROUPS or sum(sizes) > FILTERS or max(sizes, default=0) > FILTERS_IN_A_GROUP:
        return None
    return [] if any(not terms for terms in where) else filter_groups


def _alternatives(term: Condition, kind: str) -> list[Filter]:
    """Return filters of which one must hold."""
    values = [value for value in term.values if value is not None]
    empty, filled = len(values) < len(term.values), [_filter(term.field, "HAS_PROPERTY")]
    absent = _filter(term.field, "NOT_HAS_PROPERTY")
    if term.op in _ORDER:
        return [_filter(term.field, _ORDER[term.op], value=_text(values[0], kind))] if values else []
    if term.op in ("=", "in"):
        return [*_among(term.field, values, kind), *([absent] if empty else [])]
    if not values:
        return filled
    return [*_among(term.field, values, kind, negative=True), *([] if empty else [absent])]


def _among(name: str, values: Sequence[Any], kind: str, *, negative: bool = False) -> list[Filter]:
    texts = [_text(value, kind) for value in values]
    if len(texts) == 1:
        return [_filter(name, "NEQ" if negative else "EQ", value=texts[0])]
    if not texts:
        return []
    # A list of texts is compared in lower case, while a single one is compared without regard to case.
    folded = [text.lower() for text in texts] if kind == "text" else texts
    return [_filter(name, "NOT_IN" if negative else "IN", values=folded)]


def _filter(name: str, how: str, **rest: Any) -> Filter:
    return {"propertyName": name, "operator": how, **rest}


def _text(value: Any, kind: str) -> str:
    if kind == "datetime" and isinstance(value, datetime | str):
        return millis(value if isinstance(value, datetime) else moment(value))
    return to_wire(value)


# ── here ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def holds(where: Where, values: Mapping[str, Any], types: Types) -> bool:
    """Tell whether a record's values meet the conditions, compared as HubSpot compares them."""
    if not where:
        return True
    return any(
        all(_meets(term, values.get(term.field), types.get(term.field, "text")) for term in terms) for terms in where
    )


def _meets(term: Condition, field_value: Any, kind: str) -> bool:
    field_values = [
        _comparable(item, kind) for item in (field_value if isinstance(field_value, tuple) else (field_value,))
    ] or [None]
    wanted = [_comparable(value, kind) for value in term.values]
    if compare := _COMPARE.get(term.op):
        return any(item is not None and compare(item, wanted[0]) for item in field_values)
    inside = any(item in wanted for item in field_values)
    return inside if term.op in ("=", "in") else not inside


def _comparable(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    try:
        if kind == "number":
            return float(value)
        if kind == "datetime":
            return value if isinstance(value, datetime) else moment(str(value))
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return to_wire(value).casefold() if isinstance(value, str | bool | int | datetime) else str(value).casefold()
