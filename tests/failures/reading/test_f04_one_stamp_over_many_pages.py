"""A batch update gives thousands of records one stamp: reading gets on inside it, reads each once, and goes on behind it."""

from datetime import timedelta

import pytest
from environment import Environment
from environment_hubspot import HubSpotEnvironment
from incidents import names

from adapters.sandbox.hubspot import search
from connector.stages.order import Stage


def test_more_companies_of_one_stamp_than_a_search_shows(
    hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_RESULTS", 400)  # as with 10,000, in less time
    made = {f"Company {number}" for number in range(901)}
    for name in made:
        hub.account(name)
    hub.advance(timedelta(seconds=1))
    hub.account("Behind them")
    hub.advance(timedelta(hours=1))
    report = hub.lap((Stage.PULL,))
    assert report.exit_code == 0
    assert names(hub) == made | {"Behind them"}
    assert report.pulled["acme"].counts["account"].read == 902


def test_a_lap_that_was_cut_off_inside_one_stamp_goes_on_there(acme: Environment) -> None:
    acme.org.rows_per_page = 2
    for number in range(9):
        acme.account(f"Account {number}")
    acme.org.faults.fail(500, path=r"query/", nth=3, times=20)
    assert acme.lap((Stage.PULL,)).exit_code == 3
    kept = len(names(acme))
    assert 0 < kept < 9
    acme.org.faults.clear()
    before = acme.org.log.mark()
    acme.lap((Stage.PULL,))
    assert len(names(acme)) == 9
    reread = sum(call.rows for call in acme.org.log.since(before, kind="read") if call.sobject == "Account")
    assert reread == 9 - kept
