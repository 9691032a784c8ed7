"""An edition that holds few custom fields gets those that say most, is told which do not fit, and everything else goes on."""

import io

import pytest
from lap_world import LapWorld
from rich.console import Console

from connector.cli.setup import SetUp
from connector.commands import setup_crm
from connector.commands.check import checks


def take_away(world: LapWorld, object_name: str = "Account", *, leave: int = 0) -> None:
    """Take our fields away from an object, and leave room for so many."""
    ours = [name for name in world.crm.definition(object_name).fields if name.startswith("Afterword_")]
    for name in ours:
        world.crm.remove_field(object_name, name)
    there = sum(name.endswith("__c") for name in world.crm.definition(object_name).fields)
    world.crm.most_fields[object_name] = there + leave


def set_up(world: LapWorld, *, dry_run: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=1000)
    return SetUp(
        console, world.installation, world.installation.endpoints[0], world.adapter, dry_run=dry_run
    ).run(), out.getvalue()


def ours(world: LapWorld, object_name: str = "Account") -> set[str]:
    fields = world.crm.definition(object_name).fields
    return {name[10:-3] for name in fields if name.startswith("Afterword_")}


def test_what_fits_is_made_in_the_order_of_the_contract_and_the_rest_is_named(world: LapWorld) -> None:
    take_away(world, leave=3)
    for dry_run in (True, False):
        code, said = set_up(world, dry_run=dry_run)
        assert code == 0
        assert "Account: 3 custom fields are the most, and 0 are there" in said
        assert "Satisfaction (Afterword_Satisfaction__c)" in said
        assert "write.account.satisfaction, write.account.people" in said
        assert "Delete custom fields that nobody uses, or take a larger edition" in said
        assert "failed" not in said
    assert ours(world) == {"Mood", "Attention", "Summary"}
    assert "Account: 3 custom fields are the most, and 3 are there" in set_up(world)[1]


def test_laps_go_on_without_what_did_not_fit(world: LapWorld) -> None:
    take_away(world, leave=3)
    set_up(world)
    account = world.account()
    world.rated(account, 1)
    assert set(world.shows(account)) <= {"Mood", "Attention", "Summary"}
    assert "Attention" in world.shows(account)
    assert len(world.tasks()) == 1
    assert world.refused() == []


def test_check_names_what_has_no_room_and_nothing_where_all_is_there(world: LapWorld) -> None:
    def found() -> list[str]:
        return [
            str(problem) for problem in checks.check(world.installation).problems if "custom fields" in problem.what
        ]

    world.crm.most_fields["Account"] = len(ours(world))
    assert found() == []
    world.crm.hide("Account", "Afterword_Mood__c")  # there, and only hidden from us
    assert found() == []
    take_away(world, leave=12)
    (line,) = found()
    assert "Trend (Afterword_Trend__c)" in line
    assert "write.account.trend" in line
    assert "Satisfaction" not in line


@pytest.mark.parametrize("room", [0, 4])
def test_a_refusal_that_comes_all_the_same_is_told_in_the_same_words_and_the_rest_goes_on(
    world: LapWorld, room: int
) -> None:
    world.crm.tells_limits = False
    take_away(world, leave=room)
    take_away(world, "Contact", leave=99)
    code, said = set_up(world)
    assert code == 0
    assert "Account: the CRM takes no more custom fields, so these do not fit:" in said
    assert "Delete custom fields that nobody uses, or take a larger edition" in said
    assert ours(world) == set(["Mood", "Attention", "Summary", "Satisfaction"][:room])
    assert ours(world, "Contact") == {"Last_Rating", "Last_Asked", "No_Surveys"}


def test_no_more_is_asked_of_a_crm_that_lacks_nothing(world: LapWorld) -> None:
    before = [call for call in world.crm.log.calls if call.method == "field_limits"]
    setup_crm.plan(world.installation.endpoints[0], world.adapter)
    assert [call for call in world.crm.log.calls if call.method == "field_limits"] == before
