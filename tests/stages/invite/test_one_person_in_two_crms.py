"""A person whom two CRMs know is one: what was asked of them, and what they said last, stands on both records."""

from databases import BOTH_DATABASES
from lap_world import DAY, HOUR
from two_worlds import TwoWorlds

from connector.store import tables


@BOTH_DATABASES
def test_last_asked_and_last_rating_stand_in_both_crms(both: TwoWorlds) -> None:
    account, theirs = both.account("Northwind"), both.other.account("Northwind Oy")
    here = both.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    there = both.other.contact(theirs, "M. Virtanen", Email="Maria@NW.example")
    stranger = both.other.contact(theirs, "Jan Vos", Email="jan@nw.example")
    invitation = both.ask(account, here)
    both.lap()
    asked = both.on(both.crm, here)["Last_Asked"]
    assert both.on(both.other, there) == {"Last_Asked": asked}
    both.answer(invitation, 2)
    both.lap(HOUR)
    rating = both.on(both.crm, here)["Last_Rating"]
    assert str(rating).startswith("2 of 5")
    assert both.on(both.other, there)["Last_Rating"] == rating
    assert both.on(both.other, stranger) == {}


def test_the_newest_answer_stands_whichever_crm_it_came_through_and_whichever_account_is_looked_at(
    both: TwoWorlds,
) -> None:
    account, theirs = both.account("Northwind"), both.other.account("Northwind Oy")
    here = both.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    there = both.other.contact(theirs, "Maria Virtanen", Email="maria@nw.example")
    both.answer(both.ask(account, here), 2)
    both.lap(DAY)
    case = both.other.case(theirs, there)
    both.clock.advance(HOUR)
    both.other.close(case)
    both.lap()
    newest = max(both.rows(tables.invitation), key=lambda row: row.created_at)
    both.answer(newest.id, 5)
    both.lap()
    for _ in range(2):
        assert str(both.on(both.crm, here)["Last_Rating"]).startswith("5 of 5")
        assert both.on(both.other, there)["Last_Rating"] == both.on(both.crm, here)["Last_Rating"]
        assert both.on(both.other, there)["Last_Asked"] == both.on(both.crm, here)["Last_Asked"]
        # Somebody else's answer has the first account looked at again: it must not bring the older rating back.
        both.rated(account, 4, who="Somebody Else")


def test_a_contact_that_comes_later_shows_it_with_the_next_that_happens(both: TwoWorlds) -> None:
    account, theirs = both.account("Northwind"), both.other.account("Northwind Oy")
    here = both.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    both.answer(both.ask(account, here), 2)
    both.lap()
    there = both.other.contact(theirs, "Maria Virtanen", Email="maria@nw.example")
    both.lap()
    both.answer(both.ask(account, here), 4)
    both.lap()
    assert str(both.on(both.other, there)["Last_Rating"]).startswith("4 of 5")
