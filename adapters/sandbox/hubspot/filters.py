"""The filters of a search: each can mark the matching places of a table at once, and judge a single record."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.sandbox.hubspot.errors import HubSpotError, bad_request, required
from adapters.sandbox.hubspot.portal.property_values import as_number
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, Property
from adapters.sandbox.hubspot.portal.store import Floats, Mask, PortalRecord, PortalTable, Reader

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.portal.portal import Portal

MOST_GROUPS, MOST_IN_GROUP, MOST_FILTERS = 5, 6, 18
OPERATORS = frozenset(
    [
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ]
)
_NUMERIC = frozenset({"number", "date", "datetime"})
_ASSOCIATED = "associations."
_COMPARISONS: Mapping[str, Callable[[Any, float], Any]] = {
    "EQ": lambda value, limit: value == limit,
    "LT": lambda value, limit: value < limit,
    "LTE": lambda value, limit: value <= limit,
    "GT": lambda value, limit: value > limit,
    "GTE": lambda value, limit: value >= limit,
}


@dataclass(frozen=True)
class SearchFilter:
    """One filter. `test` judges a record; `mask` marks all matching places at once, where that is possible."""

    test: Callable[[PortalRecord], bool]
    mask: Callable[[PortalTable], Mask] | None = None


@dataclass(frozen=True)
class SentFilter:
    """A filter as it was sent, its values as text."""

    name: str
    operator: str
    value: str = ""
    high: str = ""
    values: tuple[str, ...] = ()


Groups = list[list[SearchFilter]]


def compile_groups(portal: "Portal", object_type: PortalObjectType, groups: Sequence[Mapping[str, Any]]) -> Groups:
    """The filter groups of a search body: any group may match, within it all filters; raises HubSpotError."""
    listed = [group.get("filters", []) for group in groups]
    if len(listed) > MOST_GROUPS:
        raise HubSpotError(f"At most {MOST_GROUPS} filterGroups are allowed, found {len(listed)}.")
    if any(len(filters) > MOST_IN_GROUP for filters in listed):
        raise HubSpotError(f"At most {MOST_IN_GROUP} filters are allowed in a filterGroup.")
    if sum(len(filters) for filters in listed) > MOST_FILTERS:
        raise HubSpotError(f"At most {MOST_FILTERS} filters are allowed in a search.")
    return [[_condition(portal, object_type, _sent_filter(sent)) for sent in filters] for filters in listed]


def number_reader(portal: "Portal", object_type: PortalObjectType, spec: Property) -> Reader:
    """How to read a numeric or time property as a number."""
    if spec.name == "hs_object_id":
        return lambda record: float(record.id)
    if spec.name == object_type.modified:
        return lambda record: float(record.modified)
    if spec.name == object_type.created:
        return lambda record: float(record.created)
    return lambda record: as_number(spec, portal.records.value(object_type, record, spec.name))


def _sent_filter(written: Mapping[str, Any]) -> SentFilter:
    missing = [name for name in ("propertyName", "operator") if not written.get(name)]
    if missing:
        raise required(missing)
    operator = written["operator"].upper()
    if operator not in OPERATORS:
        raise HubSpotError(f"Invalid input JSON on line 1, column 1: no such operator: {written['operator']}")
    ends = (written.get("value", ""), written.get("highValue", ""))
    sent = SentFilter(written["propertyName"], operator, *ends, tuple(written.get("values", ())))
    if operator in {"IN", "NOT_IN"} and not sent.values:
        raise bad_request(f"operator {operator} requires values")
    if operator == "BETWEEN" and not (sent.value and sent.high):
        raise bad_request("operator BETWEEN requires value and highValue")
    if operator not in {"IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"} and sent.value == "":
        raise bad_request(f"operator {operator} requires a value")
    return sent


def _condition(portal: "Portal", object_type: PortalObjectType, sent: SentFilter) -> SearchFilter:
    if sent.name.startswith(_ASSOCIATED):
        return _associated(portal, object_type, sent)
    spec = object_type.properties.get(sent.name)
    if spec is None:
        raise bad_request()
    if sent.operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return _presence(portal, object_type, spec, wanted=sent.operator == "HAS_PROPERTY")
    if spec.type in _NUMERIC and "TOKEN" not in sent.operator:
        return _numeric(portal, object_type, spec, sent)
    return _textual(portal, object_type, spec, sent)


def _presence(portal: "Portal", object_type: PortalObjectType, spec: Property, *, wanted: bool) -> SearchFilter:
    def reader(record: PortalRecord) -> float:
        return math.nan if portal.records.value(object_type, record, spec.name) is None else 1.0

    def mask(table: PortalTable) -> Mask:
        empty: Mask = np.isnan(table.column(f"?{spec.name}", reader))
        return ~empty if wanted else empty

    return SearchFilter(lambda record: math.isnan(reader(record)) != wanted, mask)


def _numeric(portal: "Portal", object_type: PortalObjectType, spec: Property, sent: SentFilter) -> SearchFilter:
    reader = number_reader(portal, object_type, spec)
    judge = _number_test(spec, sent)

    def mask(table: PortalTable) -> Mask:
        matching: Mask = judge(table.column(spec.name, reader))
        return matching

    return SearchFilter(lambda record: bool(judge(np.float64(reader(record)))), mask)


def _number_test(spec: Property, sent: SentFilter) -> Callable[[Any], Any]:
    """A test for a number or a whole column; a record without a value (NaN) never matches."""
    if sent.operator in {"IN", "NOT_IN"}:
        listed: Floats = np.array([_number(spec, value) for value in sent.values])
        if sent.operator == "IN":
            return lambda value: np.isin(value, listed)
        return lambda value: ~np.isin(value, listed) & ~np.isnan(value)
    low = _number(spec, sent.value)
    if sent.operator == "BETWEEN":
        high = _number(spec, sent.high)
        return lambda value: (value >= low) & (value <= high)
    if sent.operator == "NEQ":
        return lambda value: (value != low) & ~np.isnan(value)
    compare = _COMPARISONS[sent.operator]
    return lambda value: compare(value, low)


def _number(spec: Property, text: str) -> float:
    number = as_number(spec, text)
    if math.isnan(number):
        raise bad_request()
    return number


def _textual(portal: "Portal", object_type: PortalObjectType, spec: Property, sent: SentFilter) -> SearchFilter:
    texts = portal.records.texts(object_type, spec.name)
    judge = _text_test(spec, sent)

    def test(record: PortalRecord) -> bool:
        value = portal.records.value(object_type, record, spec.name)
        return value is not None and judge(value)

    def mask(table: PortalTable) -> Mask:
        keys = [sent.value.lower()] if sent.operator == "EQ" else [value.lower() for value in sent.values]
        index = table.hashed(spec.name, texts)
        record_ids = {record_id for key in keys for record_id in index.ids(key)}
        return table.mask(
            record_id for record_id in record_ids if record_id in table.rows and test(table.rows[record_id])
        )

    return SearchFilter(test, mask if sent.operator in {"EQ", "IN"} else None)


def _text_test(spec: Property, sent: SentFilter) -> Callable[[str], bool]:
    """A test for one text; capitals do not count, except that lists are compared as sent with the folded text."""
    wanted = sent.value.lower()
    listed = {value if spec.type == "string" else value.lower() for value in sent.values}
    high = sent.high.lower()
    tests: Mapping[str, Callable[[str], bool]] = {
        "EQ": lambda value: wanted in _parts(spec, value),
        "NEQ": lambda value: wanted not in _parts(spec, value),
        "IN": lambda value: not listed.isdisjoint(_parts(spec, value)),
        "NOT_IN": lambda value: listed.isdisjoint(_parts(spec, value)),
        "LT": lambda value: value.lower() < wanted,
        "LTE": lambda value: value.lower() <= wanted,
        "GT": lambda value: value.lower() > wanted,
        "GTE": lambda value: value.lower() >= wanted,
        "BETWEEN": lambda value: wanted <= value.lower() <= high,
        "CONTAINS_TOKEN": lambda value: _has_tokens(value, wanted),
        "NOT_CONTAINS_TOKEN": lambda value: not _has_tokens(value, wanted),
    }
    return tests[sent.operator]


def _parts(spec: Property, value: str) -> Sequence[str]:
    folded = value.lower()
    return [folded, *folded.split(";")] if spec.field_type == "checkbox" else [folded]


def _has_tokens(value: str, wanted: str) -> bool:
    """Whether every word of `wanted` is a word of the text; `*` stands for anything."""
    folded = value.lower()
    words = {folded, *re.findall(r"[\w.+-]+@[\w.-]+|\w+", folded), *re.findall(r"\w+", folded)}
    return all(any(_matches(pattern, word) for word in words) for pattern in wanted.split())


def _matches(pattern: str, word: str) -> bool:
    parts = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(parts, word, re.DOTALL) is not None


def _associated(portal: "Portal", object_type: PortalObjectType, sent: SentFilter) -> SearchFilter:
    target = portal.schema.find(sent.name.removeprefix(_ASSOCIATED))
    listed = sent.values or (sent.value,)
    if target is None or sent.operator not in {"EQ", "IN"} or not all(text.isdecimal() for text in listed):
        raise bad_request()
    ends = [portal.links.of(target.name, int(record_id), object_type.name) for record_id in listed]
    record_ids = {record_id for linked in ends for record_id in linked}
    return SearchFilter(lambda record: record.id in record_ids, lambda table: table.mask(record_ids))
