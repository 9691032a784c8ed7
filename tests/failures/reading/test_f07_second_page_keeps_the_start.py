"""Every page is asked for from the stored place alone: none forgets where the listing began or where it had got to."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from environment_hubspot import HubSpotEnvironment
from incidents import names

from adapters.sandbox.hubspot import search
from adapters.sandbox.web import Request, Response
from connector.stages.order import Stage


def test_no_search_of_a_later_lap_starts_before_the_watermark(
    hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_RESULTS", 400)
    hub.account("Old")
    hub.advance(timedelta(hours=3))
    hub.lap((Stage.PULL,))
    watermark = hub.clock.now() - timedelta(hours=1)
    for number in range(450):
        hub.account(f"New {number}")
    starts, real = list[datetime](), hub.org.handle

    def handle(request: Request) -> Response:
        if request.target.endswith("companies/search"):
            starts.append(_start(json.loads(request.body)))
        return real(request)

    hub.org.handle = handle  # type: ignore[method-assign]
    hub.lap((Stage.PULL,))
    assert len(starts) >= 3
    assert min(starts) > watermark
    assert starts == sorted(starts)
    assert len(names(hub)) == 451


def _start(body: dict[str, list[dict[str, list[dict[str, str]]]]]) -> datetime:
    (stamp,) = (one for one in body["filterGroups"][0]["filters"] if one["propertyName"] == "hs_lastmodifieddate")
    return datetime.fromtimestamp(int(stamp["value"]) / 1000, tz=UTC)
