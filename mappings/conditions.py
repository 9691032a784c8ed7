"""Conditions of a mapping: compiled to run on a record here, and as part of a query for the CRM."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from connector.errors import MappingError
from connector.ports import Condition
from mappings.converters import Read, read_boolean, read_date, read_datetime, read_number, read_text
from mappings.fields import Test
from mappings.record_values import Fields, Get, Types, value

Holds = Callable[[Fields], bool]

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_READ: Final[dict[str, Read]] = {
    "number": read_number,
    "boolean": read_boolean,
    "date": read_date,
    "datetime": read_datetime,
}


def yes(_: Fields) -> bool:
    """Hold for every record."""
    return True


def no(_: Fields) -> bool:
    """Hold for no record."""
    return False


def _folded(value: Any) -> str | None:
    text = read_text(value)
    return None if text is None else text.casefold()


def comparable(test: Test, types: Types) -> Read:
    """Return how both sides of a comparison are read: by the field's type; text without regard to case, as CRMs compare it."""
    return _READ.get(test.field.converter or types[test.field.path], _folded)


def wanted(test: Test, types: Types) -> tuple[Any, ...]:
    """Return what the admin wrote, in comparable form. `MappingError`: it does not fit the field's type."""
    read = comparable(test, types)
    for word in test.values:
        if isinstance(word, bool) and read is _folded:
            raise MappingError(f"{word!r} does not fit a field that is not true or false.", field="", value=word)
    return tuple(read(word) for word in test.values)


def holds(test: Test, types: Types) -> Holds:
    """Compile one comparison. An empty field is below, above and equal to nothing but emptiness."""
    get, values = value(test.field.path, comparable(test, types)), wanted(test, types)
    if test.op in _ORDER:
        return _ordered(get, _ORDER[test.op], values[0])
    if len(values) == 1 and test.op in ("=", "!="):
        only, same = values[0], test.op == "="
        return lambda fields: (get(fields) == only) is same
    among, inside = frozenset(values), test.op in ("in", "=")
    return lambda fields: (get(fields) in among) is inside


def _ordered(get: Get, compare: Callable[[Any, Any], bool], limit: Any) -> Holds:
    def check(fields: Fields) -> bool:
        value = get(fields)
        return value is not None and compare(value, limit)

    return check


def _compiled(tests: Sequence[Test], types: Types) -> list[Holds]:
    return [holds(test, types) for test in tests if test.field.path in types]


def all_of(tests: Sequence[Test], types: Types, *, missing: Holds = yes) -> Holds:
    """Hold when all do. `missing` stands for a condition on a field that is not there."""
    checks = _compiled(tests, types)
    if len(checks) < len(tests) and missing is no:
        return no
    if not checks:
        return yes
    if len(checks) == 1:
        return checks[0]
    return lambda fields: all(check(fields) for check in checks)


def any_of(tests: Sequence[Test], types: Types) -> Holds:
    """Hold when one does; conditions on fields that are not there do not."""
    checks = _compiled(tests, types)
    if not checks:
        return no
    if len(checks) == 1:
        return checks[0]
    return lambda fields: any(check(fields) for check in checks)


def for_query(tests: Sequence[Test], types: Types) -> tuple[Condition, ...]:
    """Return the conditions as the CRM is asked them: it compares a field as what it holds, not as what we read it as."""
    return tuple(
        Condition(test.field.path, test.op, test.values)
        for test in tests
        if test.field.path in types and test.field.converter in (None, types[test.field.path])
    )
