"""Stamps have milliseconds: a place inside a second is neither rounded up, which loses records, nor down for ever."""

from datetime import timedelta

from environment import Environment
from incidents import accounts, answering, names

from adapters.sandbox.web import json_response


def test_reading_goes_on_inside_a_second(acme: Environment) -> None:
    acme.org.rows_per_page = 1
    for name in ("at .100", "at .400", "at .700"):
        acme.advance(timedelta(milliseconds=300 if name != "at .100" else 100))
        acme.account(name)
    with answering(acme, accounts(acme), lambda page, *_: json_response([], 500) if page > 1 else None):
        acme.lap()
    assert names(acme) == {"at .100"}
    report = acme.lap()
    assert names(acme) == {"at .100", "at .400", "at .700"}
    assert report.pulled["acme"].counts["account"].read == 2


def test_a_change_in_the_second_of_the_watermark_is_read(either: Environment) -> None:
    lag = either.installation.endpoints[0].adapter.lag
    either.advance(timedelta(milliseconds=900))
    either.org.faults.hide_commits(lag, times=1)
    either.account("at .900")
    either.lap()
    assert names(either) == set()
    either.later(lag)
    assert names(either) == {"at .900"}
