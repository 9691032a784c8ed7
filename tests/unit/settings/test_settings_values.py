"""Durations, caps, windows, addresses."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.durations import format_duration, parse_duration
from connector.settings import value_readers
from connector.settings.value_readers import AccountCap, Listen, Sender, SendingWindow, Wrong

HELSINKI = ZoneInfo("Europe/Helsinki")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), (" 5m ", 300)]
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "-5m", "1.5h", "5w", "m", "1h30m", "٣d", "99999999d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=36_500 * 86_400))
def test_a_written_duration_reads_back_as_itself(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize("text", ["90s", "15m", "24h", "7d", "0s", "36h"])
def test_durations_are_written_as_admins_write_them(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


def test_an_account_cap_is_people_and_a_window() -> None:
    assert value_readers.account_cap("3 per 30d") == AccountCap(people=3, window=timedelta(days=30))


@pytest.mark.parametrize("text", ["3", "0 per 30d", "3 per", "3 per month", "3 in 30d", "-1 per 30d"])
def test_other_caps_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        value_readers.account_cap(text)


def test_any_window_is_open_now() -> None:
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert value_readers.sending_window("any").next_open(at, HELSINKI) == at


def test_a_window_has_days_and_times() -> None:
    window = value_readers.sending_window("Mon-Fri 9:00-17:30")
    assert window == SendingWindow(frozenset(range(5)), time(9), time(17, 30))


def test_days_may_run_over_the_weekend() -> None:
    assert value_readers.sending_window("sat-mon 09:00-10:00").days == {5, 6, 0}


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        # Friday 20 November 2026; Helsinki is UTC+2, so the window is 07:00 to 15:00 UTC.
        ("2026-11-20T06:59:59", "2026-11-20T07:00:00"),
        ("2026-11-20T07:00:00", "2026-11-20T07:00:00"),
        ("2026-11-20T14:59:59", "2026-11-20T14:59:59"),
        ("2026-11-20T15:00:00", "2026-11-23T07:00:00"),
        ("2026-11-21T12:00:00", "2026-11-23T07:00:00"),
        # Sunday 23:30 UTC is Monday already in Helsinki.
        ("2026-11-22T23:30:00", "2026-11-23T07:00:00"),
    ],
)
def test_a_window_opens_on_the_clocks_of_the_contact(at: str, opens: str) -> None:
    window = value_readers.sending_window("mon-fri 09:00-17:00")
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert window.next_open(moment, HELSINKI) == datetime.fromisoformat(opens).replace(tzinfo=UTC)


def test_summer_time_moves_the_window() -> None:
    window = value_readers.sending_window("mon-sun 09:00-17:00")
    assert window.next_open(datetime(2026, 3, 28, 6, 0, tzinfo=UTC), HELSINKI).hour == 7
    assert window.next_open(datetime(2026, 3, 29, 5, 0, tzinfo=UTC), HELSINKI).hour == 6


def test_a_window_in_the_hour_that_summer_time_skips_waits_a_week() -> None:
    window = value_readers.sending_window("sun 02:00-03:00")
    skipped = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert window.next_open(skipped, NEW_YORK) == datetime(2026, 3, 15, 6, 0, tzinfo=UTC)


@given(
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    zone=st.sampled_from(["UTC", "Europe/Helsinki", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    text=st.sampled_from(["mon-fri 09:00-17:00", "sat 00:00-00:01", "sun-thu 23:00-23:59", "wed 01:30-03:30"]),
)
def test_what_opens_is_never_past_and_lies_in_the_window(at: datetime, zone: str, text: str) -> None:
    window, moment = value_readers.sending_window(text), at.replace(tzinfo=UTC)
    opens = window.next_open(moment, ZoneInfo(zone))
    local = opens.astimezone(ZoneInfo(zone))
    assert opens >= moment
    assert opens.tzinfo is UTC
    assert local.weekday() in window.days
    assert window.next_open(opens, ZoneInfo(zone)) == opens


@pytest.mark.parametrize("text", ["", "always", "mon-fri", "mon-fri 9-17", "mon-fry 09:00-17:00", "mon 25:00-26:00"])
def test_other_windows_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        value_readers.sending_window(text)


def test_a_window_over_midnight_is_refused() -> None:
    with pytest.raises(Wrong, match="closes before it opens"):
        value_readers.sending_window("mon-fri 22:00-06:00")


def test_listen_and_sender_are_taken_apart() -> None:
    assert value_readers.listen("0.0.0.0:80") == Listen("0.0.0.0", 80)  # noqa: S104
    assert value_readers.listen("[::1]:8080") == Listen("::1", 8080)
    assert value_readers.sender("Acme Care <care@acme.example>") == Sender("Acme Care", "care@acme.example")
    assert value_readers.sender("care@acme.example") == Sender("", "care@acme.example")


@pytest.mark.parametrize(
    "name",
    ["Acme, Inc.", "Smith: Partners", "Acme; Co", "Acme @ Work", "Acme [Care]", "Acme (Nordic)", "Müller & Co. KG"],
)
def test_a_sender_may_be_called_what_companies_are_called(name: str) -> None:
    assert value_readers.sender(f"{name} <care@acme.example>") == Sender(name, "care@acme.example")
    assert value_readers.sender(f'"{name}" <care@acme.example>') == Sender(name, "care@acme.example")


def test_quotes_in_a_senders_name_are_kept_where_they_are_escaped() -> None:
    assert value_readers.sender(r'"Acme \"Care\"" <care@acme.example>') == Sender('Acme "Care"', "care@acme.example")


@pytest.mark.parametrize("text", ["8080", ":8080", "host:", "host:0", "host:70000", "::1:8080", "host:http"])
def test_other_places_to_listen_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        value_readers.listen(text)


@pytest.mark.parametrize(
    "text",
    [
        "Acme",
        "Acme <care>",
        "Acme <a@b.example>\nBcc: x@y.example",
        "Acme\nBcc: x@y.example <a@b.example>",
        "Acme\r<a@b.example>",
        "a@b.example, c@d.example",
    ],
)
def test_other_senders_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        value_readers.sender(text)


def test_addresses_are_https_except_on_this_machine() -> None:
    assert value_readers.url("https://acme.my.salesforce.com/") == "https://acme.my.salesforce.com"
    assert value_readers.url("http://127.0.0.1:8443") == "http://127.0.0.1:8443"
    assert value_readers.url("http://localhost:1") == "http://localhost:1"
    assert value_readers.url("http://[::1]:1") == "http://[::1]:1"


@pytest.mark.parametrize(
    "text",
    ["http://acme.example", "ftp://acme.example", "acme.example", "https://", "https://a b", "https://u:p@a.example"],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        value_readers.url(text)


def test_domains_and_hosts_are_read_in_the_one_spelling_of_the_dns() -> None:
    assert (
        value_readers.domain("Bücher.example")
        == value_readers.domain("xn--bcher-kva.example")
        == "xn--bcher-kva.example"
    )
    assert value_readers.host("smtp.straße.example") == "smtp.xn--strae-oqa.example"
    assert value_readers.host("SMTP.acme.example") == "SMTP.acme.example"
    assert value_readers.address(" Ann@Bücher.example ") == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["smtp..acme.example", "x" * 64 + ".example", "i❤.example", "a\u200db.example"])
def test_a_name_that_the_dns_cannot_have_is_refused_wherever_it_stands(name: str) -> None:
    for read, text in (
        (value_readers.host, name),
        (value_readers.domain, name),
        (value_readers.address, f"care@{name}"),
        (value_readers.sender, f"Acme <care@{name}>"),
        (value_readers.url, f"https://{name}/"),
    ):
        with pytest.raises(value_readers.Wrong):
            read(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://Bücher.example/Feedback/", "https://xn--bcher-kva.example/Feedback"),
        ("HTTPS://ACME.example", "https://acme.example"),
        ("https://acme.example:443/s", "https://acme.example/s"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080/s", "http://[::1]:8080/s"),
        ("https://acme.example:8443", "https://acme.example:8443"),
    ],
)
def test_the_public_address_is_kept_as_browsers_name_it(written: str, kept: str) -> None:
    # They compare it with their own spelling when a form is sent, and keep cookies by it.
    assert value_readers.public_url(written) == kept
