"""Setting up a CRM: what is remembered, what stops it, and what undo would lose."""

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lap_world import LapWorld

from connector.commands import setup_crm
from connector.errors import AuthRevoked, CrmError, NotPermitted, QuotaSpent, RateLimited, RecordRejected, Unavailable
from connector.ports import CrmAdapter, SetupResult, SetupStep
from connector.store.ops import setup_log

STEPS = [SetupStep(f"field:Account.F{number}__c", f"Make F{number}.") for number in range(4)]


def refusing(error: CrmError) -> CrmAdapter:
    """Return an adapter whose second step fails."""

    def apply_setup(steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        for step in steps:
            failed = step is STEPS[1]
            yield SetupResult(step, done=not failed, error=error if failed else None)

    return cast("CrmAdapter", SimpleNamespace(apply_setup=apply_setup))


def made_keys(world: LapWorld) -> list[str]:
    with world.store.read() as tx:
        return [result.step.key for result in setup_log.results(tx, "acme")]


def run(world: LapWorld, adapter: CrmAdapter) -> list[SetupResult]:
    return list(setup_crm.apply(world.store, world.installation.endpoints[0], adapter, STEPS, clock=world.clock))


@pytest.mark.parametrize("error", [NotPermitted, AuthRevoked, Unavailable, RateLimited, QuotaSpent])
def test_what_keeps_every_step_from_being_done_is_met_once(world: LapWorld, error: Callable[[str], CrmError]) -> None:
    results = run(world, refusing(error("no")))
    assert [result.done for result in results] == [True, False]
    assert made_keys(world) == [STEPS[0].key]
    assert setup_crm.left_after(results[-1], STEPS) == 2


def test_a_step_that_is_refused_alone_does_not_stop_the_others(world: LapWorld) -> None:
    assert [result.done for result in run(world, refusing(RecordRejected("no")))] == [True, False, True, True]
    assert made_keys(world) == [STEPS[0].key, STEPS[2].key, STEPS[3].key]


def test_what_we_made_stays_ours_when_a_later_run_finds_it_there(world: LapWorld) -> None:
    def telling(detail: dict[str, Any]) -> CrmAdapter:
        done = [SetupResult(STEPS[0], done=True, detail=detail)]
        return cast("CrmAdapter", SimpleNamespace(apply_setup=lambda steps: iter(done)))

    undo = {"undo": {"action": "delete", "path": "fields/1"}}
    run(world, telling({"existed": True}))
    assert made_keys(world) == []  # somebody else's
    run(world, telling(undo))
    run(world, telling({"existed": True}))
    with world.store.read() as tx:
        assert [result.detail for result in setup_log.results(tx, "acme")] == [undo]


def test_the_schema_is_asked_for_again_even_when_nobody_looks_at_all_results(world: LapWorld) -> None:
    world.lap()
    before = len(world.crm.log.calls)
    world.lap()
    usual = len(world.crm.log.calls) - before
    results = setup_crm.apply(
        world.store, world.installation.endpoints[0], refusing(NotPermitted("no")), STEPS, clock=world.clock
    )
    next(results)
    cast("Any", results).close()
    before = len(world.crm.log.calls)
    world.lap()
    assert len(world.crm.log.calls) - before > usual


# ── values that undo would lose ──────────────────────────────────────────────────────────────────────────────────────


def removals() -> list[SetupStep]:
    fields = [("Account", "Afterword_Mood__c"), ("Account", "Afterword_NPS__c"), ("Contact", "Afterword_No_Surveys__c")]
    return [SetupStep(f"remove:field:{name}", "Remove it.", holds=(owner, name)) for owner, name in fields]


def test_fields_are_counted_by_the_records_with_a_value(world: LapWorld) -> None:
    assert setup_crm.values_held(world.adapter, removals()) == {}
    account = world.account()
    people = [world.crm.contact(account, name) for name in ("Maria", "Pat")]
    world.crm.update(account, {"Afterword_Mood__c": "Happy"})
    world.crm.update(people[0], {"Afterword_No_Surveys__c": True})
    world.crm.update(people[1], {"Afterword_No_Surveys__c": False})
    assert setup_crm.values_held(world.adapter, removals()) == {
        "remove:field:Afterword_Mood__c": 1,
        "remove:field:Afterword_No_Surveys__c": 1,
    }


def test_of_a_field_that_is_hidden_nobody_knows(world: LapWorld) -> None:
    world.crm.hide("Account", "Afterword_Mood__c")
    assert setup_crm.values_held(world.adapter, removals()) == {"remove:field:Afterword_Mood__c": None}


def test_a_step_that_takes_no_field_away_loses_nothing(world: LapWorld) -> None:
    assert setup_crm.values_held(world.adapter, STEPS) == {}
