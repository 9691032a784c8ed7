"""Limits run by the clock; a 429 says which one was reached and never how long to wait."""

from datetime import timedelta

import pytest
from hubspot.crm.contacts.exceptions import ApiException
from hubspot_wire import Hub

PATH = "crm/objects/2026-03/contacts"
SEARCH = f"{PATH}/search"


@pytest.fixture
def limited(hub_server, portal):
    """A private app in a portal with its usual limits."""
    with Hub(hub_server.url, str(hub_server.ca_bundle), portal.access_token) as session:
        yield session


def test_the_window_of_ten_seconds_rolls(limited, portal, clock):
    portal.configure(burst=3)
    assert limited.api("GET", PATH).status_code == 200
    clock.advance(timedelta(seconds=5))
    assert [limited.api("GET", PATH).status_code for _ in range(3)] == [200, 200, 429]
    refused = limited.api("GET", PATH)
    body = refused.json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert "Retry-After" not in refused.headers
    clock.advance(timedelta(seconds=5))
    assert [limited.api("GET", PATH).status_code for _ in range(2)] == [200, 429]


def test_answers_tell_what_is_left_but_those_of_searches_do_not(limited):
    told = limited.api("GET", PATH).headers
    assert told["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert (told["X-HubSpot-RateLimit-Max"], told["X-HubSpot-RateLimit-Remaining"]) == ("190", "189")
    assert told["X-HubSpot-RateLimit-Daily-Remaining"] == "999999"
    missing = limited.api("GET", f"{PATH}/7")
    assert (missing.status_code, missing.headers["X-HubSpot-RateLimit-Remaining"]) == (404, "188")
    assert not [name for name in limited.api("POST", SEARCH, json={}).headers if "ratelimit" in name.lower()]


def test_five_searches_a_second_for_all_objects_and_apps_together(limited, portal, clock):
    statuses = [limited.api("POST", SEARCH, json={}).status_code for _ in range(4)]
    with Hub(limited.url, str(limited.verify), portal.oauth.private_app()) as other:
        statuses += [other.api("POST", SEARCH.replace("contacts", "deals"), json={}).status_code for _ in range(2)]
    assert statuses == [200] * 5 + [429]
    refused = limited.api("POST", SEARCH, json={})
    assert refused.json()["policyName"] == "SECONDLY"
    assert refused.json()["message"] == "You have reached your secondly limit."
    assert not [name for name in refused.headers if "ratelimit" in name.lower()]
    assert limited.api("GET", PATH).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert limited.api("POST", SEARCH, json={}).status_code == 200


def test_the_day_ends_at_midnight_of_the_account(limited, portal, clock):
    portal.configure(daily_calls=2)
    assert [limited.api("GET", PATH).status_code for _ in range(3)] == [200, 200, 429]
    refused = limited.api("POST", SEARCH, json={}).json()
    assert (refused["policyName"], refused["message"]) == ("DAILY", "You have reached your daily limit.")
    clock.advance(timedelta(hours=19, minutes=59))
    assert limited.api("GET", PATH).status_code == 429
    clock.advance(timedelta(minutes=1))
    assert limited.api("GET", PATH).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "1"


def test_limits_can_be_switched_off(limited, portal):
    portal.configure(burst=0, daily_calls=0, searches_per_s=0)
    assert {limited.api("POST", SEARCH, json={}).status_code for _ in range(8)} == {200}
    assert not [name for name in limited.api("GET", PATH).headers if "ratelimit" in name.lower()]


def test_the_vendors_package_raises_a_plain_exception(limited, portal, hubspot):
    portal.configure(burst=1)
    limited.api("GET", PATH)
    with pytest.raises(ApiException) as refused:
        hubspot.crm.contacts.basic_api.get_page()
    assert refused.value.status == 429
