"""WHERE: conditions as predicates over records, and the ranges and ids by which an index can narrow them."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox.salesforce.dates import as_stamps, days_of
from adapters.sandbox.salesforce.errors import RequestError
from adapters.sandbox.salesforce.org.field_values import parse_datetime, stamp
from adapters.sandbox.salesforce.org.ids import to_18, well_formed
from adapters.sandbox.salesforce.org.schema import NUMBER_TYPES, Field, OrgObjectType
from adapters.sandbox.salesforce.org.store import Row
from adapters.sandbox.salesforce.paths import Paths, Reached
from adapters.sandbox.salesforce.soql import (
    Condition,
    Logic,
    Membership,
    Path,
    SoqlComparison,
    SoqlQuery,
    Value,
    malformed,
)

Predicate = Callable[[Row], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WHERE_TEXT_LIMIT = 4_000
RANGED = frozenset({"Id", "SystemModstamp", "LastModifiedDate", "CreatedDate"})


@dataclass(frozen=True)
class Narrowing:
    """What an index can do for a condition: a range (`low`, `high`, either open) or a set of values of a field."""

    field: str
    low: str | None = None
    high: str | None = None
    values: frozenset[str] | None = None


class Filters:
    """Compiles the conditions of one query."""

    def __init__(self, paths: Paths, today: date, zone: ZoneInfo, run: Callable[[SoqlQuery], list[Any]]) -> None:
        self._paths = paths
        self._today = today
        self._zone = zone
        self._run = run

    def compile(self, object_type: OrgObjectType, condition: Condition) -> Predicate:
        """The condition as a test of records; raises RequestError for what the vendor refuses."""
        if isinstance(condition, Logic):
            return self._logic(object_type, condition)
        reached = self._paths.resolve(object_type, condition.path)
        if not reached.spec.filterable:
            name = reached.spec.name
            raise RequestError("INVALID_FIELD", f"field '{name}' can not be filtered in a query call")
        if isinstance(condition, Membership):
            return self._membership(reached, condition)
        return self._comparison(reached, condition)

    def _logic(self, object_type: OrgObjectType, condition: Logic) -> Predicate:
        tests = [self.compile(object_type, part) for part in condition.parts]
        if condition.operator == "not":
            return lambda row: not tests[0](row)
        if len(tests) == 2:
            first, second = tests
            if condition.operator == "and":
                return lambda row: first(row) and second(row)
            return lambda row: first(row) or second(row)
        joined = all if condition.operator == "and" else any
        return lambda row: joined(test(row) for test in tests)

    def _membership(self, reached: Reached, condition: Membership) -> Predicate:
        spec, get = reached.spec, reached.get
        if condition.query is not None:
            wanted = set(self._run(condition.query))
        else:
            wanted = {self.stored(spec, value, condition.path) for value in condition.values}
        wanted = {_folded(spec, value) for value in wanted}
        if condition.operator == "includes":
            test: Predicate = lambda row: bool(wanted & {part.lower() for part in (get(row) or "").split(";")})  # noqa: E731
        else:
            test = lambda row: _folded(spec, get(row)) in wanted  # noqa: E731
        return (lambda row: not test(row)) if condition.negated else test

    def _comparison(self, reached: Reached, condition: SoqlComparison) -> Predicate:
        spec, get, sign, value = reached.spec, reached.get, condition.operator, condition.value
        if sign == "like":
            return _like(get, value.text)
        if value.kind == "null":
            return _null(get, sign)
        if value.kind == "literal":
            return _in_range(get, sign, self._range(spec, value, condition.path))
        wanted = _folded(spec, self.stored(spec, value, condition.path))
        if sign in {"=", "!="}:
            same = sign == "="
            return lambda row: (_folded(spec, get(row)) == wanted) is same
        compare, wanted = _COMPARE[sign], "" if wanted is None else wanted

        def test(row: Row) -> bool:
            present = get(row)
            return present is not None and compare(_folded(spec, present), wanted)

        return test

    def _range(self, spec: Field, value: Value, path: Path) -> tuple[str, str]:
        days = days_of(value.text, self._today)
        if spec.type == "datetime":
            return as_stamps(days, self._zone)
        if spec.type == "date":
            return days[0].isoformat(), days[1].isoformat()
        raise _wrong_type(spec, path)

    def stored(self, spec: Field, value: Value, path: Path) -> Any:
        """A literal in the form the field is stored in; raises RequestError (INVALID_FIELD) for the wrong kind."""
        if value.kind == "null":
            return None
        if spec.type in {"id", "reference"}:
            return _id(spec, value, path)
        if spec.type == "datetime" and value.kind == "datetime":
            return stamp(_parsed(value))
        if spec.type in NUMBER_TYPES and value.kind == "number":
            return float(value.text)
        if spec.type == "boolean" and value.kind == "boolean":
            return value.text == "true"
        if spec.type == "date" and value.kind == "date":
            return value.text
        if spec.type in {"datetime", "boolean", "date"} | NUMBER_TYPES or value.kind != "string":
            raise _wrong_type(spec, path)
        if len(value.text) > _WHERE_TEXT_LIMIT:
            raise malformed("The WHERE clause contains a string that is longer than 4000 characters")
        return value.text

    def narrow(
        self, object_type: OrgObjectType, condition: Condition | None, indexed: frozenset[str]
    ) -> list[Narrowing]:
        """What indexes can do for the condition; every record that meets it is in each of the answers."""
        if isinstance(condition, Logic):
            return self._narrow_logic(object_type, condition, indexed)
        if condition is None or len(condition.path.parts) > 1:
            return []
        spec = object_type.find(condition.path.parts[0])
        if spec is None:
            return []
        if isinstance(condition, Membership):
            if condition.negated or condition.operator != "in" or condition.query or spec.name not in indexed:
                return []
            return [
                Narrowing(
                    spec.name, values=frozenset(self.stored(spec, value, condition.path) for value in condition.values)
                )
            ]
        return self._narrow_comparison(spec, condition, indexed)

    def _narrow_comparison(self, spec: Field, condition: SoqlComparison, indexed: frozenset[str]) -> list[Narrowing]:
        sign, value = condition.operator, condition.value
        if sign == "=" and spec.name in indexed and value.kind == "string":
            return [Narrowing(spec.name, values=frozenset({self.stored(spec, value, condition.path)}))]
        if spec.name not in RANGED or sign in {"!=", "like"} or value.kind == "null":
            return []
        if value.kind == "literal":
            low, high = self._range(spec, value, condition.path)
        else:
            low = high = self.stored(spec, value, condition.path) or ""
        return [
            Narrowing(spec.name, low if sign in {"=", ">", ">="} else None, high if sign in {"=", "<", "<="} else None)
        ]

    def _narrow_logic(self, object_type: OrgObjectType, condition: Logic, indexed: frozenset[str]) -> list[Narrowing]:
        if condition.operator == "not":
            return []
        parts = [self.narrow(object_type, part, indexed) for part in condition.parts]
        if condition.operator == "and":
            return _intersected([narrowing for part in parts for narrowing in part])
        return _hulls(parts)


def _intersected(narrowings: list[Narrowing]) -> list[Narrowing]:
    """Ranges of the same field made one; sets stay as they are."""
    result = [narrowing for narrowing in narrowings if narrowing.values is not None]
    for name in dict.fromkeys(narrowing.field for narrowing in narrowings if narrowing.values is None):
        same = [narrowing for narrowing in narrowings if narrowing.field == name and narrowing.values is None]
        lows = [narrowing.low for narrowing in same if narrowing.low is not None]
        highs = [narrowing.high for narrowing in same if narrowing.high is not None]
        result.append(Narrowing(name, max(lows, default=None), min(highs, default=None)))
    return result


def _hulls(parts: list[list[Narrowing]]) -> list[Narrowing]:
    """For alternatives: for each field that all of them bound, the range around all."""
    result = []
    for name in RANGED:
        bounds = [
            next((narrowing for narrowing in part if narrowing.field == name and narrowing.values is None), None)
            for part in parts
        ]
        known = [bound for bound in bounds if bound is not None]
        if len(known) < len(parts):
            continue
        lows, highs = [bound.low for bound in known], [bound.high for bound in known]
        low = None if None in lows else min(value for value in lows if value is not None)
        high = None if None in highs else max(value for value in highs if value is not None)
        result.append(Narrowing(name, low, high))
    return result


def _folded(spec: Field, value: Any) -> Any:
    return value.lower() if isinstance(value, str) and spec.type not in {"id", "reference"} else value


def _like(get: Callable[[Row], Any], pattern: str) -> Predicate:
    pieces = re.findall(r"\\.|[^\\]", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)
    matches = re.compile(text, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda row: matches(get(row) or "") is not None


def _null(get: Callable[[Row], Any], sign: str) -> Predicate:
    if sign not in {"=", "!="}:
        raise malformed(f"unexpected operator {sign} for null")
    wanted = sign == "="
    return lambda row: (get(row) is None) is wanted


def _in_range(get: Callable[[Row], Any], sign: str, bounds: tuple[str, str]) -> Predicate:
    start, end = bounds
    tests: dict[str, Callable[[str], bool]] = {
        "=": lambda text: start <= text < end,
        "<": lambda text: text < start,
        "<=": lambda text: text < end,
        ">": lambda text: text >= end,
        ">=": lambda text: text >= start,
    }
    if sign == "!=":
        return lambda row: not tests["="](get(row) or "")
    test = tests[sign]
    return lambda row: (text := get(row)) is not None and test(text)


def _id(spec: Field, value: Value, path: Path) -> str | None:
    if value.kind != "string":
        raise _wrong_type(spec, path)
    if value.text == "":
        return None
    if not well_formed(value.text):
        raise RequestError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value.text}")
    return to_18(value.text)


def _parsed(value: Value) -> Any:
    parsed = parse_datetime(value.text.upper())
    if parsed is None:
        raise malformed(f"line 1: invalid dateTime: {value.text}")
    return parsed


def _wrong_type(spec: Field, path: Path) -> RequestError:
    word = {"datetime": "dateTime", "int": "integer", "currency": "double", "percent": "double", "reference": "ID"}
    quoted = spec.type not in {"datetime", "date", "boolean"} | NUMBER_TYPES
    kind = word.get(spec.type, spec.type if not quoted else "string")
    ending = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{path}' must be of type {kind} and {ending}"
    return RequestError("INVALID_FIELD", message)
