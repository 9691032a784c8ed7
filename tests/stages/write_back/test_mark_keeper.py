"""The installation's mark in whole laps: when it is read and renewed, and that nothing is sent or written where it is not ours."""

from datetime import timedelta
from io import StringIO

import pytest
from lap_world import CONFIG, CSAT, DAY, HOUR, LapWorld
from own_fields import PACKAGED, use
from rich.console import Console

from connector.cli.setup import SetUp
from connector.commands import plan, reconcile, setup_crm, status, undo
from connector.commands.check.checks import check
from connector.domain.installation_mark import Mark, text_of
from connector.errors import MarkError, NotPermitted, RecordRejected
from connector.model import MARK_KEY
from connector.runtime.installation_id import FILE, ensure_id, read_id
from connector.stages import lap
from connector.stages.order import AFTER_AN_ANSWER
from connector.store import tables
from connector.store.ops import marks

MINUTE = timedelta(minutes=1)


def the_mark(world: LapWorld) -> dict[str, object]:
    (row,) = [row for row in world.crm.all("Task") if row.get("Afterword_Key__c") == MARK_KEY]
    return row


def looks(world: LapWorld) -> int:
    return sum(call.method == "find" for call in world.crm.log.calls)


def closed_case(world: LapWorld, name: str = "Maria Virtanen") -> None:
    account = world.account()
    case = world.crm.case(account, world.crm.contact(account, name))
    world.clock.advance(MINUTE)
    world.crm.close(case)


def taken_over(world: LapWorld, installation: str = "b" * 24) -> None:
    """Let another installation put its run into the mark."""
    world.crm.update(the_mark(world)["Id"], {"Description": text_of(Mark(installation, "theirs", world.clock.now()))})


def set_up(world: LapWorld, **how: bool) -> SetUp:
    endpoint = world.installation.endpoints[0]
    console = Console(file=StringIO(), width=200)
    return SetUp(console, world.installation, endpoint, world.adapter, **{"dry_run": False} | how)


# ── when it is read ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_quiet_laps_look_at_it_once_an_hour_and_renew_it(world: LapWorld) -> None:
    before, text = looks(world), the_mark(world)["Description"]
    for _ in range(36):
        assert world.lap().exit_code == 0
    assert looks(world) - before <= 3
    assert the_mark(world)["Description"] != text
    assert the_mark(world)["IsClosed"] is True


def test_every_lap_that_sends_looks_first(world: LapWorld) -> None:
    for name in ("Maria Virtanen", "Timo Laine"):
        closed_case(world, name)
        before = looks(world)
        assert world.lap().sent == 1
        assert looks(world) > before


def test_the_lap_of_an_answer_looks_before_it_writes(world: LapWorld) -> None:
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account, "Maria Virtanen"))
    world.answer(invitation, 1)
    world.clock.advance(2 * MINUTE)
    before = looks(world)
    assert lap.run(world.installation, stages=AFTER_AN_ANSWER, may_wait=False).written["acme"].created == 1
    assert looks(world) == before + 1


def test_mail_that_is_due_when_the_mark_is_renewed_waits_for_the_lag_or_for_a_later_lap(world: LapWorld) -> None:
    world.lap(2 * HOUR)  # renews it
    closed_case(world)
    report = lap.run(world.installation, may_wait=False)
    assert (report.sent, report.exit_code) == (0, 0)
    assert report.held == {"acme": world.clock.now() + world.adapter.lag - MINUTE}
    assert lap.run(world.installation).sent == 1
    world.clock.advance(2 * HOUR)
    closed_case(world, "Timo Laine")
    began = world.clock.now()
    assert lap.run(world.installation).sent == 1
    assert world.clock.now() >= began + world.adapter.lag


def test_a_first_live_lap_makes_the_mark_where_there_is_none(world: LapWorld) -> None:
    world.crm.delete(the_mark(world)["Id"])
    with world.store.write() as tx:
        marks.forget(tx, "acme")
    (world.folder / FILE).unlink()
    assert world.lap().exit_code == 0
    assert str(read_id(world.folder)) in str(the_mark(world)["Description"])


# ── where it is another's ────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_sent_written_or_decided_where_it_is_anothers(world: LapWorld) -> None:
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account, "Timo Laine"))
    world.answer(invitation, 1)
    closed_case(world)
    taken_over(world)
    world.mailbox.messages.clear()
    writes, decided = world.writes(), len(world.rows(tables.decision))
    world.lap(2 * MINUTE)
    report = world.lap(2 * HOUR)
    (error,) = report.failures["acme"]
    assert isinstance(error, MarkError)
    assert ("another installation (id " + "b" * 24) in error.what
    assert (report.exit_code, report.sent, world.mailbox.messages, world.writes()) == (2, 0, [], writes)
    assert len(world.rows(tables.decision)) - decided <= 1
    assert "another installation" in str(status.status(world.installation)["crm"]["acme"]["last_error"])
    assert any("another installation" in problem.what for problem in check(world.installation).problems)
    planned = plan.next_lap(world.installation)
    assert (planned.noted.messages, planned.noted.writes, planned.report.exit_code) == ([], [], 2)


def test_another_that_comes_in_the_middle_of_sending_stops_the_rest(world: LapWorld) -> None:
    account = world.account()
    for number in range(4):
        case = world.crm.case(account, world.crm.contact(account, f"Person {number}"))
        world.crm.close(case)
    send = world.mailbox.send

    def slowly(message: object) -> None:
        send(message)  # type: ignore[arg-type]
        world.clock.advance(timedelta(seconds=50))
        if len(world.mailbox.messages) == 2:
            taken_over(world)

    world.mailbox.send = slowly  # type: ignore[method-assign]
    report = world.lap()
    assert (report.sent, report.exit_code) == (2, 2)


def test_managers_get_no_report_from_a_copy(world: LapWorld) -> None:
    web = '[reports]\nweekly = "mon 08:00"\n[web]\nmanagers = ["cx@acme.example"]\n'
    world.configure(CSAT, config=CONFIG.replace("[web]\n", web, 1))
    world.lap()
    world.mailbox.messages.clear()
    ours = the_mark(world)["Description"]
    taken_over(world)
    world.lap(7 * DAY)
    assert world.mailbox.messages == []
    world.crm.update(the_mark(world)["Id"], {"Description": ours})
    world.lap()
    assert [message.to for message in world.mailbox.messages] == ["cx@acme.example"]


@pytest.mark.parametrize("text", [None, "Please call Maria."])
def test_a_text_that_somebody_changed_stops_it_until_the_admin_says_so(world: LapWorld, text: str | None) -> None:
    world.crm.update(the_mark(world)["Id"], {"Description": text, "Subject": "Call"})
    report = world.lap(2 * HOUR)
    assert report.exit_code == 2
    assert "--take-over" in report.failures["acme"][0].remedy
    assert set_up(world, take_over=True).run() == 0
    assert world.lap().exit_code == 0


def test_a_mark_in_a_text_that_the_mapping_no_longer_names_is_not_said_to_be_changed(world: LapWorld) -> None:
    assert 'body = "Description"\n' in PACKAGED
    use(world, PACKAGED.replace('body = "Description"\n', ""))
    report = world.lap(2 * HOUR)
    assert report.exit_code == 2
    (error,) = report.failures["acme"]
    assert "changed" not in error.what
    assert "body" in error.what
    assert "[write.task]" in error.remedy
    assert "--take-over" in error.remedy
    assert any("body" in problem.what for problem in check(world.installation).problems)
    assert set_up(world, take_over=True).run() == 0
    assert world.lap().exit_code == 0


def test_undo_of_a_write_back_is_not_for_a_copy(world: LapWorld) -> None:
    world.rated(world.account(), 1)
    taken_over(world)
    world.clock.advance(2 * MINUTE)
    undone = undo.carry_out(world.installation, world.installation.endpoints[0], show=lambda *_: None)
    assert isinstance(undone.failure, MarkError)


# ── where it cannot be kept ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_crm_that_refuses_the_task_is_told_and_nothing_is_sent(world: LapWorld) -> None:
    closed_case(world)
    world.crm.faults.refuse(RecordRejected("no tasks today."), test=lambda _id, values: "Subject" in values, times=None)
    report = world.lap(2 * HOUR)
    (error,) = report.failures["acme"]
    assert "could not be written" in error.what
    assert "no tasks today" in error.what
    assert (report.sent, world.mailbox.messages, report.exit_code) == (0, [], 3)
    assert error.remedy


def test_a_crm_that_may_only_be_read_is_told_and_nothing_is_sent(world: LapWorld) -> None:
    closed_case(world)
    world.crm.faults.fail(NotPermitted("read only.", remedy="Grant it."), kind="write", times=None)
    report = world.lap(2 * HOUR)
    assert (report.sent, report.exit_code) == (0, 3)
    assert (report.failures["acme"][0].remedy, world.mailbox.messages) == ("Grant it.", [])


def test_without_the_field_of_the_key_nothing_is_sent(world: LapWorld) -> None:
    closed_case(world)
    world.crm.protect("Task", "Afterword_Key__c")
    world.configure('[surveys.after-case]\non = "case.closed"\ndelay = "0s"\n')
    with world.store.write() as tx:
        tx.execute(tables.connection_state.update().values(schema=None))
    report = world.lap()
    assert (report.sent, report.exit_code) == (0, 2)
    assert any(isinstance(error, MarkError) and "setup-crm" in error.remedy for error in report.failures["acme"])


def test_an_id_that_cannot_be_kept_is_told(world: LapWorld) -> None:
    (world.folder / FILE).write_text("not an id", encoding="ascii")
    report = world.lap(2 * HOUR)
    assert report.exit_code == 2
    assert FILE in report.failures["acme"][0].where


def test_the_id_is_made_once(world: LapWorld) -> None:
    assert ensure_id(world.folder) == read_id(world.folder) == ensure_id(world.folder)


# ── who looks, and what it is not ────────────────────────────────────────────────────────────────────────────────────


def test_plan_reads_it_and_changes_nothing(world: LapWorld) -> None:
    closed_case(world)
    world.clock.advance(2 * HOUR)
    (world.folder / FILE).unlink()
    text, writes = the_mark(world)["Description"], len(world.crm.log.calls)
    planned = plan.next_lap(world.installation)
    assert [message.to for message in planned.noted.messages] == ["maria.virtanen@customer.example"]
    assert all(write.key != MARK_KEY for _, write in planned.noted.writes)
    assert the_mark(world)["Description"] == text
    assert not (world.folder / FILE).exists()
    assert not any(call.kind == "write" for call in world.crm.log.calls[writes:])


def test_it_is_no_interaction_no_follow_up_and_no_drift(world: LapWorld) -> None:
    for _ in range(3):
        counts = world.lap(DAY).pulled["acme"].counts
        assert sum(one.changed for one in counts.values()) == 0
    comparison = reconcile.run(world.installation, since=world.clock.now())
    assert sum(sum(result.drift.values()) for result in comparison.found.values()) == 0
    assert (world.rows(tables.interaction), world.rows(tables.follow_up), world.tasks()) == ([], [], [])
    assert status.status(world.installation)["refused"] == []


def test_check_tells_how_it_stands(world: LapWorld) -> None:
    findings = check(world.installation)
    assert findings.marks["acme"].startswith("acme: marked as this installation's, last on ")
    world.crm.delete(the_mark(world)["Id"])
    assert "nobody has marked" in check(world.installation).marks["acme"]


def test_setup_makes_it_once_and_undo_takes_it_away(world: LapWorld) -> None:
    text = the_mark(world)["Description"]
    assert set_up(world).run() == 0
    assert the_mark(world)["Description"] == text
    endpoint = world.installation.endpoints[0]
    list(setup_crm.apply(world.store, endpoint, world.adapter, world.adapter.plan_setup([]), clock=world.clock))
    assert setup_crm.remove_mark(world.store, endpoint, base=world.folder, clock=world.clock)
    assert [row for row in world.crm.all("Task") if row.get("Afterword_Key__c")] == []
    assert not setup_crm.remove_mark(world.store, endpoint, base=world.folder, clock=world.clock)


def test_undo_leaves_anothers_mark(world: LapWorld) -> None:
    taken_over(world)
    endpoint = world.installation.endpoints[0]
    assert not setup_crm.remove_mark(world.store, endpoint, base=world.folder, clock=world.clock)
    assert the_mark(world)


def test_setup_says_whose_it_is_and_takes_it_over_by_the_admins_word(world: LapWorld) -> None:
    taken_over(world)
    told = set_up(world)
    assert told.run() == 2
    assert "--take-over" in told.console.file.getvalue()  # type: ignore[attr-defined]
    assert set_up(world, take_over=True, dry_run=True).run() == 0
    assert "theirs" in str(the_mark(world)["Description"])
    assert set_up(world, take_over=True).run() == 0
    assert world.lap().exit_code == 0
