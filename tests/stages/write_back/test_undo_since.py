"""Everything written since a time can be taken back: the oldest value from before against the newest that we wrote."""

import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from databases import BOTH_DATABASES
from default_mappings import packaged
from lap_world import DAY, HOUR, LapWorld
from own_fields import line, use
from sqlalchemy import insert, select
from told_undo import Told, told

from connector.cli.output.undo import Json
from connector.commands import undo as commands_undo
from connector.domain.durations import parse_moment
from connector.errors import AfterwordError, CrmError
from connector.stages.write_back.outbox import PAGE
from connector.store import tables
from connector.store.ops import connections

NOTES = "Knows the CFO. Never call before ten."
OWN = '{ field = "Description", own = true }'


def plan(world: LapWorld, since: datetime) -> Told:
    return told(commands_undo.plan, world.installation, since)


def undo(world: LapWorld, since: datetime) -> Told:
    return told(commands_undo.carry_out, world.installation, since)


@BOTH_DATABASES
def test_the_oldest_value_from_before_comes_back_however_often_it_was_written_since(world: LapWorld) -> None:
    account, other = world.account(), world.account("Other")
    world.rated(other, 5)
    world.rated(account, 5)
    first, before = world.shows(account), world.shows(other)
    world.clock.advance(HOUR)
    since = world.clock.now()
    for value in (1, 2, 3):
        world.rated(account, value)
    assert world.shows(account)["People"] == 4
    undone = undo(world, since)
    assert (undone.exit_code, undone.put_back > 1) == (0, True)
    assert world.shows(account) == first
    assert world.shows(other) == before
    world.lap()
    assert world.shows(account) == first  # the connection is paused
    with world.store.read() as tx:
        state = connections.peek(tx, "acme")
    assert state is not None
    assert "taken back" in (state.pause_reason or "")


def test_what_somebody_has_changed_since_is_left_and_the_rest_comes_back(world: LapWorld) -> None:
    account = world.account()
    since = world.clock.now()
    world.rated(account, 5)
    world.rated(account, 5)
    world.crm.update(account, {"Afterword_Mood__c": "Unhappy"})
    undone = undo(world, since)
    assert world.shows(account) == {"Mood": "Unhappy"}
    (step,) = [step for step in undone.steps if step.ref.id == account]
    assert step.left == {"Afterword_Mood__c": "somebody has changed it since"}


def test_notes_that_were_overwritten_come_back_one_answer_later(world: LapWorld) -> None:
    account = world.account(Description=NOTES)
    since = world.clock.now()
    use(world, line("account", "summary", OWN))
    world.rated(account, 1)
    world.rated(account, 2)
    assert world.crm.get(account)["Description"] != NOTES
    undo(world, since)
    assert world.crm.get(account)["Description"] == NOTES


@pytest.mark.parametrize("now", ["dropped", "another field", "not ours any more"])
def test_notes_come_back_though_the_admin_has_put_the_line_right_first(world: LapWorld, now: str) -> None:
    account = world.account(Description=NOTES)
    since = world.clock.now()
    use(world, line("account", "summary", OWN))
    world.rated(account, 1)
    without = "\n".join(row for row in packaged("salesforce").split("\n") if not row.startswith("summary = {"))
    texts = {
        "dropped": without,
        "another field": packaged("salesforce"),
        "not ours any more": line("account", "summary", '"Description"'),
    }
    use(world, texts[now])
    undone = undo(world, since)
    assert undone.exit_code == 0
    assert world.crm.get(account)["Description"] == NOTES


def test_a_field_that_was_deleted_in_the_crm_keeps_no_other_back(world: LapWorld) -> None:
    account = world.account()
    since = world.clock.now()
    world.rated(account, 1)
    world.crm.remove_field("Account", "Afterword_Mood__c")
    with world.store.write() as tx:
        connections.forget_schema(tx, "acme")
    undone = undo(world, since)
    assert undone.exit_code == 0
    assert world.shows(account) == {}
    lefts = [step.left for step in undone.steps if step.ref.id == account]
    assert lefts == [{"Afterword_Mood__c": "we may not read it any more"}]


def test_tasks_that_nobody_has_touched_are_closed_and_others_are_left(world: LapWorld) -> None:
    since = world.clock.now()
    world.rated(world.account(), 1)
    world.rated(world.account("Other"), 1)
    first, second = world.tasks()
    world.crm.update(second["Id"], {"Subject": "Called, no answer"})
    undo(world, since)
    now = {task["Id"]: task["Status"] for task in world.tasks()}
    assert now == {first["Id"]: "Completed", second["Id"]: "Not Started"}


def test_a_plan_says_it_all_and_changes_nothing(world: LapWorld) -> None:
    account = world.account()
    since = world.clock.now()
    world.rated(account, 5)
    world.rated(account, 1)
    writes = world.writes()
    planned = plan(world, since)
    assert (planned.done, planned.since, world.writes()) == (False, True, writes)
    (found,) = [one for one in planned.records if one["object"] == "Account"]
    assert found["fields"]["Afterword_People__c"] == {"before": 2, "after": None}


def test_nothing_to_take_back_is_no_error_and_pauses_nothing(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    world.clock.advance(HOUR)
    undone = undo(world, world.clock.now())
    assert (undone.at, undone.exit_code) == (None, 0)
    with world.store.read() as tx:
        state = connections.peek(tx, "acme")
    assert state is not None
    assert state.paused_at is None


def test_what_is_not_in_the_log_any_more_is_said(world: LapWorld) -> None:
    kept = world.clock.now() - DAY
    with world.store.write() as tx:
        tx.execute(insert(tables.setting), [{"name": "pruned:write_log:acme", "value": kept.isoformat()}])
    with pytest.raises(AfterwordError, match="not in the log any more") as refused:
        plan(world, kept - timedelta(minutes=1))
    assert f"--since {kept:%Y-%m-%dT%H:%M}Z" in refused.value.remedy
    assert plan(world, kept).at is None


@BOTH_DATABASES
def test_a_long_log_is_walked_in_pages(world: LapWorld) -> None:
    """Pages of records, not the table: the number of statements grows by records, and every page is told as it is done."""
    accounts = [world.crm.insert("Account", {"Name": f"Account {number}"}) for number in range(PAGE + 30)]
    since = world.clock.now()
    rows = [
        {
            "connection": "acme",
            "key": f"account:Account/{account}",
            "ref": f"Account/{account}",
            "at": since + timedelta(minutes=time),
            "outcome": "updated",
            "before": {"people": time or None},
            "after": {"people": time + 1},
        }
        for time in range(3)
        for account in accounts
    ]
    with world.store.write() as tx:
        tx.execute(insert(tables.write_log), rows)
    for account in accounts:
        world.crm.update(account, {"Afterword_People__c": 3})
    world.clock.advance(HOUR)
    pages: list[int] = []
    undone = commands_undo.carry_out(
        world.installation, world.installation.endpoints[0], since, show=lambda _undone, page: pages.append(len(page))
    )
    assert (pages, undone.put_back) == ([PAGE, 30], PAGE + 30)
    assert all(world.crm.get(account).get("Afterword_People__c") is None for account in accounts)
    with world.store.read() as tx:
        again = tx.execute(select(tables.write_log).where(tables.write_log.c.key.startswith("undo:"))).all()
    assert len(again) == PAGE + 30


def test_json_is_whole_whatever_happens(world: LapWorld) -> None:
    account = world.account()
    since = world.clock.now()
    out = io.StringIO()
    nothing = Json(out)
    nothing.end(commands_undo.plan(world.installation, world.installation.endpoints[0], since, show=nothing.show))
    found = json.loads(out.getvalue())
    assert found == {"crm": "acme", "written_at": None, "records": [], "done": False, "failure": None}
    world.rated(account, 1)
    world.crm.faults.fail(CrmError("down"), kind="write", object="Account", times=1)
    out = io.StringIO()
    printed = Json(out)
    printed.end(commands_undo.carry_out(world.installation, world.installation.endpoints[0], since, show=printed.show))
    found = json.loads(out.getvalue())
    assert (found["done"], "down" in found["failure"]) == (True, True)
    assert {one["object"] for one in found["records"]} == {"Account", "Contact", "Task"}


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24h", NOW - DAY),
        ("0s", NOW),
        ("2026-11-12", datetime(2026, 11, 11, 22, tzinfo=UTC)),
        ("2026-11-12T14:00", datetime(2026, 11, 12, 12, tzinfo=UTC)),
        (" 2026-11-12 14:00:30 ", datetime(2026, 11, 12, 12, 0, 30, tzinfo=UTC)),
        ("2026-11-12T14:00Z", datetime(2026, 11, 12, 14, tzinfo=UTC)),
        ("2026-11-12T14:00+01:00", datetime(2026, 11, 12, 13, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_companys_zone(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW, HELSINKI) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "24", "12.11.2026", "2026-11-30", "0001-01-01", "9999-12-31", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no moment|future|not a duration"):
        parse_moment(text, NOW, HELSINKI)
