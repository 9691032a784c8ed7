"""Values that no CRM should hold: each is understood or parks its record, and none ends more than that."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import MappingError
from connector.ports import Record
from mappings.bound import BoundPart, FittedMapping
from mappings.converters import (
    FACTS,
    read_boolean,
    read_datetime,
    read_email,
    read_language,
    read_moment_of_day,
    read_number,
    read_shown,
    read_text,
)

READERS = (
    read_text,
    read_number,
    read_boolean,
    read_datetime,
    read_moment_of_day,
    read_email,
    read_language,
    read_shown,
    *FACTS.values(),
)


def nested(deep: int) -> Any:
    found: Any = "x"
    for _ in range(deep):
        found = [found]
    return found


ODD = (
    "9" * 5000,
    int("9" * 4000) ** 2,
    float("nan"),
    float("inf"),
    nested(5000),
    b"\xff\xfe",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999Z",
    "²" * 12,
    "9" * 300,
    "\ud800",
    "\0",
    {},
    [],
    object(),
    date.max,
    datetime.max.replace(tzinfo=UTC),
)
ANYTHING = st.one_of(
    st.sampled_from(ODD), st.text(), st.integers(), st.floats(), st.binary(), st.none(), st.lists(st.text(max_size=3))
)


@pytest.mark.parametrize("read", READERS)
@given(found=ANYTHING)
def test_s9_every_value_is_read_or_is_an_error_of_the_record(read: Any, found: Any) -> None:
    try:
        read(found)
    except MappingError as error:
        assert len(error.what) < 200


@given(found=ANYTHING)
def test_s9_a_moment_that_was_read_can_be_counted_with(found: Any) -> None:
    try:
        moment = read_datetime(found)
    except MappingError:
        return
    assert moment is None or (moment + timedelta(days=4000) > moment > moment - timedelta(days=4000))


def fitted(build: Any) -> FittedMapping:
    return FittedMapping(
        fingerprint="f",
        form="f",
        fingerprints={},
        queries=(),
        events=frozenset(),
        parts={"Account": (BoundPart("account", None, build),)},
        targets={},
        related_kinds=frozenset(),
        written={},
        specs=(),
        choices={},
    )


@pytest.mark.parametrize("kind", [ValueError, TypeError, OverflowError, RecursionError, KeyError, AttributeError])
def test_s9_a_record_that_nothing_can_read_is_parked_with_the_reason(kind: type[Exception]) -> None:
    def build(*_: Any) -> Any:
        raise kind("odd")

    reading = fitted(build).read("acme", Record("Account", "1", "", {}))
    assert reading.value is None
    assert reading.error is not None
    assert reading.error.where == "Account 1"
    assert kind.__name__ in reading.error.what


def test_s9_a_record_with_a_fault_is_parked_with_it() -> None:
    def build(*_: Any) -> Any:
        raise AssertionError

    reading = fitted(build).read("acme", Record("Account", "1", "", {}, fault="its time of change is none."))
    assert reading.value is None
    assert reading.error is not None
    assert reading.error.what == "its time of change is none."
