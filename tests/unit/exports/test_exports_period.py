"""Which days a period holds, on the company's calendar."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exports.period import before, month, parse_period, week

HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        (" 2026-q1 ", date(2026, 1, 1), date(2026, 4, 1)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 5)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
    ],
)
def test_a_period_is_read_as_people_write_it(text: str, first: date, end: date) -> None:
    period = parse_period(text, HELSINKI)
    assert (period.first, period.end) == (first, end)


@pytest.mark.parametrize(
    "text", ["", "october", "2026-13", "2026-00", "2026-Q5", "2025-W53", "26-10", "2026-1", "0000"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_period(text, HELSINKI)


def test_a_period_begins_at_the_companys_midnight() -> None:
    period = parse_period("2026-10", HELSINKI)
    assert period.since.isoformat() == "2026-09-30T21:00:00+00:00"
    assert period.until.isoformat() == "2026-10-31T22:00:00+00:00"  # winter time by then


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from([month, week]))
def test_periods_of_a_kind_follow_each_other_without_a_gap(day: date, of: object) -> None:
    assert callable(of)
    period = of(day, HELSINKI)
    assert period.first <= day < period.end
    assert before(period, of).end == period.first
    assert parse_period(period.name, HELSINKI) == period
