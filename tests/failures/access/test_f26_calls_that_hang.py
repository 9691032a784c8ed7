"""No call is waited for without end, and a process that hangs on another machine holds up the others for 90 seconds."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from environment import RULES, Environment, wait_for
from incidents import names
from sqlalchemy import update

from connector.app import jobs, service
from connector.store import tables
from connector.wire import deadlines

LISTING = {"salesforce": r"FROM%20Account%20", "hubspot": r"companies/search"}


def test_a_call_that_is_not_answered_ends_the_lap_and_the_next_one_goes_on(
    either: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "READ_SECONDS", 0.5)
    monkeypatch.setattr("adapters.hubspot.http.client._ATTEMPTS", 1)
    monkeypatch.setattr("adapters.salesforce.http.client._ATTEMPTS", 1)
    either.account("Northwind")
    hangs = either.org.faults.slow(2, path=LISTING[either.ADAPTER])
    report = either.lap()
    assert (hangs.hits, report.exit_code) == (1, 3)
    assert names(either) == set()
    monkeypatch.undo()
    assert either.lap().exit_code == 0
    assert names(either) == {"Northwind"}


@pytest.mark.parametrize(("silent_for", "taken_over"), [(80, False), (100, True)])
def test_a_process_elsewhere_that_fell_silent_is_not_waited_for_for_ever(
    either: Environment, silent_for: int, taken_over: bool
) -> None:
    either.account("Northwind")
    heard = datetime.now(UTC) - timedelta(seconds=silent_for)  # the machine's own time, as leases are
    with either.installation.store.write() as tx:
        tx.execute(update(tables.lease).values(owner="elsewhere:1:1:1", beat_at=heard))
    report = either.lap()
    assert (report.busy == []) is taken_over
    assert names(either) == ({"Northwind"} if taken_over else set())


def test_a_service_whose_lap_hangs_says_so_where_a_monitor_looks(
    acme: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SILENCE", timedelta())
    acme.configure(RULES, extra='[schedule]\nsync = "1s"')
    acme.org.faults.slow(3, path=LISTING["salesforce"])
    laps = service.Service(acme.installation)
    acme.trouble = laps.engine.trouble

    def health() -> tuple[int, str]:
        answer = requests.get(f"{acme.web}/healthz", timeout=60)
        return answer.status_code, answer.text

    laps.start()
    wait_for(lambda: health()[0] == 503)
    assert "pull acme has shown no sign of life" in health()[1]
    wait_for(lambda: health() == (200, "ok\n"))
    assert laps.stop(20)
