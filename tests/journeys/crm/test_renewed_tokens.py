"""Tokens that end, with refresh tokens that each exchange replaces: nobody notices, over threads, processes, restarts and kills."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from environment import HOUR, Environment, standing
from environment_hubspot import HubSpotEnvironment
from environment_renewing import Renewing

from connector.errors import AuthRevoked, Unavailable
from connector.runtime.clock import SteppedClock
from connector.runtime.token_vault import Vault


@pytest.fixture(params=["salesforce", "hubspot"])
def crm(request: pytest.FixtureRequest, tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[Renewing]:
    """A CRM whose refresh tokens are good once."""
    kind = Environment if request.param == "salesforce" else HubSpotEnvironment
    with standing(kind, tmp_path, store_address, clock) as env:
        env.org.log.clear()
        yield Renewing(env, request.param)


def test_f22_laps_outlive_their_tokens_and_restarts(crm: Renewing) -> None:
    for step in (timedelta(), timedelta(minutes=5), 3 * HOUR, 3 * HOUR):
        crm.env.restart()
        report = crm.env.later(step)
        assert [type(error) for errors in report.failures.values() for error in errors] == []
    assert crm.exchanges == 3
    assert crm.given not in crm.env.org.oauth.refresh_tokens


def test_f22_many_threads_of_two_processes_exchange_once(crm: Renewing) -> None:
    with crm.process() as one, crm.process() as two, ThreadPoolExecutor(6) as threads:
        list(threads.map(crm.ask, [one, two] * 3))
        assert crm.exchanges == 1
        crm.env.advance(3 * HOUR)
        list(threads.map(crm.ask, [one, two] * 3))
        assert crm.exchanges == 2


def test_f22_the_new_refresh_token_is_on_the_disk_before_the_access_token_is_used(
    crm: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    save = Vault.save

    def noted(self: Vault, tokens: Any) -> None:
        saved.append(sum("/token" not in call.path for call in crm.env.org.log))
        save(self, tokens)

    monkeypatch.setattr(Vault, "save", noted)
    with crm.process() as adapter:
        crm.ask(adapter)
    assert saved == [0]
    with crm.process() as killed_and_started_again:
        crm.ask(killed_and_started_again)
    assert crm.exchanges == 1


def test_f21_a_session_that_was_ended_is_renewed_once_and_the_call_replayed(crm: Renewing) -> None:
    with crm.process() as adapter:
        crm.ask(adapter)
        crm.env.org.faults.expire_token()
        crm.ask(adapter)
    assert crm.exchanges == 2
    assert [call.status for call in crm.env.org.log if "/token" not in call.path].count(401) == 1


def test_f21_a_token_that_says_when_it_ends_is_renewed_before(crm: Renewing) -> None:
    if crm.kind == "salesforce":
        crm.env.org.oauth.lifetime = 24 * HOUR  # it does not say
    with crm.process() as adapter:
        for step in (timedelta(), timedelta(minutes=27), timedelta(minutes=2)):
            crm.env.advance(step)
            crm.ask(adapter)
    assert 401 not in {call.status for call in crm.env.org.log}
    assert crm.exchanges == (1 if crm.kind == "salesforce" else 2)


def test_a_new_token_that_is_refused_too_is_not_asked_for_for_ever(crm: Renewing) -> None:
    with crm.process() as adapter:
        crm.ask(adapter)
        before = len(crm.env.org.log)
        crm.env.org.faults.expire_token(times=None)
        with pytest.raises(Unavailable):
            crm.ask(adapter)
    assert len(crm.env.org.log) - before <= 4 * 3
    crm.env.org.faults.clear()
    assert crm.env.later(HOUR).exit_code == 0


def test_f22_a_refresh_token_that_is_refused_stops_the_connection_until_there_is_another(crm: Renewing) -> None:
    oauth = crm.env.org.oauth
    oauth.refresh_tokens.clear()
    report = crm.env.lap()
    (error,) = report.failures["acme"]
    assert isinstance(error, AuthRevoked)
    assert crm.given not in str(error) and crm.app.client_secret not in str(error)
    before = len(crm.env.org.log)
    crm.env.restart()
    assert crm.env.later(HOUR).exit_code == 3
    assert len(crm.env.org.log) == before
    user = (crm.env.org.integration_id,) if crm.kind == "salesforce" else ()
    crm.give(oauth.offer_refresh_token(*user, crm.app))
    crm.env.later(HOUR)
    assert crm.env.status()["crm"]["acme"]["refused"] is None


def test_a_token_endpoint_that_is_down_judges_nobody(crm: Renewing) -> None:
    crm.env.org.faults.html(503, path="/token", times=None)
    assert crm.env.lap().exit_code == 3
    assert crm.env.status()["crm"]["acme"]["refused"] is None
    crm.env.org.faults.clear()
    assert "acme" not in crm.env.later(HOUR).failures
