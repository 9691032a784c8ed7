"""A CRM that gives no token for a reason that can pass: it is tried again, later each time, and told meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from environment import HOUR, Environment, standing
from environment_hubspot import HubSpotEnvironment
from environment_renewing import Renewing
from rich.console import Console

from adapters.sandbox.faults import CallFault
from connector.app.jobs import Job, JobEngine, JobKind
from connector.cli.output import results
from connector.runtime.clock import SteppedClock
from connector.store.ops import connections

MINUTE = timedelta(minutes=1)
READING = Job(JobKind.PULL, "acme")
RESTRICTED = {
    "salesforce": (400, {"error": "invalid_grant", "error_description": "ip restricted or invalid login hours"}),
    "hubspot": (403, {"status": "FORBIDDEN", "message": "ip restricted: this address may not be used."}),
}
"""Status and body of the answer that gives no token."""


@pytest.fixture(params=["salesforce", "hubspot"])
def live(
    request: pytest.FixtureRequest, tmp_path: Path, store_address: str, clock: SteppedClock
) -> Iterator[Environment]:
    kind = Environment if request.param == "salesforce" else HubSpotEnvironment
    with standing(kind, tmp_path, store_address, clock) as env:
        if kind is HubSpotEnvironment:
            Renewing(env, "hubspot")  # a service key never ends
        assert env.lap().exit_code == 0
        yield env


def keep_out(live: Environment, times: int | None = None) -> CallFault:
    """Let the CRM give no token, and end the one that is in use."""
    live.org.faults.expire_token()
    status, body = RESTRICTED[live.ADAPTER]
    return live.org.faults.fail(status, body, method="POST", path="/token", times=times)


def test_once_not_let_in_is_no_verdict_on_the_credentials(live: Environment) -> None:
    keep_out(live, times=1)
    first = live.later(HOUR)
    assert first.exit_code == 3
    assert "ip restricted" in str(first.failures["acme"][0])
    told = live.status()["crm"]["acme"]["refused"]
    assert "ip restricted" in told["what"]
    assert "address" in told["remedy"]

    assert live.later(6 * MINUTE).exit_code == 0
    assert live.status()["crm"]["acme"]["refused"] is None


def test_it_is_tried_again_later_each_time_and_told(live: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    refused = keep_out(live)
    tries: list[int] = []
    for minute in range(0, 240, 10):
        hits = refused.hits
        assert live.later(10 * MINUTE).exit_code == 3
        live.restart()  # what is known lies in the store
        if refused.hits > hits:
            tries.append(minute)
    waits = [later - sooner for sooner, later in pairwise(tries)]
    assert waits == sorted(waits)
    assert waits[-1] > 3 * waits[0]
    assert refused.hits == len(tries)

    results.status(Console(width=400), live.status())
    said = capsys.readouterr().out
    assert "refused us since 2026-11-16" in said
    assert "is tried again at" in said

    live.org.faults.clear()
    assert live.later(2 * HOUR).exit_code == 0


def test_resume_tries_it_at_once(live: Environment) -> None:
    keep_out(live, times=2)
    live.later(HOUR)
    live.later(6 * MINUTE)
    assert live.later(MINUTE).exit_code == 3
    with live.installation.store.write() as tx:
        connections.resume(tx, None)
    assert live.lap().exit_code == 0


def test_whoever_looks_at_the_service_sees_a_connection_that_stands_still(live: Environment) -> None:
    engine = JobEngine(live.installation)
    keep_out(live)
    engine._perform(READING)
    assert engine.trouble() == ""  # it may be over in a minute
    live.advance(HOUR)
    engine._perform(READING)
    assert "acme" in engine.trouble()
    live.org.faults.clear()
    live.advance(2 * HOUR)
    engine._perform(READING)
    assert engine.trouble() == ""

    live.org.client.client_secret = "another"
    live.org.faults.expire_token()
    engine._perform(READING)
    assert "acme" in engine.trouble()


def test_a_restart_forgets_nothing_of_how_long_a_connection_has_stood_still(live: Environment) -> None:
    keep_out(live)
    JobEngine(live.installation)._perform(READING)
    live.advance(HOUR)
    live.restart()
    engine = JobEngine(live.installation)
    assert "acme" in engine.trouble(), "it is known before the first lap"
    engine._perform(READING)
    assert "acme" in engine.trouble()
