"""One open follow-up for each person: what goes into it, what reopens it, what closes it; and nobody's bad answer is in none."""

from datetime import datetime
from typing import Any

import pytest
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld
from sqlalchemy import update
from two_worlds import TwoWorlds

from connector.store import tables
from connector.store.crm import links as stored_links


def follow_ups(world: LapWorld) -> list[Any]:
    """Return all follow-ups, oldest first."""
    return sorted(world.rows(tables.follow_up), key=lambda row: (row.opened_at, row.id))


def only(world: LapWorld) -> Any:
    (row,) = follow_ups(world)
    return row


def answers_in(world: LapWorld, follow_up_id: str) -> set[str]:
    links = world.rows(tables.follow_up_response)
    return {link.response_id for link in links if link.follow_up_id == follow_up_id}


def nobody_is_in_none(world: LapWorld) -> None:
    """Every bad answer is in exactly one follow-up, and nobody has two that are not closed."""
    ratings = {row.response_id: row.value for row in world.rows(tables.rating)}
    bad = {row.id for row in world.rows(tables.response) if (row.counts or row.after_contact) and ratings[row.id] <= 2}
    links = [link.response_id for link in world.rows(tables.follow_up_response)]
    assert sorted(links) == sorted(bad)
    about = [(row.customer, row.about) for row in follow_ups(world) if row.state != "closed"]
    assert len(about) == len(set(about))


def again(world: LapWorld, account: str, contact: str, value: float, comment: str = "") -> str:
    """Let somebody be asked once more and answer."""
    invitation = world.ask(account, contact)
    world.answer(invitation, value, comment)
    world.lap()
    return invitation


def wait_for_outcome(world: LapWorld) -> None:
    """Make as if the task had been completed without an outcome."""
    since: datetime = world.clock.now()
    with world.store.write() as tx:
        tx.execute(update(tables.follow_up).values(state="waiting_for_outcome", waiting_since=since))


# ── further bad answers ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_further_bad_answer_goes_into_the_same_follow_up(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    again(world, account, maria, 2, "Nobody called back.")
    before = only(world)
    world.lap(DAY)
    again(world, account, maria, 1, "Still nobody.")
    after = only(world)
    assert (after.id, after.due_at) == (before.id, before.due_at)
    assert len(answers_in(world, after.id)) == 2
    assert "1 of 5" in after.subject
    assert after.body.index("Still nobody.") < after.body.index("Nobody called back.")
    nobody_is_in_none(world)


def test_the_worst_answer_leads_and_the_newest_words_are_there(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    again(world, account, maria, 1, "Worst.")
    world.lap(DAY)
    again(world, account, maria, 2, "Newest.")
    row = only(world)
    assert "1 of 5" in row.subject
    assert "Worst." in row.body
    assert "Newest." in row.body


def test_a_rule_that_holds_later_raises_the_priority_and_stands_in_the_text(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + '[follow_up.furious]\nwhen = "csat <= 1"\npriority = "high"\n')
    world.lap()
    account = world.account()
    maria = world.crm.contact(account)
    again(world, account, maria, 2)
    assert only(world).priority == "normal"
    again(world, account, maria, 1)
    row = only(world)
    assert (row.rule, row.priority) == ("unhappy", "high")
    assert "1 of 5 or less" in row.body


def test_a_bad_answer_that_no_rule_is_about_is_told_to_whoever_calls_that_person_anyway(world: LapWorld) -> None:
    world.configure(CSAT + '[follow_up.furious]\nwhen = "csat <= 1"\n')
    world.lap()
    account = world.account()
    maria = world.crm.contact(account)
    again(world, account, maria, 2, "Hardly better.")
    assert follow_ups(world) == []
    again(world, account, maria, 1)
    again(world, account, maria, 2, "Not better at all.")
    assert "Not better at all." in only(world).body
    assert "Hardly better." not in only(world).body


def test_a_bad_answer_while_an_outcome_is_waited_for_opens_the_same_follow_up_again(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account)
    again(world, account, maria, 2)
    before = only(world)
    wait_for_outcome(world)
    world.lap(3 * DAY)
    again(world, account, maria, 1)
    row = only(world)
    assert (row.id, row.state, row.waiting_since) == (before.id, "open", None)
    assert row.due_at > world.clock.now()
    nobody_is_in_none(world)


def test_contacts_of_one_address_are_one_person(world: LapWorld) -> None:
    account = world.account()
    twice = [world.crm.contact(account, f"Maria {n}", Email="maria@customer.example") for n in (1, 2)]
    for contact in twice:
        again(world, account, contact, 1)
    assert len(answers_in(world, only(world).id)) == 2


def test_two_who_come_to_have_one_address_are_joined(world: LapWorld) -> None:
    account = world.account()
    contacts = [world.crm.contact(account, f"Maria {n}", Email=f"maria{n}@customer.example") for n in (1, 2)]
    for contact in contacts:
        again(world, account, contact, 1)
    first, second = follow_ups(world)
    world.crm.update(contacts[1], {"Email": "maria1@customer.example"})
    world.lap()
    again(world, account, contacts[1], 2)
    joined = {row.id: (row.state, row.closed_by, row.joined_into) for row in follow_ups(world)}
    assert joined == {first.id: ("open", None, None), second.id: ("closed", "joined", first.id)}
    nobody_is_in_none(world)


@pytest.mark.parametrize("how", ["another address", "merged into somebody else"])
def test_who_is_somebody_else_by_now_gets_one_of_their_own(world: LapWorld, how: str) -> None:
    account = world.account()
    shared = [world.crm.contact(account, f"Desk {n}", Email="desk@customer.example") for n in (1, 2)]
    for contact in shared:
        again(world, account, contact, 1, f"Words of {contact}.")
    assert len(answers_in(world, only(world).id)) == 2
    if how == "another address":
        world.crm.update(shared[1], {"Email": "maria@customer.example"})
    else:
        world.crm.merge(world.crm.contact(account, "Jussi Aho", Email="jussi@customer.example"), shared[1])
    for _ in range(2):
        world.lap(HOUR)
    unclosed = [row for row in follow_ups(world) if row.state != "closed"]
    assert sorted(sum(f"Words of {contact}." in row.body for row in unclosed) for contact in shared) == [1, 1]
    assert len(unclosed) == 2
    nobody_is_in_none(world)


# ── what closes it ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_good_answer_to_another_invitation_closes_it(world: LapWorld) -> None:
    account = world.account()
    maria, jussi = (world.crm.contact(account, name) for name in ("Maria Virtanen", "Jussi Aho"))
    again(world, account, maria, 1)
    again(world, account, jussi, 2)
    world.lap(DAY)
    again(world, account, maria, 5)
    by_person = {row.contact_id: row for row in follow_ups(world)}
    assert sorted((row.state, row.closed_by) for row in by_person.values()) == [
        ("closed", "later_answer"),
        ("open", None),
    ]
    (closed,) = (row for row in by_person.values() if row.state == "closed")
    assert closed.note.startswith("Maria Virtanen gave 5 of 5 (very satisfied) on ")
    assert closed.body.startswith("Needs no call any more: Maria Virtanen gave 5 of 5 (very satisfied) on ")
    assert "Jussi Aho" in world.shows(account)["Attention"]
    assert "Maria" not in world.shows(account)["Attention"]


def test_a_middling_answer_and_somebody_elses_good_one_close_nothing(world: LapWorld) -> None:
    account = world.account()
    maria, jussi = (world.crm.contact(account, name) for name in ("Maria Virtanen", "Jussi Aho"))
    again(world, account, maria, 1)
    again(world, account, maria, 3)
    again(world, account, jussi, 5)
    assert only(world).state == "open"


def test_a_good_answer_of_before_and_a_correction_close_nothing(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account)
    again(world, account, maria, 5)
    invitation = again(world, account, maria, 1)
    world.answer(invitation, 5, "They called!")
    world.lap()
    assert only(world).state == "open"


def test_a_correction_for_the_worse_reaches_whoever_calls(world: LapWorld) -> None:
    account = world.account()
    invitation = world.rated(account, 2, comment="Slow.")
    world.answer(invitation, 1, "And now rude, too.")
    world.lap()
    assert "And now rude, too." in only(world).body
    nobody_is_in_none(world)


def test_a_good_answer_that_came_right_after_the_bad_one_leaves_nothing_open(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account)
    bad, good = (world.ask(account, maria) for _ in range(2))
    world.answer(bad, 1)
    world.answer(good, 5)
    world.lap()
    assert (only(world).state, only(world).closed_by) == ("closed", "later_answer")
    assert world.tasks() == []
    nobody_is_in_none(world)


def test_what_somebody_opened_again_is_not_closed_by_the_same_answer_again(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account)
    again(world, account, maria, 1)
    again(world, account, maria, 5)
    with world.store.write() as tx:
        tx.execute(update(tables.follow_up).values(state="open", closed_by=None, closed_at=None))
    world.rated(account, 4)
    for _ in range(2):
        world.lap(HOUR)
    assert only(world).state == "open"


# ── what vanishes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_follow_up_outlives_its_contact_and_what_was_asked_about(world: LapWorld) -> None:
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    again(world, account, maria, 1)
    world.crm.delete(maria)
    for case in world.crm.all("Case"):
        world.crm.delete(case["Id"])
    world.lap(HOUR)
    world.lap(HOUR)
    assert only(world).state == "open"
    assert world.shows(account)["Attention"].startswith("Somebody: 1 of 5")  # nobody is named whom the CRM has deleted


def test_a_follow_up_goes_with_the_last_account_and_is_back_with_it(world: LapWorld) -> None:
    account = world.account()
    again(world, account, world.crm.contact(account), 1)
    world.crm.delete(account)
    world.lap(HOUR)
    assert (only(world).state, only(world).closed_by) == ("closed", "account_gone")
    nobody_is_in_none(world)
    world.crm.restore(account)
    world.lap(HOUR)
    assert (only(world).state, only(world).closed_by) == ("open", None)


# ── merges ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_merging_contacts_and_accounts_joins_two_about_one_person_and_loses_nobodys_words(world: LapWorld) -> None:
    one, other = (world.account(name) for name in ("Northwind", "Northwind Oy"))
    maria = [world.crm.contact(one, name) for name in ("Maria V", "Maria Virtanen")]
    for contact in maria:
        again(world, one, contact, 1, f"Words of {contact}.")
    jussi = world.crm.contact(other, "Jussi Aho")
    again(world, other, jussi, 2, "Words of Jussi.")
    world.crm.merge(maria[1], maria[0])
    world.lap(HOUR)
    world.crm.merge(one, other)
    for _ in range(2):
        world.lap(HOUR)
    unclosed = [row for row in follow_ups(world) if row.state != "closed"]
    assert len({row.customer for row in unclosed}) == 1
    assert len(unclosed) == 2
    assert sum(all(f"Words of {contact}." in row.body for contact in maria) for row in unclosed) == 1
    assert sum("Words of Jussi." in row.body for row in unclosed) == 1
    open_tasks = [
        task["Subject"] for task in world.tasks() if not task.get("IsClosed") and task["Status"] != "Completed"
    ]
    assert len(open_tasks) == 2
    nobody_is_in_none(world)


# ── linked accounts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_is_parted_gets_one_of_their_own_however_often_accounts_are_linked_and_part(both: TwoWorlds) -> None:
    accounts = both.account("Northwind"), both.other.account("Northwind Oy")
    here = both.crm.contact(accounts[0], "Maria Virtanen", Email="maria@nw.example")
    there = both.other.contact(accounts[1], "Maria Virtanen", Email="maria@nw.example")
    both.answer(both.ask(accounts[0], here), 1)
    case = both.other.case(accounts[1], there)
    both.clock.advance(HOUR)
    both.other.close(case)
    both.lap()
    both.answer(max(both.rows(tables.invitation), key=lambda row: row.created_at).id, 2)
    both.lap()
    for _ in range(2):
        for link, unclosed in (("northwind.example", 1), (None, 2)):
            with both.store.write() as tx:
                tx.execute(update(tables.account).values(link=link))
                assert stored_links.settle(tx, both.clock.now()) == 1
            both.lap(HOUR)
            assert len([row for row in follow_ups(both) if row.state != "closed"]) == unclosed
            assert both.rows(tables.owed_follow_up) == []
            nobody_is_in_none(both)
