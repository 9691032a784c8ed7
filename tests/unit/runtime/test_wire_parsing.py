"""Parsers of what other machines answer: whatever comes is understood, or is known not to be."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.wire.parsing import parsed, time_of
from tests.adapters.border import JSON

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STAMPS = st.text(max_size=30) | st.sampled_from(
    [
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Fri, 99 Nov 2026 12:00:00 GMT",
        "Fri, 20 Nov 99999999999999999999 12:00:00 GMT",
        "Fri, 20 Nov 2026 12:00:00 +99999999999999",
        "9" * 5000,
        "²",
    ]
)


@given(text=STAMPS)
def test_every_date_header_is_a_time_or_none(text: str) -> None:
    moment = time_of(text, NOON)
    assert moment is None or abs(moment - NOON) < timedelta(days=400)


@given(body=st.binary(max_size=200) | JSON.map(lambda data: json.dumps(data).encode()))
def test_every_body_is_parsed_or_refused_with_a_value_error(body: bytes) -> None:
    try:
        parsed(body)
    except ValueError:
        return


def test_numbers_that_are_none_come_as_their_text() -> None:
    value = parsed(f'{{"a": {"7" * 5000}, "b": NaN, "c": -Infinity, "d": 7}}'.encode())
    assert value == {"a": "7" * 5000, "b": "NaN", "c": "-Infinity", "d": 7}
