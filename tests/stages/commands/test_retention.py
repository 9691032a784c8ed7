"""What nothing needs any more goes, at night and in pages; what a promise needs stays."""

from datetime import timedelta
from typing import Any

import pytest
from databases import BOTH_DATABASES
from lap_world import DAY, LapWorld
from sqlalchemy import Table, func, insert, select, update

from connector.commands import retention, undo, why
from connector.commands import status as statuses
from connector.errors import AfterwordError
from connector.model import Delivery
from connector.store import tables
from connector.store.ops.outdated_rows import superseded

YEAR = 365 * DAY


def rows_of_age(world: LapWorld, table: Table, stamp: str, *ages: timedelta, **columns: Any) -> None:
    """Make rows that are so old."""
    now = world.clock.now()
    with world.store.write() as tx:
        for number, age in enumerate(ages):
            made = {name: value(number) if callable(value) else value for name, value in columns.items()}
            tx.execute(insert(table).values({stamp: now - age, **made}))


def count(world: LapWorld, table: Table) -> int:
    with world.store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def text(number: int) -> str:
    return f"k{number}"


@BOTH_DATABASES
def test_rows_go_when_they_have_been_kept_for_long_enough(world: LapWorld) -> None:
    laps, now = count(world, tables.lap), world.clock.now()
    rows_of_age(world, tables.lap, "started_at", 31 * DAY, 29 * DAY, ended_at=now)
    rows_of_age(
        world, tables.inbox, "done_at", 31 * DAY, 29 * DAY, source="bounces", key=text, payload={}, received_at=now
    )
    rows_of_age(world, tables.sign_in, "made_at", 31 * DAY, 29 * DAY, nonce=text, email="r@acme.example")
    rows_of_age(
        world, tables.write_log, "at", 91 * DAY, 89 * DAY, connection="acme", key="k", outcome="updated", after={}
    )
    rows_of_age(world, tables.decision_log, "at", 2 * YEAR + DAY, 2 * YEAR - DAY, decision_id="d", state="refused")
    rows_of_age(
        world, tables.alert, "at", YEAR + DAY, YEAR - DAY, key=text, follow_up_id="f", recipient="r", state="sent"
    )
    pruned = retention.run(world.installation)
    assert pruned.complete
    assert {name: rows for name, rows in pruned.removed.items() if rows} == {
        "lap": 1,
        "inbox": 1,
        "sign_in": 1,
        "write_log": 1,
        "decision_log": 1,
        "alert": 1,
    }
    assert count(world, tables.lap) == laps + 1
    assert [count(world, table) for table in (tables.inbox, tables.sign_in, tables.write_log, tables.alert)] == [1] * 4


@BOTH_DATABASES
def test_an_event_that_is_not_taken_in_yet_stays(world: LapWorld) -> None:
    then = world.clock.now() - YEAR
    with world.store.write() as tx:
        tx.execute(
            insert(tables.inbox).values(source="merge:acme", key="k", payload={"survivor": "x"}, received_at=then)
        )
    retention.run(world.installation)
    assert count(world, tables.inbox) == 1


@BOTH_DATABASES
def test_the_last_write_back_can_be_taken_back_however_long_ago_it_was(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 2)
    lines = count(world, tables.write_log)
    shown = world.shows(account)
    assert shown
    world.clock.advance(YEAR)
    retention.run(world.installation)
    assert count(world, tables.write_log) < lines  # those of the write-backs before the last one
    undo.carry_out(world.installation, world.installation.endpoints[0], show=lambda *_taken: None)
    assert world.shows(account) != shown


@BOTH_DATABASES
def test_undo_does_not_reach_back_behind_what_is_kept(world: LapWorld) -> None:
    rows_of_age(world, tables.write_log, "at", 91 * DAY, connection="acme", key="k", outcome="updated", after={})
    retention.run(world.installation)
    with pytest.raises(AfterwordError, match="not in the log any more"):
        undo.plan(
            world.installation, world.installation.endpoints[0], world.clock.now() - 91 * DAY, show=lambda *_taken: None
        )


@BOTH_DATABASES
def test_what_why_says_of_an_old_decision_stays_true(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 4, who="Maria Virtanen")
    before = why.explain(world.store, account)
    world.clock.advance(3 * YEAR)
    pruned = retention.run(world.installation)
    assert (pruned.removed["decision_log"], pruned.removed["attempt"]) == (1, 1)
    assert why.explain(world.store, account) == before


@pytest.mark.parametrize("state", [Delivery.DUE, Delivery.SENDING])
@BOTH_DATABASES
def test_an_attempt_stays_while_its_message_can_still_be_sent(world: LapWorld, state: Delivery) -> None:
    account = world.account()
    world.ask(account, world.crm.contact(account, "Maria Virtanen"))
    with world.store.write() as tx:
        tx.execute(update(tables.invitation).values(state=state))
    world.clock.advance(3 * YEAR)
    retention.run(world.installation)
    assert count(world, tables.attempt) == 1


@BOTH_DATABASES
def test_nobody_is_told_again_of_what_is_still_open(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    (follow_up,) = world.rows(tables.follow_up)
    common = {"recipient": "r@acme.example", "state": "sent"}
    rows_of_age(world, tables.alert, "at", 2 * YEAR, key=text, follow_up_id=follow_up.id, **common)
    retention.run(world.installation)
    assert count(world, tables.alert) == 1


@BOTH_DATABASES
def test_of_old_scores_the_last_one_of_each_month_stays(world: LapWorld) -> None:
    ages = [3 * YEAR + day * DAY for day in range(90)] + [day * DAY for day in range(5)]
    for customer in ("a", "b"):
        rows_of_age(world, tables.score_history, "at", *ages, customer=customer, method="m", figures={"score": 1})
    retention.run(world.installation)
    now = world.clock.now()
    with world.store.read() as tx:
        rows = tx.execute(select(tables.score_history).order_by(tables.score_history.c.at)).all()
    old = [row for row in rows if row.at < now - 2 * YEAR]
    assert len(rows) - len(old) == 10
    months = {(row.customer, row.at.year, row.at.month): row.at for row in old}
    assert len(months) == len(old) == 8
    written = [now - age for age in ages[:90]]
    newest = {
        max(at for at in written if (at.year, at.month) == month) for month in {(at.year, at.month) for at in written}
    }
    assert set(months.values()) == newest


@BOTH_DATABASES
def test_a_score_that_another_month_or_customer_follows_is_not_superseded(world: LapWorld) -> None:
    ages = [3 * YEAR, 3 * YEAR + 40 * DAY]
    rows_of_age(world, tables.score_history, "at", *ages, customer="a", method="m", figures=None)
    assert superseded(world.rows(tables.score_history)) == []


@BOTH_DATABASES
def test_a_prior_by_which_somebody_is_scored_stays(world: LapWorld) -> None:
    world.rated(world.account(), 4)
    (score,) = world.rows(tables.customer_score)
    for _ in range(3):
        world.lap(60 * DAY)
    world.clock.advance(YEAR)
    retention.run(world.installation)
    versions = {row.version for row in world.rows(tables.prior)}
    assert score.prior_version in versions
    assert len(versions) == 2  # and the newest


def test_it_goes_in_pages_and_ends_when_its_time_is_over(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    rows_of_age(world, tables.sign_in, "made_at", *[40 * DAY] * 7, nonce=text, email="r@acme.example")
    cut_off = retention.run(world.installation, within=timedelta())
    assert (cut_off.complete, count(world, tables.sign_in)) == (False, 7)
    assert retention.run_if_due(world.installation, within=timedelta(minutes=1)) is not None
    assert count(world, tables.sign_in) == 0
    assert retention.run_if_due(world.installation, within=timedelta(minutes=1)) is None
    world.clock.advance(DAY)
    assert retention.run_if_due(world.installation, within=timedelta(minutes=1)) is not None


def test_status_says_what_is_kept_and_what_went(world: LapWorld) -> None:
    rows_of_age(world, tables.sign_in, "made_at", 40 * DAY, DAY, nonce=text, email="r@acme.example")
    assert statuses.status(world.installation)["kept"]["pruned_at"] is None
    retention.run(world.installation)
    kept = statuses.status(world.installation)["kept"]
    assert (kept["pruned_at"], kept["removed"]["sign_in"]) == (world.clock.now().isoformat(), 1)
    oldest = (world.clock.now() - DAY).isoformat()
    assert kept["tables"]["sign_in"] == {"rows": 1, "oldest": oldest, "days": 30}


def test_a_stopped_process_takes_out_nothing_more(world: LapWorld) -> None:
    rows_of_age(world, tables.sign_in, "made_at", 40 * DAY, nonce=text, email="r@acme.example")
    world.installation.stop.set()
    assert not retention.run(world.installation).complete
    assert count(world, tables.sign_in) == 1
