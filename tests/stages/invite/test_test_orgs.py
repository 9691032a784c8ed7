"""A vendor's sandbox or test account holds real customers' addresses: mail goes to those alone whom [email] only_to names."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from lap_world import CONFIG, CSAT, UNHAPPY, LapWorld

from connector.commands import plan
from connector.commands import why as survey_log
from connector.commands.check.checks import check
from connector.errors import Problem
from connector.store import tables

KIND = "a Salesforce sandbox"
ADDRESS = "maria.virtanen@customer.example"


def become_test_org(world: LapWorld, *, only_to: str = "", rules: str = CSAT + UNHAPPY) -> LapWorld:
    """Make the CRM a copy for tests, whose admin allows these addresses."""
    world.crm.test_kind = KIND
    world.configure(rules, config=allowing(only_to), credentials="of the copy")
    return world


def allowing(only_to: str) -> str:
    return CONFIG.replace("[email]", f"[email]\nonly_to = [{only_to}]", 1)


def closed_case(world: LapWorld, name: str = "Maria Virtanen") -> str:
    account = world.account()
    case = world.crm.case(account, world.crm.contact(account, name))
    world.clock.advance(timedelta(minutes=1))
    world.crm.close(case)
    return case


def failures(report: Any) -> list[Problem]:
    return [problem for errors in report.failures.values() for error in errors for problem in error.problems]


def test_nothing_is_sent_for_a_test_org_while_nobody_is_named(world: LapWorld) -> None:
    become_test_org(world)
    closed_case(world)
    report = world.lap()
    assert (report.sent, world.mailbox.messages, report.exit_code) == (0, [], 2)
    (problem,) = failures(report)
    assert problem.where == "config.toml: email.only_to"
    assert f"acme is {KIND}" in problem.what


def test_what_waited_goes_out_once_its_address_is_named(world: LapWorld) -> None:
    become_test_org(world)
    closed_case(world)
    world.lap()
    become_test_org(world, only_to=f'"{ADDRESS.upper()}"')
    report = world.lap()
    assert (report.sent, world.mailbox.recipients, report.exit_code) == (1, [ADDRESS], 0)


def test_others_get_nothing_and_the_survey_log_says_why(world: LapWorld) -> None:
    become_test_org(world, only_to='"me@acme.example"')
    case = closed_case(world)
    report = world.lap()
    assert (report.sent, world.mailbox.messages, report.exit_code) == (0, [], 0)
    assert [row.reason for row in world.rows(tables.decision)] == ["test_org"]
    assert any("test org" in line and "only_to" in line for line in survey_log.explain(world.store, case))


def test_a_reminder_is_held_back_like_the_invitation(world: LapWorld) -> None:
    rules = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\nreminder_after = "1d"\n'
    world.configure(rules)
    closed_case(world)
    assert world.lap().sent == 1
    become_test_org(world, only_to='"me@acme.example"', rules=rules)
    assert world.lap(timedelta(days=2)).sent == 0
    assert len(world.mailbox.messages) == 1


def test_a_production_org_is_not_held_back(world: LapWorld) -> None:
    world.configure(CSAT, config=allowing('"me@acme.example"'))
    closed_case(world)
    assert (world.lap().sent, world.mailbox.recipients) == (1, [ADDRESS])


def test_alerts_about_a_test_org_go_to_the_named_alone(world: LapWorld) -> None:
    rules = CSAT + UNHAPPY + 'notify = ["account_owner", "https://chat.acme.example/hook"]\n'
    posted: list[str] = []
    for only_to, alerts in ((f'"{ADDRESS}"', []), (f'"{ADDRESS}", "ritva.laine@northwind.example"', ["ritva.laine"])):
        become_test_org(world, only_to=only_to, rules=rules)
        world.installation = replace(world.installation, webhook=lambda url, _post: posted.append(url) or True)
        world.mailbox.messages.clear()
        world.rated(world.account(f"Northwind {len(alerts)}"), 1, who="Maria Virtanen")
        staff = {one.partition("@")[0] for one in world.mailbox.recipients if "northwind.example" in one}
        assert (staff, posted) == (set(alerts), [])


def test_check_and_plan_name_a_test_org_that_is_live_and_has_no_addresses(world: LapWorld) -> None:
    become_test_org(world)
    closed_case(world)
    assert any(
        problem.where == "config.toml: email.only_to" and KIND in problem.what
        for problem in check(world.installation).problems
    )
    planned = plan.next_lap(world.installation)
    assert (planned.noted.messages, planned.report.exit_code) == ([], 2)
    assert any("only_to" in problem.where for problem in failures(planned.report))


def test_check_says_that_only_to_does_not_hold_back_a_production_org(world: LapWorld) -> None:
    world.configure(CSAT, config=allowing('"me@acme.example"'))
    (problem,) = [problem for problem in check(world.installation).problems if problem.where.endswith("only_to")]
    assert (problem.severity, "production" in problem.what) == ("warning", True)


def test_whether_it_is_a_test_org_costs_no_call_in_each_lap(world: LapWorld) -> None:
    become_test_org(world, only_to='"me@acme.example"')
    world.lap()
    before = sum(call.method == "org" for call in world.crm.log.calls)
    world.lap()
    assert sum(call.method == "org" for call in world.crm.log.calls) == before
