"""HubSpot's search shows 10,000 results and then refuses: nothing behind them may be left out."""

from datetime import timedelta

import pytest
from environment_hubspot import HubSpotEnvironment
from incidents import names

from adapters.sandbox.hubspot import search
from connector.stages.order import Stage


def test_more_companies_than_a_search_shows_are_all_read(
    hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_RESULTS", 400)  # as with 10,000, in less time
    made = {f"Company {number}" for number in range(1_001)}
    for name in made:
        hub.account(name)
        hub.advance(timedelta(milliseconds=3))
    assert hub.lap((Stage.PULL,)).exit_code == 0
    assert names(hub) == made
