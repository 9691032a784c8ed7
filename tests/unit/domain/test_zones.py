"""Time zones as CRMs hold them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from connector.app.adapter_packages import installed_adapters
from connector.model import Mood, Owner, Ref
from connector.model.score import Figures
from connector.settings import Settings, load
from connector.settings.time_zones import day_begins, find_zone, first_zone, next_day_begins, owner_zone
from connector.stages.write_back import desired_values
from mappings.converters import dates


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "config.toml").write_text(
        '[company]\ntimezone = "Europe/Helsinki"\n[crm.hub]\nadapter = "hubspot"\naccess_token = "t"\n'
    )
    return load(tmp_path / "config.toml", environ={}, adapters=installed_adapters())


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Helsinki", "Europe/Helsinki"),
        (" Europe/Helsinki ", "Europe/Helsinki"),
        ("europe/helsinki", "Europe/Helsinki"),
        ("America/New York", "America/New_York"),
        ("america_slash_new_york", "America/New_York"),
        ("America_Slash_Argentina_Slash_Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("america_slash_port-au-prince", "America/Port-au-Prince"),
        ("us/eastern", "US/Eastern"),
        ("utc", "UTC"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe  standard time", "Europe/Berlin"),
        ("FLE Standard Time", "Europe/Kiev"),
        ("Eastern Daylight Time", "America/New_York"),
        ("(GMT+02:00) Eastern European Standard Time (Europe/Helsinki)", "Europe/Helsinki"),
        ("Europe/Helsinki (EET)", "Europe/Helsinki"),
        ("London (GMT)", None),
        ("(UTC-05:00) Somewhere (EST)", None),
        ("Mars/Olympus", None),
        ("../../etc/passwd", None),
        ("Europe/Helsinki\0", None),
        ("", None),
        ("()", None),
        ("+02:00", None),
    ],
)
def test_a_zone_is_read_in_every_form_that_crms_have(text: str, zone: str | None) -> None:
    found = find_zone(text)
    assert (None if found is None else found.key) == zone


def test_every_zone_is_read_as_it_is_spelt_and_as_an_option_name() -> None:
    for name in available_timezones():
        for text in (name, name.lower().replace("/", "_slash_")):
            found = find_zone(text)
            assert found is not None, text
            assert found.key == name


def test_every_name_that_windows_has_is_a_zone_of_this_machine() -> None:
    names = get_global("windows_zone_mapping")
    assert len(names) > 130
    assert {name for name in names if find_zone(name) is None} == set()


@given(st.text(max_size=60))
def test_any_text_is_a_zone_or_none(text: str) -> None:
    assert find_zone(text) is None or isinstance(find_zone(text), ZoneInfo)


def test_who_has_no_zone_that_can_be_read_is_where_the_company_is(settings: Settings) -> None:
    assert owner_zone(None, settings).key == "Europe/Helsinki"
    owner = Owner(Ref("hub", "owner", "1"), "Ann", timezone="Mars/Olympus")
    assert owner_zone(owner, settings).key == "Europe/Helsinki"
    assert owner_zone(replace(owner, timezone="america_slash_new_york"), settings).key == "America/New_York"
    assert first_zone((None, 3, "nowhere", "Asia/Tokyo"), ZoneInfo("UTC")).key == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        ("2026-11-29T21:59:59", "2026-11-28T22:00:00"),
        ("2026-11-29T22:00:00", "2026-11-29T22:00:00"),
        ("2026-03-29T12:00:00", "2026-03-28T22:00:00"),
        ("2026-03-29T21:00:00", "2026-03-29T21:00:00"),
    ],
)
def test_a_day_begins_at_midnight_where_the_company_is(settings: Settings, at: str, begins: str) -> None:
    moment, start = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, begins))
    assert day_begins(moment, settings) == start
    assert next_day_begins(moment, settings) == day_begins(start + timedelta(hours=26), settings)


def test_a_field_that_keeps_days_shows_the_day_of_the_sentences() -> None:
    figures = Figures(
        score=50,
        low=40,
        high=60,
        mood=Mood.MIXED,
        people=5,
        answers=9,
        evidence=4.5,
        askable=3,
        metrics={},
        trend=None,
        last_answer=datetime(2026, 6, 2, 1, 30, tzinfo=UTC),
    )
    shown = str(desired_values.figure_fields(figures, ZoneInfo("America/New_York"))["last_answer"])
    assert dates.write(datetime.fromisoformat(shown)) == "2026-06-01"
    assert datetime.fromisoformat(shown) == datetime(2026, 6, 2, 1, 30, tzinfo=UTC)
    assert desired_values.figure_fields(None, ZoneInfo("America/New_York"))["last_answer"] is None
