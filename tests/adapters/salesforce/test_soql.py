"""No value can become a part of a query's grammar."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.salesforce.records import soql
from connector.errors import Bug
from connector.ports import Condition

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
NASTY = st.text(st.sampled_from("'\"\\\n\t%_é😀 Oo)(-") | st.characters(exclude_categories=["Cs"]))


def unquoted(literal: str) -> str:
    """Read a literal as Salesforce's grammar does; fails where it would end early or hold an unknown escape."""
    inside = re.fullmatch(r"'((?:[^'\\]|\\.)*)'", literal, re.DOTALL)
    assert inside
    return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], inside[1], flags=re.DOTALL)


@given(NASTY)
def test_f57_text_comes_back_as_it_was(text: str) -> None:
    assert unquoted(soql.quote(text)) == text


@given(st.lists(NASTY, min_size=1, max_size=4))
def test_f57_lists_keep_their_length(texts: list[str]) -> None:
    listed = soql.condition(Condition("Name", "in", tuple(texts)))
    literals = re.findall(r"'(?:[^'\\]|\\.)*'", listed, re.DOTALL)
    assert [unquoted(literal) for literal in literals] == texts


@pytest.mark.parametrize("name", ["Name; DELETE", "Name FROM User", "", "1Name", "Náme", "a.", "a..b", "Name\n"])
def test_f57_names_are_names(name: str) -> None:
    with pytest.raises(Bug):
        soql.select((name,), "Account")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (3, "3"),
        (2.5, "2.5"),
        (Decimal("10.50"), "10.50"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC), "2026-11-20T12:00:00Z"),
        (datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=2))), "2026-11-20T10:00:00Z"),
    ],
)
def test_values_have_the_form_of_their_type(value: object, literal: str) -> None:
    assert soql.quote(value) == literal


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Bug):
        soql.quote(datetime(2026, 11, 20))  # noqa: DTZ001 - that is the point


def test_alternatives_stand_in_parentheses() -> None:
    one, two = Condition("A", "=", (1,)), Condition("B", "!=", (None,))
    assert soql.where(()) == ""
    assert soql.where(((one,), (one, two))) == "(A = 1) OR ((A = 1) AND (B != null))"


def test_in_nothing_is_never() -> None:
    assert soql.condition(Condition("A", "in", ())) == "Id = null"
    assert soql.condition(Condition("A", "not in", ())) == "Id != null"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("0018M000003uKqq", "0018M000003uKqqQAE"),
        ("001000000000001", "001000000000001AAA"),
        ("A" * 15, "A" * 15 + "555"),
    ],
)
def test_f55_ids_get_their_long_form(short: str, long: str) -> None:
    assert soql.id18(short) == long
    assert soql.id18(long) == long


def test_f55_a_long_id_with_a_wrong_ending_is_none() -> None:
    assert soql.is_id("0018M000003uKqqQAE")
    assert not soql.is_id("0018M000003uKqqAAA")


@given(st.text("aAbB01", min_size=15, max_size=15), st.text("aAbB01", min_size=15, max_size=15))
def test_f55_long_ids_differ_without_regard_to_case(one: str, two: str) -> None:
    assert (soql.id18(one).lower() == soql.id18(two).lower()) == (one == two)


@pytest.mark.parametrize("text", ["", "001", "001000000000001'--", "0" * 16, "0" * 19])
def test_f57_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Bug):
        soql.id18(text)
