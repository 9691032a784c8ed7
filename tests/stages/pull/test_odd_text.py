"""Text that a database cannot keep as it is, put there by somebody's import, keeps nothing back."""

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld

from connector.errors import RuleRefused
from connector.store import tables


@pytest.mark.parametrize("odd", ["\x00", "\ud83d", "\udc00"], ids=["nul", "high half", "low half"])
@BOTH_DATABASES
def test_what_is_no_character_is_left_out(world: LapWorld, odd: str) -> None:
    shown = next(one for one in world.crm.definition("Account").fields if "Afterword" in one and "Summary" in one)
    account = world.account(f"North{odd}wind", Industry=f"Ship{odd}ping", **{shown: f"so{odd}"})
    contact = world.crm.contact(account, f"Maria{odd} Virtanen", Email="maria@nw.example")
    world.crm.contact(account, "Odd Address", Email=f"ma{odd}tti@nw.example")
    world.crm.case(account, contact, Subject=f"Lost{odd} key")
    world.account("Southwind")
    assert world.lap().exit_code == 0
    assert sorted(row.name for row in world.rows(tables.account)) == ["Northwind", "Southwind"]
    emails = {row.name: row.email for row in world.rows(tables.contact)}
    assert emails == {"Maria Virtanen": "maria@nw.example", "Odd Address": None}
    counts = world.lap().pulled["acme"].counts
    assert {kind: one.changed for kind, one in counts.items() if one.changed} == {}


@pytest.mark.parametrize("odd", ["\x00", "\ud83d"], ids=["nul", "high half"])
@BOTH_DATABASES
def test_a_refusal_in_odd_words_is_kept_too(world: LapWorld, odd: str) -> None:
    account = world.account()
    world.crm.faults.refuse(RuleRefused(f"legal{odd} alone"), lambda row_id, _values: row_id == account)
    world.rated(account, 5)
    assert [one["what"] for one in world.refused()] == ["legal alone"]
