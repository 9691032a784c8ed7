"""A version that was put back in place of a later one, with the same schema: what it does not understand is told, or done without."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from lap_world import CSAT, LapWorld
from sqlalchemy import update

from connector.cli.guard import guarded
from connector.commands import plan, reconcile, status
from connector.commands.why import explain
from connector.store import tables


@pytest.fixture
def known(world: LapWorld) -> LapWorld:
    """An installation that has asked a customer."""
    account = world.account()
    world.ask(account, world.crm.contact(account))
    world.lap()
    return world


def change(world: LapWorld, table: Any, **columns: Any) -> None:
    with world.store.write() as tx:
        tx.execute(update(table).values(**columns))


def later_positions(world: LapWorld) -> None:
    """Let a later version have kept where reading stands."""
    for row in world.rows(tables.cursor):
        later = json.dumps({**json.loads(row.position), "format": 99}) if row.position else row.position
        mine = (tables.cursor.c.object == row.object) & (tables.cursor.c["pass"] == row[2])
        with world.store.write() as tx:
            tx.execute(update(tables.cursor).where(mine).values(position=later))


def exit_of(do: Callable[[], object]) -> int:
    """Return with what a command ends that does this."""
    with pytest.raises(typer.Exit) as ended:
        guarded(lambda: _discard(do()))()
    return int(ended.value.exit_code)


def _discard(_: object) -> None:
    raise typer.Exit(0)


@pytest.mark.parametrize("command", ["sync", "reconcile", "status", "plan"])
def test_positions_of_a_later_version_are_told_with_what_to_do(
    known: LapWorld, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    later_positions(known)
    commands: dict[str, Callable[[], object]] = {
        "sync": known.lap,
        "reconcile": lambda: reconcile.run(known.installation, since=known.clock.now()),
        "status": lambda: status.status(known.installation),
        "plan": lambda: plan.next_lap(known.installation),
    }
    assert exit_of(commands[command]) == 2
    told = capsys.readouterr().err
    assert "later version" in told
    assert "Install the version that you had" in told
    assert "Traceback" not in told


def test_a_comparison_that_a_later_version_began_is_told(known: LapWorld) -> None:
    with known.store.write() as tx:
        row = {"connection": "acme", "object": "Contact", "position": '{"format": 99}', "compared": 1, "drift": 0}
        tx.execute(tables.reconciliation.insert().values(**row))
    assert exit_of(lambda: reconcile.run(known.installation, since=known.clock.now())) == 2


def test_what_else_a_later_version_knew_of_fields_is_left_out(known: LapWorld) -> None:
    (row,) = known.rows(tables.connection_state)
    schema = row.schema
    for one in schema["objects"].values():
        one["keeps_history"] = True
        for field in one["fields"].values():
            field["formula"] = "1 + 1"
    change(known, tables.connection_state, schema=schema)
    assert known.lap().exit_code == 0


def test_a_reason_that_a_later_version_gave_stands(known: LapWorld) -> None:
    account = known.account("Southwind")
    case = known.crm.case(account, known.crm.contact(account, "Mika Laine"))
    change(known, tables.decision, state="refused", reason="on_parental_leave")
    change(known, tables.decision_log, reason="on_parental_leave")
    change(known, tables.interaction, decide_at=known.clock.now())
    assert known.lap().exit_code == 0
    assert {row.reason for row in known.rows(tables.decision)} == {"on_parental_leave"}
    (asked_about,) = (row for row in known.crm.all("Case") if row["Id"] != case)
    assert any("on_parental_leave" in line for line in explain(known.store, asked_about["Id"]))


def test_questions_of_a_later_version_are_told_and_nobody_is_written_to(known: LapWorld) -> None:
    known.configure(CSAT.replace('reminder_after = "0s"', 'reminder_after = "5d"'))
    sent = len(known.mailbox.messages)
    change(known, tables.invitation, questionnaire={"version": 99}, state="due", sent_at=None)
    change(known, tables.attempt, state="failed")
    assert exit_of(known.lap) == 2
    assert len(known.mailbox.messages) == sent
