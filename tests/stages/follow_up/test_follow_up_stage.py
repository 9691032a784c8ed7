"""`follow_up`: who is to call whom, once for each reason, and by whom."""

from datetime import timedelta
from typing import Any

import pytest
from lap_world import CONFIG, CSAT, DAY, HOUR, UNHAPPY, LapWorld
from sqlalchemy import insert

from connector.model import Ref
from connector.stages.follow_up.assignment import About
from connector.stages.follow_up.assignment import assign as choose
from connector.store import tables
from connector.store.results import follow_up_facts

SILENCE = '[follow_up.silent]\nwhen = "silence >= 2"\n'
MOOD = '[follow_up.gloomy]\nwhen = "mood = unhappy"\n[scoring]\nminimum = 1\nunhappy_below = 60\n'


def opened(world: LapWorld) -> list[str]:
    """Return the rules of all follow-ups, oldest first."""
    return [row.rule for row in sorted(world.rows(tables.follow_up), key=lambda row: row.opened_at)]


def close_tasks(world: LapWorld) -> None:
    """Let the rep be done with everything."""
    for task in world.tasks():
        world.crm.finish(task["Id"], Afterword_Outcome__c="Solved")
    world.lap()
    assert {row.state for row in world.rows(tables.follow_up)} == {"closed"}


def run_out(world: LapWorld) -> None:
    """Let all invitations run out, and what follows come to pass."""
    world.lap(15 * DAY)
    world.lap()


def only_task(world: LapWorld) -> dict[str, Any]:
    (task,) = world.tasks()
    return task


# ── one for each reason ──────────────────────────────────────────────────────────────────────────────────────────────


def test_each_unhappy_person_of_an_account_has_a_follow_up(world: LapWorld) -> None:
    account = world.account()
    for who, value in (("Ada One", 1), ("Bo Two", 2), ("Cy Five", 5)):
        world.rated(account, value, who=who)
    assert opened(world) == ["unhappy", "unhappy"]
    assert [task["Subject"].split()[1] for task in world.tasks()] == ["Ada", "Bo"]
    assert "Ada One" in world.shows(account)["Attention"]


def test_two_accounts_have_a_follow_up_each(world: LapWorld) -> None:
    world.rate_all([(world.account(name), 1) for name in ("One", "Two")])
    assert opened(world) == ["unhappy", "unhappy"]
    assert len(world.tasks()) == 2


def test_the_first_rule_that_holds_makes_it_and_later_ones_raise_its_priority_and_stand_in_its_text(
    world: LapWorld,
) -> None:
    furious = '[follow_up.furious]\nwhen = "csat <= 1"\npriority = "high"\ndue = "4h"\n'
    world.configure(CSAT + UNHAPPY + furious)
    world.lap()
    world.rated(world.account(), 1)
    (row,) = world.rows(tables.follow_up)
    assert (row.rule, row.priority) == ("unhappy", "high")
    assert {one.rule for one in world.rows(tables.follow_up_rule)} == {"unhappy", "furious"}
    task = only_task(world)
    assert "2 of 5 or less" in task["Description"]
    assert "1 of 5 or less" in task["Description"]
    assert timedelta(hours=3) < row.due_at - row.opened_at <= timedelta(hours=4)


def test_after_it_was_closed_the_next_bad_answer_opens_another(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1)
    close_tasks(world)
    assert "Attention" not in world.shows(account)
    world.lap(DAY)
    world.rated(account, 2)
    assert opened(world) == ["unhappy", "unhappy"]
    assert len(world.tasks()) == 2


def test_a_good_answer_opens_nothing(world: LapWorld) -> None:
    world.rated(world.account(), 5)
    assert opened(world) == []


def test_an_answer_from_before_the_rule_went_live_opens_nothing(world: LapWorld) -> None:
    world.configure(CSAT)
    account = world.account()
    world.rated(account, 1)
    world.configure(CSAT + UNHAPPY)
    for _ in range(3):
        world.lap(HOUR)
    assert opened(world) == []


def test_an_answer_that_comes_to_light_after_a_week_opens_nothing(world: LapWorld) -> None:
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account))
    world.answer(invitation, 1)
    world.lap(8 * DAY)
    assert opened(world) == []
    assert world.shows(account)["People"] == 1


@pytest.mark.parametrize(("metric", "bad", "fine"), [("nps", 6, 7), ("ces", 3, 4), ("speed", 2, 3)])
def test_a_bad_answer_to_whatever_was_asked_opens_one_by_the_rule_low(
    world: LapWorld, metric: str, bad: float, fine: float
) -> None:
    world.configure(CSAT + '[follow_up.low]\nwhen = "low"\n')
    world.lap()
    accounts = [world.account(f"Gave {value:g}") for value in (fine, bad)]
    people = [(account, world.crm.contact(account, f"Person {n}")) for n, account in enumerate(accounts)]
    for invitation, value in zip(world.ask_people(people), (fine, bad), strict=True):
        world.answer(invitation, value, metric=metric)
    world.lap()
    assert opened(world) == ["low"]
    assert f"{bad:g} of" in only_task(world)["Subject"]


# ── moods and silence ────────────────────────────────────────────────────────────────────────────────────────────────


def rate_until(world: LapWorld, account: str, value: float, *, mood: str) -> None:
    """Let one person a day answer until the mood is another."""
    for _ in range(30):
        if world.shows(account).get("Mood") == mood:
            return
        world.lap(DAY)
        world.rated(account, value)
    raise AssertionError(f"it never was {mood}")


def test_a_mood_opens_one_follow_up_for_each_time_it_begins(world: LapWorld) -> None:
    world.configure(CSAT + MOOD)
    world.lap()
    happy = [world.account(f"Happy {number}") for number in range(6)]
    world.rate_all([(account, value) for account in happy for value in (4, 5)])
    gloomy = world.account("Gloomy")
    rate_until(world, gloomy, 1, mood="Unhappy")
    assert opened(world) == ["gloomy"]
    close_tasks(world)
    world.rate_all([(gloomy, 1), (gloomy, 1)])
    world.lap(DAY)
    assert opened(world) == ["gloomy"]
    rate_until(world, gloomy, 5, mood="Mixed")
    assert opened(world) == ["gloomy"]
    rate_until(world, gloomy, 1, mood="Unhappy")
    assert opened(world) == ["gloomy", "gloomy"]
    for task in world.tasks():
        assert ": customer mood Unhappy on " in task["Subject"]
        assert "Why you see this: we call when the mood of a customer is Unhappy." in task["Description"]
        assert "gave 1 of 5 (very dissatisfied) on case " in task["Description"]
    behind = [task["Description"].count(": 1 of 5, very dissatisfied, case ") for task in world.tasks()]
    assert sorted(behind)[0] == 1, "of the first time, whoever had answered by then"
    assert sorted(behind)[1] > 1, "of the second time, several"


def test_silence_opens_one_follow_up_and_the_next_only_after_an_answer(world: LapWorld) -> None:
    world.configure(CSAT + SILENCE)
    world.lap()
    account = world.account()
    contact = world.crm.contact(account)
    world.ask(account, contact)
    run_out(world)
    assert opened(world) == []
    world.ask(account, contact)
    run_out(world)
    assert opened(world) == ["silent"]
    assert "asked 2 times, no answer by " in only_task(world)["Subject"]
    close_tasks(world)
    world.ask(account, contact)
    run_out(world)
    assert opened(world) == ["silent"]
    world.rated(account, 5)
    for _ in range(2):
        world.ask(account, contact)
        run_out(world)
    assert opened(world) == ["silent", "silent"]


# ── who is to call ───────────────────────────────────────────────────────────────────────────────────────────────────


def assign(world: LapWorld, people: str) -> None:
    world.configure(CSAT + UNHAPPY + f"assign = {people}\n")
    world.lap()


def test_the_account_owner_calls(world: LapWorld) -> None:
    world.rated(world.account(), 1, owner=world.crm.user("Hal Desk"))
    assert only_task(world)["OwnerId"] == world.rep


def test_somebody_inactive_is_passed_over_and_the_task_says_so(world: LapWorld) -> None:
    gone = world.crm.user("Gone Long", IsActive=False)
    chief = world.crm.user("Chief", Email="chief@northwind.example")
    assign(world, '["account_owner", "chief@northwind.example"]')
    world.rated(world.account(OwnerId=gone), 1)
    task = only_task(world)
    assert task["OwnerId"] == chief
    assert "Gone Long is no longer active" in task["Description"]


def test_whoever_was_rated_is_passed_over_and_the_task_says_so(world: LapWorld) -> None:
    chief = world.crm.user("Chief", Email="chief@northwind.example")
    assign(world, '["account_owner", "chief@northwind.example"]')
    world.rated(world.account(), 1, owner=world.rep)
    task = only_task(world)
    assert task["OwnerId"] == chief
    assert "Ritva Laine is the person who was rated" in task["Description"]


def test_whoever_was_rated_calls_only_when_there_is_nobody_else(world: LapWorld) -> None:
    assign(world, '["account_owner"]')
    world.rated(world.account(), 1, owner=world.rep)
    task = only_task(world)
    assert task["OwnerId"] == world.rep
    assert "although the answer is about them" in task["Description"]


def test_the_manager_takes_it_before_whoever_was_rated_does_and_the_task_says_so(world: LapWorld) -> None:
    chief = world.crm.user("Chief", Email="chief@northwind.example")
    managed = CONFIG.replace("[web]\n", '[web]\nmanagers = ["chief@northwind.example"]\n')
    world.configure(CSAT + UNHAPPY, config=managed)
    world.lap()
    world.rated(world.account(), 1, owner=world.rep)
    task = only_task(world)
    assert task["OwnerId"] == chief
    assert "Ritva Laine is the person who was rated" in task["Description"]
    assert "those who answer for everything" in task["Description"]


def test_who_was_rated_in_another_crm_is_known_again_by_their_address(world: LapWorld) -> None:
    users = (("other", "User/1", "anna"), ("acme", "User/2", "anna"), ("acme", "User/3", "chief"))
    with world.store.write() as tx:
        for crm, ref, name in users:
            address = f"{name}@northwind.example"
            owner = {"connection": crm, "ref": ref, "name": name, "email": address, "active": True, "standard": True}
            tx.execute(insert(tables.owner).values(id=f"{crm}-{ref}", **owner))
        account = {"connection": "acme", "ref": "Account/9", "customer": "a", "name": "Oy", "owner_ref": "User/2"}
        tx.execute(insert(tables.account).values(id="a", is_customer=True, facts={}, **account))
        about = About(follow_up_facts.account_of(tx, "a"), rated=frozenset({Ref("other", "User", "1")}))
        targets = ["account_owner", "chief@northwind.example"]
        chosen = choose(tx, targets, about, settings=world.installation.settings, now=world.clock.now())
    assert chosen.ref == Ref("acme", "User", "3")


def test_who_owned_a_case_when_it_was_asked_about_was_rated_whoever_owns_it_now(world: LapWorld) -> None:
    chief = world.crm.user("Chief", Email="chief@northwind.example")
    assign(world, '["account_owner", "chief@northwind.example"]')
    account = world.account()
    invitation = world.ask(account, world.crm.contact(account), world.rep)
    (case,) = world.crm.all("Case")
    world.crm.update(case["Id"], {"OwnerId": world.crm.user("New Owner")})
    world.answer(invitation, 1)
    world.lap()
    assert only_task(world)["OwnerId"] == chief


def test_while_somebody_is_away_new_ones_are_the_deputys(world: LapWorld) -> None:
    anna = world.crm.user("Anna", Email="anna@northwind.example")
    rep = "ritva.laine@northwind.example"
    until = (world.clock.now() + 2 * DAY).date()
    away = f'[deputies]\n"{rep}" = "anna@northwind.example"\n[away]\n"{rep}" = {until}\n'
    world.configure(CSAT + UNHAPPY + away)
    world.lap()
    world.rated(world.account(), 1, who="One Away")
    world.clock.advance(3 * DAY)
    world.rated(world.account(), 1, who="Two Back")
    owners = {task["Subject"].split()[1]: task["OwnerId"] for task in world.tasks()}
    assert owners == {"One": anna, "Two": world.rep}
    assert any("Anna stands in for Ritva Laine" in task["Description"] for task in world.tasks())


def test_a_further_answer_that_rates_whoever_has_it_passes_it_on(world: LapWorld) -> None:
    chief = world.crm.user("Chief", Email="chief@northwind.example")
    assign(world, '["account_owner", "chief@northwind.example"]')
    account = world.account()
    contact = world.crm.contact(account)
    for owner in (None, world.rep):
        world.answer(world.ask(account, contact, owner), 1)
        world.lap()
    (row,) = world.rows(tables.follow_up)
    assert row.owner_ref == f"User/{chief}"
    assert "the person who was rated" in row.body


def test_the_due_day_counts_from_the_answer_and_is_the_owners_own_day(world: LapWorld) -> None:
    tokyo = world.crm.user("Far East", TimeZoneSidKey="Asia/Tokyo")
    world.clock.set(world.clock.now().replace(hour=16))
    world.rated(world.account(OwnerId=tokyo), 1)
    tomorrow_in_tokyo = (world.clock.now() + timedelta(hours=24 + 9)).date()
    assert only_task(world)["ActivityDate"] == tomorrow_in_tokyo.isoformat()


# ── second thoughts ──────────────────────────────────────────────────────────────────────────────────────────────────


def answers(world: LapWorld) -> list[tuple[bool, bool]]:
    """Return (counts, after contact) of every answer, oldest first."""
    rows = sorted(world.rows(tables.response), key=lambda row: row.revision)
    return [(row.counts, row.after_contact) for row in rows]


def test_an_answer_corrected_before_a_follow_up_replaces_the_first(world: LapWorld) -> None:
    account = world.account()
    invitation = world.rated(account, 5)
    world.answer(invitation, 2, "On second thoughts")
    world.lap()
    assert answers(world) == [(False, False), (True, False)]
    shown = world.shows(account)
    assert shown["People"] == 1
    assert "2 of 5" in shown["Summary"]
    assert opened(world) == ["unhappy"]


def test_an_answer_changed_after_contact_is_kept_beside_the_first_which_counts(world: LapWorld) -> None:
    account = world.account()
    invitation = world.rated(account, 1, comment="Nobody called.")
    before = world.shows(account)
    close_tasks(world)
    world.answer(invitation, 5, "They called!")
    world.lap()
    assert answers(world) == [(True, False), (False, True)]
    assert before["Mood"] == "Last answer bad"
    assert world.shows(account)["Mood"] == before["Mood"]
    assert opened(world) == ["unhappy"]


def test_the_same_answer_sent_twice_is_one(world: LapWorld) -> None:
    account = world.account()
    invitation = world.rated(account, 2, comment="Twice")
    world.answer(invitation, 2, "Twice")
    world.lap()
    assert len(answers(world)) == 1


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_owner_is_told_once(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + 'notify = ["account_owner"]\n')
    world.lap()
    world.rated(world.account(), 1, comment="Nobody called.")
    for _ in range(3):
        world.lap(HOUR)
    told = [message for message in world.mailbox.messages if message.to == "ritva.laine@northwind.example"]
    assert len(told) == 1
    assert "Nobody called." in told[0].text


@pytest.mark.parametrize("survey", ["nps", "ces"])
def test_a_rule_looks_at_its_own_metric_alone(world: LapWorld, survey: str) -> None:
    world.configure(CSAT + f'[follow_up.other]\nwhen = "{survey} <= 2"\n')
    world.lap()
    world.rated(world.account(), 1)
    assert opened(world) == []
