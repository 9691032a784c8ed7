"""A field that the CRM refuses is set aside alone, and what was refused is tried again when the reason may be gone."""

from datetime import timedelta
from typing import Any

import pytest
from lap_world import DAY, LapWorld
from sqlalchemy import update

from connector.commands import retry, setup_crm
from connector.commands.check import checks
from connector.commands.why import explain
from connector.errors import AfterwordError, BadOption, RuleRefused, SchemaChanged
from connector.model import Ref
from connector.store import tables
from connector.store.ops import connections
from connector.store.outbox import fields, retries

MOOD = "Afterword_Mood__c"
WHAT = "bad value for restricted picklist field: Last answer bad"
MINUTE = timedelta(minutes=1)


def refuse(world: LapWorld, *fields: str, times: int | None = None) -> None:
    """Let a picklist take no value: the CRM names the first such field."""
    for field in fields:
        error = BadOption(f"{WHAT}", remedy="Add the value.", code="INVALID_OR_NULL", fields=[field])
        more = {} if times is None else {"times": times}
        world.crm.faults.refuse(error, lambda _row, values, field=field: values.get(field) is not None, **more)


def refuse_record(world: LapWorld, record: str) -> None:
    world.crm.faults.refuse(RuleRefused("Ask legal."), lambda row, values: record in (row, values.get("WhatId")))


# ── one field ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_other_fields_are_written_and_the_field_is_set_aside_with_its_name(world: LapWorld) -> None:
    account = world.account()
    refuse(world, MOOD)
    world.rated(account, 1)
    shown = world.shows(account)
    assert "Mood" not in shown
    assert {"People", "Attention", "Summary"} <= shown.keys()
    (report,) = world.refused()
    assert (MOOD in report["what"], WHAT in report["what"], report["remedy"]) == (True, True, "Add the value.")
    assert any(MOOD in line for line in explain(world.store, account))


def test_several_fields_are_set_aside_together(world: LapWorld) -> None:
    account = world.account()
    refuse(world, MOOD, "Afterword_Summary__c")
    world.rated(account, 1)
    assert {"Mood", "Summary"}.isdisjoint(world.shows(account))
    assert world.shows(account)["People"] == 1
    (report,) = world.refused()
    assert (MOOD in report["what"], "Afterword_Summary__c" in report["what"]) == (True, True)


def test_later_laps_write_what_changes_and_do_not_send_the_refused_field_again(world: LapWorld) -> None:
    account = world.account()
    refuse(world, MOOD)
    world.rated(account, 1)
    writes = world.writes()
    for _ in range(2):
        world.lap(MINUTE)
    assert world.writes() == writes
    world.rated(account, 1)
    assert world.shows(account)["People"] == 2
    assert [MOOD in one["what"] for one in world.refused()] == [True]


def test_the_field_is_written_as_soon_as_it_is_taken(world: LapWorld) -> None:
    account = world.account()
    refuse(world, MOOD)
    world.rated(account, 1)
    world.crm.faults.clear()
    with world.store.write() as tx:
        retries.again(tx, "acme")
    world.lap()
    assert (world.shows(account)["Mood"], world.refused()) == ("Last answer bad", [])


def test_a_new_value_is_tried_at_once(world: LapWorld) -> None:
    account = world.account()
    error = BadOption(WHAT, fields=[MOOD])
    world.crm.faults.refuse(error, lambda _row, values: values.get(MOOD) == "Last answer bad")
    world.rated(account, 5)
    with world.store.write() as tx:
        rows = tx.execute(tables.outbox_record.select().where(tables.outbox_record.c.target == "account")).all()
        for row in rows:
            wanted: dict[str, Any] = {**row.desired, "mood": "Happy"}
            mine = tables.outbox_record.c.ref == row.ref
            tx.execute(update(tables.outbox_record).where(mine).values(desired=wanted, pending=True))
    world.lap()
    assert (world.shows(account)["Mood"], world.refused()) == ("Happy", [])


def test_a_refusal_that_names_all_fields_or_none_is_about_the_record(world: LapWorld) -> None:
    account = world.account()
    refuse_record(world, account)
    world.rated(account, 5)
    assert world.shows(account) == {}
    assert ["Ask legal" in one["what"] for one in world.refused()] == [True]


def test_a_record_is_not_sent_again_where_a_field_could_not_be_cleared_and_the_others_were_refused(
    world: LapWorld,
) -> None:
    account = world.account()
    world.rated(account, 1)
    world.crm.faults.refuse(BadOption(WHAT, fields=[MOOD]), lambda _row, values: MOOD in values)
    refuse_record(world, account)
    with world.store.write() as tx:
        fields.set_desired(tx, Ref("acme", "Account", account), "account", {"mood": None, "summary": "New."})
    world.lap(MINUTE)
    writes = world.writes()
    world.lap(MINUTE)
    assert (world.writes(), len(world.refused())) == (writes, 1)


# ── tried again ──────────────────────────────────────────────────────────────────────────────────────────────────────


def mended(world: LapWorld) -> str:
    """A task was refused by a rule; then the rule was mended. Nothing about the record itself has changed."""
    account = world.account()
    refuse_record(world, account)
    world.rated(account, 1)
    for _ in range(2):
        world.lap(MINUTE)
    assert (world.tasks(), len(world.refused())) == ([], 2)  # the account and its task
    world.crm.faults.clear()
    return account


def healed(world: LapWorld, account: str) -> bool:
    return (len(world.tasks()), world.shows(account)["Mood"], world.refused()) == (1, "Last answer bad", [])


def test_everything_is_tried_again_once_a_day(world: LapWorld) -> None:
    account = mended(world)
    world.lap(MINUTE)
    assert world.tasks() == []
    world.lap(DAY)
    assert healed(world, account)


@pytest.mark.parametrize("after", ["check", "resume", "setup-crm"])
def test_everything_is_tried_again_after_what_an_admin_does_when_something_was_mended(
    world: LapWorld, after: str
) -> None:
    account = mended(world)
    endpoint = world.installation.endpoints[0]
    match after:
        case "check":
            checks.check(world.installation)
        case "resume":
            with world.store.write() as tx:
                connections.resume(tx, "acme")
        case _:
            steps = setup_crm.plan(endpoint, world.adapter)
            list(setup_crm.apply(world.store, endpoint, world.adapter, steps, clock=world.clock))
    world.lap(MINUTE)
    assert healed(world, account)


def test_what_was_refused_is_tried_again_after_a_write_of_its_kind_went_well(world: LapWorld) -> None:
    account = mended(world)
    world.clock.advance(5 * MINUTE)
    world.rated(world.account("Other"), 1)
    world.lap(MINUTE)
    assert len(world.tasks()) == 2
    assert world.shows(account)["Mood"]


def test_what_is_refused_for_good_is_not_sent_with_every_success(world: LapWorld) -> None:
    """Where only some are refused, others succeed all the time: the pauses grow."""
    account, other = world.account(), world.account("Other")
    world.rated(other, 5)
    refuse_record(world, account)
    world.rated(account, 5)
    sent = 0
    for number in range(12):
        before = {one["record"]: one["attempts"] for one in world.refused()}
        with world.store.write() as tx:
            tx.execute(
                update(tables.outbox_record)
                .where(tables.outbox_record.c.ref == f"Account/{other}")
                .values(desired={"people": number + 10}, pending=True)
            )
        world.lap(5 * MINUTE)
        after = {one["record"]: one["attempts"] for one in world.refused()}
        sent += sum(after.values()) - sum(before.values())
    assert 1 <= sent <= 4


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_retry_writes_at_once_what_is_taken_now(world: LapWorld) -> None:
    account = mended(world)
    retried = retry.retry(world.installation, world.installation.endpoints[0], ())
    assert (retried.exit_code, retried.tried, retried.refused, retried.live) == (0, 2, [], True)
    assert healed(world, account)


def test_retry_names_what_is_refused_again(world: LapWorld) -> None:
    account = world.account()
    refuse_record(world, account)
    world.rated(account, 5)
    key = f"account:Account/{account}"
    retried = retry.retry(world.installation, world.installation.endpoints[0], (key,))
    assert (retried.exit_code, retried.tried) == (1, 1)
    assert ["Ask legal" in write["what"] for write in retried.refused] == [True]
    assert retried.as_json()["refused"][0]["record"] == key


def test_retry_of_one_leaves_the_others(world: LapWorld) -> None:
    account = mended(world)
    retried = retry.retry(world.installation, world.installation.endpoints[0], (f"account:Account/{account}",))
    assert (retried.tried, world.tasks()) == (1, [])
    assert world.shows(account)["Mood"]


def test_retry_of_what_was_not_refused_names_it(world: LapWorld) -> None:
    with pytest.raises(AfterwordError, match="nothing was refused under account:Account/7"):
        retry.retry(world.installation, world.installation.endpoints[0], ("account:Account/7",))


def test_retry_while_paused_says_so_and_the_next_live_lap_takes_it_up(world: LapWorld) -> None:
    account = mended(world)
    with world.store.write() as tx:
        connections.pause(tx, "acme", world.clock.now(), "by hand")
    retried = retry.retry(world.installation, world.installation.endpoints[0], ())
    assert (retried.live, retried.exit_code, world.tasks()) == (False, 0, [])
    with world.store.write() as tx:
        connections.end_pauses(tx)
    world.lap(MINUTE)
    assert healed(world, account)


def test_a_field_that_went_is_left_out_and_the_others_are_written_in_the_same_lap(world: LapWorld) -> None:
    account = world.account()
    error = SchemaChanged("no such column", object_name="Account", field=MOOD)
    world.crm.faults.refuse(error, lambda _row, values: MOOD in values)  # type: ignore[arg-type]
    world.rated(account, 5)
    assert world.shows(account)["People"] == 1
