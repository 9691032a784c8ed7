"""Salesforce forgets open listings: with a new session, and when there are too many. Reading goes on behind the last page.

HubSpot holds no listing open for us: there each page is a search of its own.
"""

import pytest
from environment import Environment
from incidents import accounts, answering, during, names


@pytest.fixture
def five(acme: Environment) -> Environment:
    """Five accounts, each on a page of its own."""
    acme.org.rows_per_page = 1
    for number in range(5):
        acme.account(f"Account {number}")
    return acme


def test_a_listing_that_was_forgotten_halfway_goes_on_behind_its_last_page(five: Environment) -> None:
    with during(five, accounts(five), five.org.locators.by_name.clear, nth=3):
        report = five.lap()
    assert report.exit_code == 0
    assert len(names(five)) == 5
    assert report.pulled["acme"].counts["account"].read == 5


def test_a_session_that_ends_takes_its_listings_with_it_and_nothing_else(five: Environment) -> None:
    ended = five.org.faults.expire_token(path=r"query/", nth=2)
    report = five.lap()
    assert ended.hits == 1
    assert report.exit_code == 0
    assert report.pulled["acme"].counts["account"].read == 5


def test_a_crm_that_forgets_every_listing_fails_the_lap_and_loses_nothing(five: Environment) -> None:
    five.org.rows_per_page = 1

    def forget(*_: object) -> None:
        five.org.locators.by_name.clear()

    with answering(five, accounts(five), forget) as pages:
        laps = 0
        while len(names(five)) < 5:
            five.lap()
            laps += 1
    assert laps == 2
    assert len(pages) < 20
