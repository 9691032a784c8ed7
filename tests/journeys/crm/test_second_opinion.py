"""The nightly comparison beside HubSpot: what moves no stamp there is found all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from environment import DAY, RULES, standing
from environment_hubspot import HubSpotEnvironment

from connector.commands import reconcile
from connector.runtime.clock import SteppedClock
from connector.store import tables


@pytest.fixture
def live(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[HubSpotEnvironment]:
    """An installation that went live on an empty account a minute ago."""
    with standing(HubSpotEnvironment, tmp_path, store_address, clock) as env:
        env.configure(RULES)
        assert env.lap().exit_code == 0
        yield env


def contact(env: HubSpotEnvironment, contact_id: str) -> Any:
    with env.installation.store.read() as tx:
        table = tables.contact
        return tx.execute(table.select().where(table.c.ref == f"contacts/{contact_id}")).one()


def compared(env: HubSpotEnvironment) -> int:
    env.later(DAY)
    comparison = reconcile.run(env.installation, since=env.clock.now())
    assert comparison.lap.exit_code == 0
    (one,) = comparison.found.values()
    return sum(one.drift.values())


def test_what_moves_no_stamp_is_found_in_the_night(live: HubSpotEnvironment) -> None:
    first, second = live.account("Northwind"), live.account("Contoso")
    maria = live.contact(first, "Maria Virtanen", "maria@nw.example")
    gone = live.contact(first, "Gone Soon", "gone@nw.example")
    live.advance(DAY)
    live.lap()
    live.later(30 * DAY)
    assert compared(live) == 0
    live.org.dissociate("contacts", maria, "companies", first)
    live.org.associate("contacts", maria, "companies", second)
    live.org.purge("contacts", gone)
    assert compared(live) >= 2
    assert contact(live, maria).account_ref == f"companies/{second}"
    assert contact(live, gone).deleted_at is not None
    assert compared(live) == 0
