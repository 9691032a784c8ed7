"""A CRM that finds us too fast is waited for as long as it needs; below its limits we keep by ourselves."""

from datetime import timedelta

import pytest
from environment import Environment
from environment_hubspot import HubSpotEnvironment
from incidents import names

from adapters.hubspot.records import reader
from connector.ports import Query

BURST = {"status": "error", "message": "too fast", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}


@pytest.mark.parametrize(
    ("headers", "pause"), [({}, timedelta(seconds=10)), ({"Retry-After": "17"}, timedelta(seconds=17))]
)
def test_hubspot_is_asked_again_after_the_time_that_it_names(
    hub: HubSpotEnvironment, headers: dict[str, str], pause: timedelta
) -> None:
    hub.account("Northwind")
    mark = hub.org.log.mark()
    refused = hub.org.faults.fail(429, BURST, headers=headers, path=r"companies/search")
    report = hub.lap()
    assert (refused.hits, report.exit_code) == (1, 0)
    assert names(hub) == {"Northwind"}
    first, second = [call for call in hub.org.log.since(mark) if "companies/search" in call.path][:2]
    assert first.status == 429
    assert pause <= second.at - first.at < 2 * pause


def test_many_searches_in_a_row_are_never_refused_and_are_not_slower_than_they_must_be(
    hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_PAGE", 2)
    made = {hub.account(f"Company {number}") for number in range(60)}
    hub.advance(timedelta(minutes=1))  # what the threads of the first lap asked does not count any more
    mark, began = hub.org.log.mark(), hub.clock.now()
    pages = hub.installation.endpoints[0].adapter.changes(Query("companies", ("name",)), since=None, after=None)
    assert {record.id for page in pages for record in page.records} == made
    searches = hub.org.log.since(mark)
    assert {call.status for call in searches} == {200}
    assert len(searches) >= 30
    assert hub.clock.now() - began < timedelta(seconds=len(searches) / 3)


def test_salesforce_with_too_many_calls_under_way_is_asked_again_after_a_pause(acme: Environment) -> None:
    acme.account("Northwind")
    acme.org.limits.crowded = 2
    began = acme.clock.now()
    assert acme.lap().exit_code == 0
    assert acme.org.limits.crowded == 0
    assert names(acme) == {"Northwind"}
    assert acme.clock.now() - began >= timedelta(seconds=5)
