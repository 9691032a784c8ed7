"""Whether the mapping's `is_customer` leaves out most of the accounts that surveys would ask, and what else would find them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from connector.domain.durations import format_duration
from connector.errors import Problem
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.store import Transaction
from connector.store.crm import customers
from connector.store.crm.customers import Coverage
from connector.store.ops import call_counts

LATELY: Final = timedelta(days=365)
"""How far back accounts with ended interactions are counted, where nobody says."""
USUAL: Final = timedelta(days=730)
"""Within which time a won deal is proposed as what makes a customer."""


def left_out(installation: Installation, since: datetime | None = None) -> tuple[Problem, ...]:
    """Return a warning for each CRM of whose accounts more than half are left out, by what was read of it until now."""
    events = {survey.on for survey in installation.settings.surveys.values() if survey.audience == "customers"}
    if not events or not call_counts.is_ready(installation.store):
        return ()
    now = installation.clock.now()
    with installation.store.read() as tx:
        return tuple(_left_out(tx, installation, events, (since or now - LATELY, now)))


def _left_out(
    tx: Transaction, installation: Installation, events: set[str], during: tuple[datetime, datetime]
) -> Iterator[Problem]:
    since, now = during
    for endpoint in installation.endpoints:
        within = endpoint.mapping.won_deal_within
        coverage = customers.coverage(
            tx, endpoint.name, events, since=since, until=now, won_since=now - (within or USUAL)
        )
        missed = coverage.accounts - (coverage.won if within else coverage.said)
        if missed * 2 > coverage.accounts:
            wider = coverage
            if within is not None:
                wider = customers.coverage(tx, endpoint.name, events, since=since, until=now, won_since=now - USUAL)
            yield _warning(endpoint, coverage.accounts, missed, wider)


def _warning(endpoint: Endpoint, accounts: int, missed: int, wider: Coverage) -> Problem:
    within = endpoint.mapping.won_deal_within
    more = missed - (accounts - (wider.won if within else wider.either))
    by_deals = f'is_customer = {{ won_deal_within = "{format_duration(USUAL)}" }}'
    if more > 0:
        remedy = f"{by_deals} would find {more} of them, is_customer = true all."
    else:
        remedy = f"None has a deal that was won in the last {USUAL.days} days; is_customer = true takes every account."
    what = f"leaves out {missed} of {accounts} accounts with ended interactions that surveys are about: nobody there is asked."
    return Problem(f"{endpoint.mapping_name}: account.is_customer", what, remedy, severity="warning")
