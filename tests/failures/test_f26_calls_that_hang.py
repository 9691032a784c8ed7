"""No call is waited for without end, and a process that hangs on another machine holds up the others for 90 seconds."""

from datetime import UTC, datetime, timedelta

import pytest
from house import House
from incidents import names
from sqlalchemy import update

from adapters.hubspot import patience as hubspots
from adapters.salesforce import patience as salesforces
from connector.store import tables

LISTING = {"salesforce": r"FROM%20Account%20", "hubspot": r"companies/search"}


def test_a_call_that_is_not_answered_ends_the_lap_and_the_next_one_goes_on(
    either: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in (hubspots, salesforces):
        monkeypatch.setattr(patience, "READ_SECONDS", 0.5)
    monkeypatch.setattr("adapters.hubspot.client._ATTEMPTS", 1)
    monkeypatch.setattr("adapters.salesforce.client._ATTEMPTS", 1)
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
    either: House, silent_for: int, taken_over: bool
) -> None:
    either.account("Northwind")
    heard = datetime.now(UTC) - timedelta(seconds=silent_for)  # the machine's own time, as leases are
    with either.installation.store.write() as connection:
        connection.execute(update(tables.lease).values(owner="elsewhere:1:1:1", beat_at=heard))
    report = either.lap()
    assert (report.busy == []) is taken_over
    assert names(either) == ({"Northwind"} if taken_over else set())
