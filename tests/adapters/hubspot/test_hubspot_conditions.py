"""Conditions: as a search takes them, and as they are checked here."""

from datetime import UTC, date, datetime

import pytest

from adapters.hubspot.records.conditions import groups, holds
from connector.ports import Condition

TYPES = {"name": "text", "score": "number", "ticked": "boolean", "seen": "datetime", "mood": "picklist"}
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MILLIS = str(int(NOON.timestamp() * 1000))


def one(*terms: Condition) -> list[list[dict[str, object]]] | None:
    return groups((terms,), TYPES)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("name", "=", ("O'Dell",)), [{"operator": "EQ", "value": "O'Dell"}]),
        (Condition("name", "in", ("A", "b")), [{"operator": "IN", "values": ["a", "b"]}]),
        (Condition("mood", "in", ("A", "b")), [{"operator": "IN", "values": ["A", "b"]}]),
        (Condition("name", "=", (None,)), [{"operator": "NOT_HAS_PROPERTY"}]),
        (Condition("name", "!=", (None,)), [{"operator": "HAS_PROPERTY"}]),
        (Condition("score", ">=", (10,)), [{"operator": "GTE", "value": "10"}]),
        (Condition("ticked", "=", (True,)), [{"operator": "EQ", "value": "true"}]),
        (Condition("seen", "<", (NOON,)), [{"operator": "LT", "value": MILLIS}]),
        (Condition("name", "in", ("A", None)), [{"operator": "EQ", "value": "A"}, {"operator": "NOT_HAS_PROPERTY"}]),
        (Condition("name", "!=", ("A",)), [{"operator": "NEQ", "value": "A"}, {"operator": "NOT_HAS_PROPERTY"}]),
        (
            Condition("name", "not in", ("A", "B")),
            [{"operator": "NOT_IN", "values": ["a", "b"]}, {"operator": "NOT_HAS_PROPERTY"}],
        ),
    ],
)
def test_a_condition_becomes_filters_of_which_one_must_hold(
    condition: Condition, expected: list[dict[str, object]]
) -> None:
    assert one(condition) == [[{"propertyName": condition.field, **filters}] for filters in expected]


def test_conditions_in_a_row_must_all_hold() -> None:
    found = one(Condition("name", "=", ("A",)), Condition("score", ">", (2,)))
    assert found is not None
    assert [[part["propertyName"] for part in group] for group in found] == [["name", "score"]]


def test_no_condition_is_no_filter() -> None:
    assert groups((), TYPES) == []


def test_what_a_search_cannot_be_asked_is_checked_here() -> None:
    assert one(Condition("associations.companies.name", "=", ("A",))) is None
    assert one(*[Condition("name", "!=", (text,)) for text in "abc"]) is None
    assert groups(tuple((Condition("name", "=", (text,)),) for text in "abcdef"), TYPES) is None
    assert one(*[Condition("score", ">", (number,)) for number in range(5)]) is None


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (Condition("name", "=", ("acme",)), "ACME", True),
        (Condition("name", "!=", ("acme",)), None, True),
        (Condition("name", "not in", ("acme", "x")), "Acme", False),
        (Condition("name", "=", (None,)), "", True),
        (Condition("score", ">", (10,)), "9", False),
        (Condition("score", ">", (10,)), "100", True),
        (Condition("score", "<", (10,)), None, False),
        (Condition("score", "=", (10,)), "10.0", True),
        (Condition("ticked", "=", (True,)), "true", True),
        (Condition("ticked", "=", (False,)), None, False),
        (Condition("seen", ">=", (NOON,)), "2026-11-01T12:00:00Z", True),
        (Condition("seen", ">=", (NOON,)), "2026-11-01T11:59:59.999Z", False),
        (Condition("day", "=", (date(2026, 11, 1),)), "2026-11-01", True),
        (Condition("associations.companies", "=", ("7",)), ("5", "7"), True),
        (Condition("associations.companies", "=", (None,)), (), True),
        (Condition("associations.companies", "!=", (None,)), (), False),
    ],
)
def test_checked_here_they_mean_the_same(condition: Condition, value: object, *, expected: bool) -> None:
    assert holds(((condition,),), {condition.field: value}, TYPES) is expected
