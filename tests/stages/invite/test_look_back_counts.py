"""`plan --since`: beside a CRM that is out of reach the others are told of, and the database counts what there is."""

from datetime import timedelta
from typing import Any

import pytest
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld
from two_worlds import TwoWorlds

from connector.commands import plan
from connector.errors import Unavailable
from connector.store.surveys import backtest

SPAN = 30 * DAY


def closed(world: Any, crm: Any, count: int) -> None:
    account = crm.account("Northwind")
    for number in range(count):
        case = crm.case(account, crm.contact(account, f"Person {number}"))
        world.clock.advance(timedelta(minutes=1))
        crm.close(case)


def test_a_crm_out_of_reach_is_named_and_the_others_are_told_of(both: TwoWorlds) -> None:
    closed(both, both.crm, 2)
    closed(both, both.other, 3)
    both.lap(HOUR)
    whole = plan.look_back(both.installation, SPAN)
    assert (whole.ended["after-case"], whole.would_ask["after-case"], whole.exit_code) == (5, 5, 0)
    both.other.faults.fail(Unavailable("the CRM is down"), times=1000)
    seen = plan.look_back(both.installation, SPAN)
    assert seen.exit_code == 3
    assert list(seen.unreached) == ["other"]
    assert "the CRM is down" in seen.as_json()["unreached"]["other"]
    assert (seen.ended["after-case"], seen.would_ask["after-case"]) == (2, 2)
    assert {one["contact"] for one in seen.examples} == {"Person 0", "Person 1"}


def test_with_nobody_in_reach_it_fails(world: LapWorld) -> None:
    world.crm.faults.fail(Unavailable("the CRM is down"), times=1000)
    with pytest.raises(Unavailable, match="the CRM is down"):
        plan.look_back(world.installation, SPAN)


def test_however_much_was_decided_few_rows_are_fetched(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.configure(CSAT + UNHAPPY)
    closed(world, world.crm, 60)
    fetched: list[int] = []
    for name in ("outcomes", "asked_at", "examples"):
        real = getattr(backtest, name)

        def counting(*args: Any, _real: Any = real) -> Any:
            rows = _real(*args)
            fetched.append(len(rows))
            return rows

        monkeypatch.setattr(backtest, name, counting)
    seen = plan.look_back(world.installation, timedelta(days=5))
    assert seen.would_ask == {"after-case": 60}
    assert sum(seen.by_week.values()) == 60
    assert len(seen.examples) == plan.EXAMPLES
    assert len(fetched) == 3
    assert sum(fetched) <= 5 + 6 + plan.EXAMPLES
