"""Who is a customer where no field says so: by a won deal; and being told when `is_customer` leaves most accounts out."""

import io
from datetime import timedelta

from databases import BOTH_DATABASES
from lap_world import CSAT, DAY, HOUR, LapWorld
from own_fields import PACKAGED, use
from rich.console import Console

from connector.cli.output import check, results
from connector.cli.output import plan as output_plan
from connector.commands import plan as commands_plan
from connector.commands.check import checks

BY_TYPE = 'is_customer = { field = "Type", in = ["Customer", "Customer - Direct", "Customer - Channel"] }'
SLOW = CSAT.replace('delay = "0s"', 'delay = "24h"')


def by_deals(world: LapWorld, within: str = "730d") -> None:
    assert BY_TYPE in PACKAGED
    use(world, PACKAGED.replace(BY_TYPE, f'is_customer = {{ won_deal_within = "{within}" }}'))


def win(world: LapWorld, account: str) -> str:
    deal = world.crm.deal(account)
    world.crm.win(deal)
    return deal


def close(world: LapWorld, account: str, who: str = "Maria Virtanen") -> str:
    case = world.crm.case(account, world.crm.contact(account, who))
    world.clock.advance(timedelta(minutes=1))
    world.crm.close(case)
    return case


# ── by a deal ────────────────────────────────────────────────────────────────────────────────────────────────────────


@BOTH_DATABASES
def test_an_account_is_a_customer_while_it_has_a_won_deal_within_that_time(world: LapWorld) -> None:
    by_deals(world, "30d")
    world.lap()
    buyer, prospect = world.account("Buyer", Type=None), world.account("Prospect", Type="Customer")
    win(world, buyer)
    world.crm.lose(world.crm.deal(prospect))
    close(world, buyer, "Otto Buyer")
    close(world, prospect, "Paula Prospect")
    report = world.lap()
    assert world.mailbox.recipients == ["otto.buyer@customer.example"]
    assert report.not_invited["not_a_customer"] == 1
    world.lap(31 * DAY)
    close(world, buyer, "Late Buyer")
    assert world.lap().not_invited["not_a_customer"] == 1
    assert len(world.mailbox.recipients) == 1


@BOTH_DATABASES
def test_it_is_decided_when_somebody_is_to_be_asked(world: LapWorld) -> None:
    world.configure(SLOW)
    by_deals(world, "30d")
    world.lap()
    account = world.account("Buyer", Type=None)
    win(world, account)
    world.lap(30 * DAY - 2 * HOUR)
    close(world, account)
    assert world.lap().not_invited == {"delay": 1}
    assert world.lap(25 * HOUR).not_invited == {"not_a_customer": 1}


def test_a_deal_that_is_won_or_read_late_still_counts_for_those_who_were_refused(world: LapWorld) -> None:
    by_deals(world)
    world.lap()
    account = world.account("Buyer", Type=None)
    close(world, account)
    assert world.lap().not_invited == {"not_a_customer": 1}
    win(world, account)
    assert world.lap().invited == 1
    assert world.mailbox.recipients == ["maria.virtanen@customer.example"]


def test_a_deal_lost_again_or_deleted_makes_nobody_a_customer(world: LapWorld) -> None:
    by_deals(world)
    world.lap()
    lost, gone = world.account("Lost", Type=None), world.account("Gone", Type=None)
    first, second = win(world, lost), win(world, gone)
    world.lap()
    world.crm.lose(first)
    world.crm.delete(second)
    close(world, lost, "Lara Lost")
    close(world, gone, "Gerd Gone")
    assert world.lap().not_invited["not_a_customer"] == 2


@BOTH_DATABASES
def test_deals_of_an_account_that_was_merged_away_count_for_the_one_that_stays(world: LapWorld) -> None:
    by_deals(world)
    world.lap()
    kept, loser = world.account("Kept", Type=None), world.account("Loser", Type=None)
    win(world, loser)
    world.lap()
    world.crm.merge(kept, loser)
    world.lap()
    close(world, kept)
    world.lap()
    assert world.mailbox.recipients == ["maria.virtanen@customer.example"]


def test_looking_back_counts_the_deals_as_they_were_won(world: LapWorld) -> None:
    by_deals(world)
    early, late = world.account("Early", Type=None), world.account("Late", Type=None)
    win(world, early)
    close(world, early, "Emma Early")
    close(world, late, "Lea Late")
    world.clock.advance(20 * DAY)
    win(world, late)
    world.clock.advance(DAY)
    seen = commands_plan.look_back(world.installation, 30 * DAY)
    assert seen.would_ask == {"after-case": 1}
    assert seen.reasons["after-case"]["not_a_customer"] == 1


# ── being told ───────────────────────────────────────────────────────────────────────────────────────────────────────


def an_org_without_types(world: LapWorld) -> None:
    for number in range(3):
        account = world.account(f"Untyped {number}", Type=None)
        if number:
            win(world, account)
        close(world, account, f"Person {number}")
    close(world, world.account("Typed"), "Tyyne Typed")


def first_line(show: object) -> str:
    assert callable(show)
    out = io.StringIO()
    show(Console(file=out, width=500))
    return out.getvalue().splitlines()[0]


def test_the_first_line_says_that_is_customer_leaves_out_most_accounts_and_what_would_find_them(
    world: LapWorld,
) -> None:
    an_org_without_types(world)
    plan, seen = commands_plan.next_lap(world.installation), commands_plan.look_back(world.installation, 30 * DAY)
    lines = [
        first_line(lambda console: output_plan.plan(console, plan, world.installation)),
        first_line(lambda console: results.hindsight(console, seen)),
    ]
    world.lap()
    findings = checks.check(world.installation)
    lines.append(first_line(lambda console: check.findings(console, findings)))
    for line in lines:
        assert "account.is_customer" in line
        assert "leaves out 3 of 4 accounts" in line
    for sentence in (
        plan.as_json()["left_out"],
        seen.as_json()["left_out"],
        check.as_json(findings)["problems"][:1],
    ):
        (problem,) = sentence
        assert 'is_customer = { won_deal_within = "730d" } would find 2 of them' in problem["remedy"]
        assert "is_customer = true" in problem["remedy"]
        assert problem["severity"] == "warning"


def test_half_of_the_accounts_are_no_news_nor_those_that_no_survey_for_customers_is_about(world: LapWorld) -> None:
    for name, kind in (("One", None), ("Other", "Customer")):
        close(world, world.account(name, Type=kind), f"Person {name}")
    world.crm.call(world.account("Called", Type=None), None)
    assert commands_plan.next_lap(world.installation).left_out == ()
    close(world, world.account("Third", Type=None), "Person Third")
    assert len(commands_plan.next_lap(world.installation).left_out) == 1
    world.configure(CSAT + 'audience = "everyone"\n')
    assert commands_plan.next_lap(world.installation).left_out == ()


@BOTH_DATABASES
def test_where_deals_say_who_is_a_customer_they_are_counted(world: LapWorld) -> None:
    by_deals(world)
    an_org_without_types(world)
    assert commands_plan.next_lap(world.installation).left_out == ()
    by_deals(world, "1m")
    world.lap(HOUR)
    (problem,) = commands_plan.next_lap(world.installation).left_out
    assert "leaves out 4 of 4 accounts" in problem.what
    assert 'won_deal_within = "730d" } would find 2 of them' in problem.remedy
