"""`write_back`: only differences, never a fight, and what was refused waits for a reason to be tried again."""

from dataclasses import replace

from default_mappings import packaged
from lap_world import CSAT, DAY, UNHAPPY, LapWorld
from sqlalchemy import select

from connector.commands.why import explain
from connector.errors import Locked, RuleRefused, Unavailable
from connector.stages.write_back.contested_fields import CONTESTED, PATIENCE
from connector.store import tables
from mappings.loading import load

RULE = "Accounts in dispute are changed by legal alone"


def test_our_own_writes_come_round_again_and_change_nothing(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    writes = world.writes()
    echo = world.lap()
    counts = echo.pulled["acme"].counts
    assert counts["account"].read == 1
    assert (counts["account"].changed, counts["contact"].changed) == (0, 0)
    assert (echo.written["acme"].created, echo.written["acme"].updated) == (0, 0)
    assert world.writes() == writes


def test_only_what_differs_is_written(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    world.crm.update(account, {"Afterword_Mood__c": "Happy"})
    world.lap()
    with world.store.read() as tx:
        log = tables.write_log
        last = tx.execute(select(log).order_by(log.c.id.desc()).limit(1)).one()
    assert last.before == {"mood": "Happy"}
    assert last.after == {"mood": "Last answer good"}
    assert world.shows(account)["Mood"] == "Last answer good"


def test_a_field_that_others_keep_overwriting_is_left_to_them_and_reported(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    for _ in range(5):
        world.crm.update(account, {"Afterword_Summary__c": "written by a flow"})
        world.lap()
    writes = world.writes()
    world.crm.update(account, {"Afterword_Summary__c": "written by a flow again"})
    world.lap()
    assert world.writes() == writes
    assert world.shows(account)["Summary"] == "written by a flow again"
    (report,) = world.refused()
    assert report["code"] == "contested"
    assert "Afterword_Summary__c" in report["what"]
    assert report["remedy"]
    world.rated(account, 5)
    assert world.shows(account)["People"] == 2  # the other fields go on


def test_a_field_is_left_to_others_though_we_would_say_something_new_each_time(world: LapWorld) -> None:
    account = world.account()
    people = [world.ask(account, world.crm.contact(account, f"Person {number}")) for number in range(CONTESTED + 1)]
    for number, invitation in enumerate(people):
        world.answer(invitation, 5)
        world.lap()
        if number < CONTESTED:
            assert world.shows(account)["Summary"].startswith(f"Person {number}")
            world.crm.update(account, {"Afterword_Summary__c": f"written by a flow, {number}"})
    assert world.shows(account)["Summary"] == f"written by a flow, {CONTESTED - 1}"
    assert [one["code"] for one in world.refused()] == ["contested"]
    assert world.shows(account)["People"] == CONTESTED + 1


def test_a_field_left_to_others_is_tried_once_after_a_week(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    for _ in range(CONTESTED):
        world.crm.update(account, {"Afterword_Summary__c": "written by a flow"})
        world.lap()
    assert world.shows(account)["Summary"] == "written by a flow"
    world.lap(PATIENCE)
    world.rated(account, 5)
    assert "2 of 2 asked" in world.shows(account)["Summary"]
    assert world.refused() == []
    world.crm.update(account, {"Afterword_Summary__c": "written by a flow"})
    world.lap()
    assert world.shows(account)["Summary"] == "written by a flow"
    assert [one["code"] for one in world.refused()] == ["contested"]


def test_changes_by_hand_that_lie_far_apart_are_no_fight(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    for _ in range(CONTESTED + 2):
        world.crm.update(account, {"Afterword_Mood__c": "Happy"})
        world.lap(PATIENCE)
    assert world.shows(account)["Mood"] == "Last answer good"


def test_a_field_that_was_closed_to_us_is_written_when_it_is_opened(world: LapWorld) -> None:
    account = world.account()
    world.crm.protect("Account", "Afterword_Mood__c")
    world.rated(account, 5)
    assert [one["code"] for one in world.refused()] == ["NotPermitted"]
    world.lap()
    assert world.shows(account)["People"] == 1  # everything else, as soon as the schema was asked for again
    world.crm.read_only.clear()
    world.lap(2 * DAY)
    assert (world.shows(account)["Mood"], world.refused()) == ("Last answer good", [])


def test_what_is_put_off_from_lap_to_lap_does_not_fill_the_log(world: LapWorld) -> None:
    account = world.account()
    world.crm.faults.refuse(Locked("row is locked"), lambda row_id, _values: row_id == account)
    world.rated(account, 5)
    for _ in range(2):
        world.lap()
    with world.store.read() as tx:
        lines = tx.execute(select(tables.write_log).where(tables.write_log.c.outcome == "refused")).all()
    assert lines == []
    (report,) = world.refused()
    assert "locked" in report["what"]


def refuse_account(world: LapWorld, account: str) -> None:
    world.crm.faults.refuse(RuleRefused(RULE, remedy="Ask legal."), lambda row_id, _values: row_id == account)


def test_a_refused_record_is_set_aside_with_the_rules_words_and_nothing_waits_for_it(world: LapWorld) -> None:
    account = world.account()
    refuse_account(world, account)
    world.rated(account, 1)
    (refused,) = world.refused()
    assert (RULE in refused["what"], refused["remedy"]) == (True, "Ask legal.")
    assert len(world.tasks()) == 1
    assert any(world.shows(row["Id"]).get("Last_Rating") for row in world.crm.all("Contact"))
    writes = world.writes()
    for _ in range(3):
        report = world.lap()
        assert (report.exit_code, report.written["acme"].refused) == (1, 1)
    assert world.writes() == writes


def test_whoever_asks_about_a_record_is_told_what_was_refused_of_it(world: LapWorld) -> None:
    account, other = world.account(), world.account("Other")
    world.crm.faults.refuse(
        RuleRefused(RULE, remedy="Ask legal."), lambda row_id, values: account in (row_id, values.get("WhatId"))
    )
    world.rated(account, 1)
    world.rated(other, 1)
    told = [line.strip() for line in explain(world.store, account) if RULE in line]
    assert len(told) == 2  # its fields, and its task
    assert all(line.startswith("Could not be written to the CRM, since ") for line in told)
    assert all(line.endswith("Ask legal.") for line in told)
    assert not any(RULE in line for line in explain(world.store, other))


def test_a_refused_record_is_taken_up_again_when_there_is_something_else_to_write(world: LapWorld) -> None:
    account = world.account()
    refuse_account(world, account)
    world.rated(account, 5)
    world.crm.faults.clear()
    world.rated(account, 4)
    assert world.shows(account)["People"] == 2
    assert world.refused() == []
    assert world.lap().exit_code == 0


def test_a_refused_record_is_taken_up_again_when_somebody_has_changed_it(world: LapWorld) -> None:
    account = world.account()
    refuse_account(world, account)
    world.rated(account, 5)
    world.crm.faults.clear()
    world.crm.update(account, {"Industry": "Settled"})
    world.lap()
    assert world.shows(account)["People"] == 1
    assert world.refused() == []


def test_a_refused_record_is_taken_up_again_when_what_is_written_was_mapped_anew(world: LapWorld) -> None:
    account = world.account()
    refuse_account(world, account)
    world.rated(account, 5)
    world.crm.faults.clear()
    world.lap()
    assert world.shows(account) == {}
    text = packaged("salesforce").replace(
        '"text", length = 255, help = "Who, what', '"text", length = 200, help = "Who, what'
    )
    endpoint = replace(world.installation.endpoints[0], mapping=load(text))
    world.installation = replace(world.installation, endpoints=[endpoint])
    world.lap()
    assert (world.shows(account)["People"], world.refused()) == (1, [])


def test_a_record_that_somebody_holds_is_tried_again_in_the_next_lap(world: LapWorld) -> None:
    account = world.account()
    world.crm.faults.refuse(Locked("row is locked"), lambda row_id, _values: row_id == account, times=1)
    world.rated(account, 5)
    world.lap()
    assert world.shows(account)["People"] == 1
    assert world.refused() == []


def test_a_write_whose_answer_was_lost_makes_no_second_task(world: LapWorld) -> None:
    account = world.account()
    world.crm.faults.drop_after(object="Task")
    world.rated(account, 1)
    assert len(world.tasks()) == 1
    world.lap()
    assert len(world.tasks()) == 1
    assert world.lap().exit_code == 0


def test_a_crm_that_is_down_gets_everything_later(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account)
    invitation = world.ask(account, contact)
    world.answer(invitation, 1, "Hello?")
    world.crm.faults.fail(Unavailable("down"), kind="write", times=2)
    for _ in range(2):
        assert world.lap().exit_code == 3
    assert world.tasks() == []
    assert world.lap().exit_code == 0
    assert len(world.tasks()) == 1
    assert world.shows(account)["People"] == 1


def test_quiet_days_write_nothing(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + "[scoring]\nwidest = 100\n")  # no number comes or goes because its range does
    world.rate_all([(world.account(f"Account {number}"), number + 1) for number in range(4)])
    world.lap()
    for _ in range(2):
        world.lap(DAY)  # there are answers to fit a prior on now, and what was due is overdue
    writes = world.writes()
    for _ in range(10):
        world.lap(DAY)
    assert world.writes() == writes


def test_a_refused_task_is_made_when_its_account_was_put_right(world: LapWorld) -> None:
    account = world.account()
    world.crm.faults.refuse(RuleRefused(RULE), lambda _id, values: values.get("WhatId") == account)
    world.rated(account, 1)
    assert (len(world.tasks()), len(world.refused())) == (0, 1)
    world.crm.faults.clear()
    world.lap()
    assert world.tasks() == []
    world.crm.update(account, {"Industry": "Settled"})
    world.lap()
    assert (len(world.tasks()), world.refused()) == (1, [])
