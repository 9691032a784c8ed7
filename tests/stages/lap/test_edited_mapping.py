"""What an edit of the mapping does to those who wait to be asked, and what it leaves on records, is shown before and told truly."""

from datetime import timedelta

import pytest
from lap_world import DAY, LapWorld
from own_fields import PACKAGED, line, use
from told_undo import Told

from connector.commands import plan, undo
from connector.commands.check import checks
from connector.commands.why import explain
from connector.errors import AfterwordError
from connector.stages import lap

CUSTOMERS = 'in = ["Customer", "Customer - Direct", "Customer - Channel"]'
MINUTE = timedelta(minutes=1)
RULES = '[surveys.after-case]\non = "case.closed"\ndelay = "24h"\nreminder_after = "0s"\n'


def waiting(world: LapWorld, kind: str, person: str) -> str:
    """Let somebody wait for the survey's delay to be over; returns the case."""
    account = world.account(f"{kind} Ltd", Type=kind)
    case = world.crm.case(account, world.crm.contact(account, person))
    world.crm.close(case)
    world.lap(MINUTE)
    return case


def narrowed(world: LapWorld) -> tuple[str, str]:
    """Two wait; then only channel partners are customers."""
    world.configure(RULES)
    world.lap()
    stays, goes = waiting(world, "Customer - Channel", "Maria Stays"), waiting(world, "Customer", "Otto Goes")
    assert CUSTOMERS in PACKAGED
    use(world, PACKAGED.replace(CUSTOMERS, 'is = "Customer - Channel"'))
    return stays, goes


def test_a_plan_shows_whom_an_edit_would_keep_from_being_asked(world: LapWorld) -> None:
    narrowed(world)
    (dropped,) = plan.next_lap(world.installation).as_json()["cancelled"]
    assert (dropped["contact"], dropped["account"], dropped["reason"]) == (
        "Otto Goes",
        "Customer Ltd",
        "not_a_customer",
    )
    assert dropped["survey"] == "after-case"


def test_those_who_are_customers_still_are_asked_and_the_log_tells_why_the_others_are_not(world: LapWorld) -> None:
    stays, goes = narrowed(world)
    assert world.lap(MINUTE).not_invited == {"not_a_customer": 1}
    assert any("the account is not a customer" in one for one in explain(world.store, goes))
    assert any("the survey waits a while" in one for one in explain(world.store, stays))
    world.lap(DAY)
    assert [one.to_name for one in world.mailbox.messages] == ["Maria Stays"]


def test_what_had_ended_before_a_widening_edit_is_history_still(world: LapWorld) -> None:
    world.configure(RULES)
    use(world, PACKAGED.replace(CUSTOMERS, 'is = "Customer - Channel"'))
    world.lap()
    account = world.account("Later a customer", Type="Customer")
    world.crm.close(world.crm.case(account, world.crm.contact(account, "Otto")))
    world.lap(MINUTE)
    use(world, PACKAGED)
    for _ in range(3):
        world.lap(DAY)
    assert world.mailbox.messages == []


def test_a_plan_without_an_edit_cancels_nobody(world: LapWorld) -> None:
    world.configure(RULES)
    world.lap()
    waiting(world, "Customer", "Otto")
    assert plan.next_lap(world.installation).as_json()["cancelled"] == []


# ── what is left on records ──────────────────────────────────────────────────────────────────────────────────────────


def stale(world: LapWorld) -> list[str]:
    return [str(problem) for problem in checks.check(world.installation).problems if "stale" in problem.what]


def test_check_names_a_field_that_still_shows_what_is_written_elsewhere_now(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 5)
    assert stale(world) == []
    use(world, line("account", "mood", '{ field = "Description", own = true }'))
    world.lap()
    (problem,) = stale(world)
    assert "Account.Afterword_Mood__c" in problem
    assert "1 of 1" in problem
    assert "write.account.mood" in problem
    assert "afterword undo acme --field Account.Afterword_Mood__c" in problem
    world.crm.update(account, {"Afterword_Mood__c": None})
    assert stale(world) == []


def test_a_line_that_was_dropped_leaves_a_stale_field_too(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    use(world, "\n".join(one for one in PACKAGED.split("\n") if not one.startswith("mood = {")))
    lap.run(world.installation)
    assert ["Account.Afterword_Mood__c" in one for one in stale(world)] == [True]


def test_a_stale_field_is_cleared_where_nobody_has_changed_it_and_laps_go_on(world: LapWorld) -> None:
    account, other = world.account(), world.account("Other")
    world.rated(account, 5)
    world.rated(other, 5)
    use(world, line("account", "mood", '{ field = "Description", own = true }'))
    world.lap()
    world.crm.update(other, {"Afterword_Mood__c": "Happy"})
    told = Told()
    only = ("Account", "Afterword_Mood__c")
    endpoint = world.installation.endpoints[0]
    undone = undo.carry_out(world.installation, endpoint, only=only, show=told.show)
    assert (undone.exit_code, undone.put_back, undone.paused) == (0, 1, False)
    assert world.crm.get(account).get("Afterword_Mood__c") is None
    assert world.crm.get(other)["Afterword_Mood__c"] == "Happy"
    assert world.shows(account)["People"] == 1
    world.lap()
    assert world.crm.get(account).get("Afterword_Mood__c") is None
    assert world.crm.get(account)["Description"] == "Last answer good"


def test_a_field_that_is_written_is_not_cleared(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    with pytest.raises(AfterwordError, match="the next lap would write it again"):
        undo.plan(
            world.installation, world.installation.endpoints[0], only=("Account", "Afterword_Mood__c"), show=Told().show
        )
