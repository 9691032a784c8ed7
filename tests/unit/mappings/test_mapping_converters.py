"""Values of a CRM, in and out: nothing is guessed, nothing is lost on the way."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.text_cutting import cut, units
from connector.errors import MappingError
from connector.model import Ref
from mappings.converters import (
    boolean,
    dates,
    datetimes,
    number,
    picklist,
    read_email,
    read_language,
    read_moment_of_day,
    read_text,
    reference,
    text,
)

HELSINKI = ZoneInfo("Europe/Helsinki")

# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("raw", "clean"), [(None, None), ("", None), ("  ", None), (" a ", "a"), (7, "7")])
def test_text_is_trimmed_and_empty_text_is_none(raw: Any, clean: str | None) -> None:
    assert read_text(raw) == clean


@pytest.mark.parametrize(
    ("whole", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("one two", 5, "one…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),  # an accent stays on its letter
        ("a👍🏽b", 5, "a…"),  # a thumb keeps its colour
        ("👨‍👩‍👧x", 8, "…"),  # a family stays together
        ("🇫🇮🇸🇪🇳🇴", 10, "🇫🇮🇸🇪…"),  # flags are pairs
        ("ｶﾞｶﾞｶﾞ", 4, "ｶﾞ…"),  # a voicing mark stays on its letter
        ("a\u200cb\u200cc", 4, "a\u200c…"),  # so does what keeps two letters apart
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_long_text_is_cut_between_characters(whole: str, limit: int, shown: str) -> None:
    assert cut(whole, limit) == shown


@given(st.text(), st.integers(0, 40))
def test_cut_text_fits_however_the_crm_counts(whole: str, limit: int) -> None:
    shown = cut(whole, limit)
    assert units(shown) <= limit
    assert len(shown) <= limit
    assert shown == whole or whole.startswith(shown.removesuffix("…"))


@given(st.text())
def test_written_text_comes_back_as_it_was_written(whole: str) -> None:
    written = text(255).write(whole)
    assert text(255).read(written) == written
    assert text(255).write(written) == written


def test_a_picklist_takes_only_its_options() -> None:
    mood = picklist(("Happy", "Mixed"))
    assert mood.write("Happy") == "Happy"
    assert mood.write(None) is None
    with pytest.raises(MappingError, match="'Happy', 'Mixed'"):
        mood.write("Glad")


# ── addresses and languages ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" Maria.Virtanen@Lumo.Example ", "maria.virtanen@lumo.example"),
        ("o'hara+crm@a-b.example", "o'hara+crm@a-b.example"),
        ("info@müller.example", "info@xn--mller-kva.example"),
        ("", None),
        (None, None),
        ("n/a", None),
        ("a@b", None),
        ("a@@b.example", None),
        ("a b@c.example", None),
        ("a@b.example, c@d.example", None),
        ("a@b..example", None),
        ("x\n@b.example", None),
    ],
)
def test_an_address_is_normalised_or_none(raw: str | None, address: str | None) -> None:
    assert read_email(raw) == address


@pytest.mark.parametrize(
    ("raw", "tag"),
    [
        *(("fi", "fi"), ("en_US", "en-US"), ("EN-gb", "en-GB"), ("zh_hant_tw", "zh-Hant-TW"), ("de_DE.UTF-8", "de-DE")),
        *(("German", "de"), ("deutsch", "de"), ("Suomi", "fi"), ("Brazilian Portuguese", "pt-BR"), ("Français", "fr")),
        *(("English (UK)", "en"), ("Klingonese!", None), ("xx", None), ("", None), (None, None), ("12", None)),
    ],
)
def test_a_language_becomes_a_tag(raw: str | None, tag: str | None) -> None:
    assert read_language(raw) == tag


# ── numbers and booleans ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "value"),
    [(None, None), ("", None), (" ", None), (0, 0), ("0", 0), ("67340.0", 67340.0), (" -2.5 ", -2.5), ("1.2E7", 1.2e7)],
)
def test_a_number_is_read_and_emptiness_is_never_zero(raw: Any, value: float | None) -> None:
    assert number().read(raw) == value


@pytest.mark.parametrize(
    "raw",
    ["1,800.00", "1 800", "134;137", "NaN", "inf", "1e999", "abc", "٣", "0x10", True, float("nan"), float("inf"), []],
)
def test_what_is_no_number_is_refused(raw: Any) -> None:
    with pytest.raises(MappingError):
        number().read(raw)


@pytest.mark.parametrize(
    ("value", "scale", "written"),
    [(83.4, 0, 83), (82.5, 0, 83), (-0.5, 0, -1), (2.675, 2, 2.68), (4, 2, 4), (0, 0, 0), (None, 0, None)],
)
def test_a_number_is_rounded_to_the_fields_decimals(value: float | None, scale: int, written: float | None) -> None:
    found = number(scale).write(value)
    assert found == written
    assert type(found) is type(written)


def test_a_number_with_too_many_digits_is_refused_before_the_crm_does() -> None:
    assert number(0, 3).write(999.4) == 999
    with pytest.raises(MappingError, match="at most 3 digits"):
        number(0, 3).write(999.5)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12), st.integers(0, 4))
def test_a_written_number_is_stable(value: float, scale: int) -> None:
    both = number(scale)
    written = both.write(value)
    assert both.write(both.read(written)) == written
    assert both.write(both.read(str(written))) == written


@pytest.mark.parametrize(("raw", "value"), [(True, True), ("false", False), ("TRUE", True), (None, None), ("", None)])
def test_a_boolean_is_read(raw: Any, value: bool | None) -> None:
    assert boolean.read(raw) is value


@pytest.mark.parametrize("raw", [1, 0, "yes", "0"])
def test_what_is_no_boolean_is_refused(raw: Any) -> None:
    with pytest.raises(MappingError):
        boolean.read(raw)


def test_clearing_a_checkbox_unticks_it() -> None:
    assert boolean.write(None) is False


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "raw",
    [
        *("2026-11-12T10:00:00.123+0000", "2026-11-12T10:00:00.123Z", "2026-11-12T12:00:00.123+02:00"),
        *("1794477600123", datetime(2026, 11, 12, 12, 0, 0, 123000, timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_is_read_with_all_its_digits(raw: Any) -> None:
    found = datetimes.read(raw)
    assert found == datetime(2026, 11, 12, 10, 0, 0, 123000, UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "raw",
    ["2026-11-12 10:00:00", "2026-11-12", "20261112", "soon", 1794477600, "2026-13-01T00:00:00Z", datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_a_moment_without_a_zone_is_refused(raw: Any) -> None:
    with pytest.raises(MappingError):
        datetimes.read(raw)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(HELSINKI)))  # noqa: DTZ001
def test_a_moment_survives_the_round_trip_whatever_the_clocks_do(moment: datetime) -> None:
    assert datetimes.read(datetimes.write(moment)) == moment.astimezone(UTC).replace(microsecond=0)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_moment_on_a_date_field_is_the_day_where_it_is_read(moment: datetime) -> None:
    assert dates.write(moment) == f"{moment:%Y-%m-%d}"


def test_the_hour_that_comes_twice_stays_two_moments() -> None:
    first = datetime(2026, 10, 25, 3, 30, tzinfo=HELSINKI)
    second = first.replace(fold=1)
    assert datetimes.write(first) == "2026-10-25T00:30:00Z"
    assert datetimes.write(second) == "2026-10-25T01:30:00Z"


@given(st.dates())
def test_a_day_survives_the_round_trip(day: date) -> None:
    assert dates.read(dates.write(day)) == day


@pytest.mark.parametrize(
    "raw", ["2026-11-12T00:00:00Z", "12.11.2026", "1635535865", datetime(2026, 1, 1, tzinfo=UTC), 5]
)
def test_what_is_no_day_is_refused(raw: Any) -> None:
    with pytest.raises(MappingError):
        dates.read(raw)


def test_a_day_that_stands_for_a_moment_begins_in_utc() -> None:
    assert read_moment_of_day("2026-11-12") == datetime(2026, 11, 12, tzinfo=UTC)
    assert read_moment_of_day(None) is None


def test_a_lookup_is_written_as_the_bare_id() -> None:
    assert reference.write(Ref("acme", "User", "005A")) == "005A"
    assert reference.write("005A") == "005A"
    assert reference.write(None) is None
