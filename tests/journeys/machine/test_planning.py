"""`plan` says exactly what the next sync does, and does nothing itself."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from environment import AFTER_CASE, DAY, HOUR, LAG, LIMITS, UNHAPPY, Environment
from rich.console import Console
from sqlalchemy import Column, Table, select

from connector.cli.output import plan as output_plan
from connector.commands import plan
from connector.stages import lap
from connector.store.tables import metadata

RULES = AFTER_CASE + 'reminder_after = "4d"\n' + UNHAPPY + 'notify = ["account_owner"]\n'
OBJECTS = ("Account", "Contact", "Case", "Task", "Event", "Opportunity", "User")
OURS_ON_A_TASK = ("Subject", "Description", "Priority", "Status", "ActivityDate", "OwnerId", "WhoId", "WhatId")


def busy_week(env: Environment) -> None:
    """Leave the environment where a lap has everything to do: mails to send, a reminder, answers to bring in, a task to make."""
    env.configure(RULES)
    env.lap()
    rep = env.org.add_user("Ritva Laine", "ritva@acme.example")
    accounts = [env.account(f"Account {number}", owner=rep) for number in range(4)]
    for number, account in enumerate(accounts):
        env.closed_case(account, env.contact(account, f"Person {number}", f"p{number}@nw.example"))
    env.later(HOUR)
    env.later(DAY)
    env.answer(env.mailbox.to("p0@nw.example")[0], 1, "Slow.")
    env.answer(env.mailbox.to("p1@nw.example")[0], 5, "Great.")
    env.lap()
    env.advance(3 * DAY)
    env.closed_case(accounts[3], env.contact(accounts[3], "New Person", "new@nw.example"))
    env.later(HOUR)
    env.answer(env.mailbox.to("p2@nw.example")[0], 2, "Meh.")
    env.advance(DAY)
    env.mark()


def rows(env: Environment) -> dict[tuple[str, str], dict[str, Any]]:
    return {(name, row["Id"]): row for name in OBJECTS for row in env.org.rows(name, deleted=True)}


def differences(before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """Return what changed in the CRM, in the plan's words, the stamps and what Salesforce derives aside."""
    found = []
    for place, row in after.items():
        old = before.get(place)
        names = (
            OURS_ON_A_TASK if old is None else {name for name in {*row, *old} if name.startswith(("Afterword_", "Own"))}
        )
        fields = {
            name: {"before": (old or {}).get(name), "after": row.get(name)}
            for name in names
            if old is None or old.get(name) != row.get(name)
        }
        if fields:
            action = "create" if old is None else "update"
            found.append(
                {"crm": "acme", "action": action, "object": place[0], "id": place[1] if old else None, "fields": fields}
            )
    return sorted(found, key=_place)


def plain(writes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a plan's writes with their values in one form, whatever either side writes a moment or a number like."""
    found = [
        {name: value for name, value in write.items() if name not in ("key", "record")}
        | {
            "fields": {
                name: {k: _plain(change[k]) for k in ("before", "after")} for name, change in write["fields"].items()
            }
        }
        for write in writes
    ]
    return sorted(found, key=_place)


def _place(write: dict[str, Any]) -> str:
    return f"{write['object']} {write['id']} {write['fields'].get('WhatId')}"


def _plain(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 18 and value[4] == "-" and value[10] == "T":
        return datetime.fromisoformat(value).astimezone(UTC)
    return float(value) if isinstance(value, int | float) else value


def test_plan_names_what_the_next_sync_writes_and_sends(env: Environment) -> None:
    busy_week(env)
    # A quiet lap renews the installation's mark; mail that is due goes out in the next one without a wait.
    env.lap((lap.Stage.PULL,))
    env.advance(LAG)
    planned = json.loads(json.dumps(plan.next_lap(env.installation).as_json()))
    before = rows(env)
    report = env.lap()
    assert plain(planned["writes"]) == plain(differences(before, rows(env)))
    assert planned["mails"] == [{"to": mail.to, "subject": mail.subject} for mail in env.mailbox.mails]
    actions = [write["action"] for write in planned["writes"]]
    written = report.as_json()["crm"]["acme"]["written"]
    assert (actions.count("create"), actions.count("update")) == (written["created"], written["updated"])
    assert planned["lap"]["invited"] == report.invited == 1
    assert planned["lap"]["follow_ups"] == report.follow_ups == 1
    # It was worth looking: an invitation, reminders and an alert; fields, and a task.
    assert len(planned["mails"]) >= 3
    assert {write["object"] for write in planned["writes"]} == {"Account", "Contact", "Task"}


def test_plan_names_records_as_people_know_them(env: Environment) -> None:
    busy_week(env)
    planned = plan.next_lap(env.installation)
    writes = planned.as_json()["writes"]
    named = {write["record"] for write in writes}
    assert {"Account 2", "Person 2"} <= named
    (task,) = [write for write in writes if write["object"] == "Task"]
    assert task["record"] == task["fields"]["Subject"]["after"]
    labels = {change["label"] for write in writes for change in write["fields"].values()}
    assert {"Customer mood", "Subject"} <= labels

    said = _printed(planned, env)
    (heading,) = [line for line in said if line.startswith("~ acme: Account Account 2 (")]
    below = said[said.index(heading) + 1 :]
    assert any(line.startswith("    Customer mood (Afterword_Mood__c): (empty) -> ") for line in below)
    assert f"+ acme: Task {task['record']} (new)" in said
    headings = [line for line in said if line.startswith(("~ acme", "+ acme"))]
    assert len(headings) == len(set(headings))
    mails, creates, updates = len(planned.noted.messages), planned.creates, planned.updates
    assert f"would create {creates}, update {updates}; would send {mails} mails" in said
    assert not [line for line in said if line.startswith(("invited", "acme: created"))]


def _printed(planned: plan.Plan, env: Environment) -> list[str]:
    console = Console(file=io.StringIO(), highlight=False, soft_wrap=True)
    output_plan.plan(console, planned, env.installation)
    return cast(io.StringIO, console.file).getvalue().splitlines()


def test_plan_while_paused_shows_what_resuming_would_do_and_resumes_nothing(env: Environment) -> None:
    busy_week(env)
    going = plan.next_lap(env.installation).as_json()
    assert going["writes"] and going["mails"]
    for which in ((), ("--crm", "acme")):
        env.command("pause", *which)
        held = plan.next_lap(env.installation).as_json()
        assert (held["writes"], held["mails"]) == (going["writes"], going["mails"])
        before = rows(env)
        env.lap()
        assert rows(env) == before
        env.command("resume", *which)


def test_plan_while_paused_says_so_and_why(today: Environment) -> None:
    today.configure(RULES)
    today.command("sync")
    for which in ((), ("--crm", "acme")):
        today.command("pause", *which, "--reason", "holiday")
        said = today.command("plan").out
        assert "acme is paused (holiday): nothing is sent or written for it until `afterword resume`. This is" in said
        assert "Nothing would be sent or written." not in said
        today.command("resume", *which)
        said = today.command("plan").out
        assert "paused" not in said
        assert "Nothing would be sent or written." in said


def test_plan_does_nothing_anywhere(env: Environment) -> None:
    busy_week(env)
    before, store = rows(env), contents(env)
    planned = plan.next_lap(env.installation)
    assert planned.as_json()["writes"]
    assert rows(env) == before
    assert env.writes == []
    assert env.mailbox.mails == []
    assert contents(env) == store
    assert plan.next_lap(env.installation).as_json()["writes"] == planned.as_json()["writes"]


def contents(env: Environment) -> dict[str, list[str]]:
    """Return everything in the store but how many calls were made: those of a trial count as well."""
    counting = {"call_count", "calls_allowed", "calls_used"}
    with env.installation.store.read() as tx:
        return {
            table.name: sorted(map(repr, tx.execute(select(*_but(table, counting))).all()))
            for table in metadata.sorted_tables
            if table.name not in counting
        }


def _but(table: Table, names: set[str]) -> list[Column[Any]]:
    return [column for column in table.c if column.name not in names]


def test_after_the_sync_there_is_nothing_left_to_plan(env: Environment) -> None:
    busy_week(env)
    env.lap()
    nothing = plan.next_lap(env.installation).as_json()
    assert (nothing["writes"], nothing["mails"]) == ([], [])


def test_the_command_plans_in_json_alone_and_sync_then_does_it(today: Environment) -> None:
    today.configure(RULES.replace("24h", "0s"))
    today.command("sync")
    account = today.account("Northwind")
    today.closed_case(account, today.contact(account, "Maria Virtanen", "maria@nw.example"))
    today.mark()
    done = today.command("plan", "--json")
    assert done.code == 0, done.err
    planned = json.loads(done.out)
    assert today.writes == []
    assert today.mailbox.mails == []
    assert [mail["to"] for mail in planned["mails"]] == ["maria@nw.example"]
    assert "maria@nw.example" in today.command("plan").out
    assert today.command("sync").code == 0
    assert planned["mails"] == [{"to": mail.to, "subject": mail.subject} for mail in today.mailbox.mails]


TOKEN_ALONE = """
[store]
url = "sqlite:///fresh.db"
[crm.acme]
adapter = "salesforce"
url = "{url}"
ca_bundle = "{ca_bundle}"
access_token = "{token}"
[surveys.after-case]
on = "case.closed"
"""


def test_looking_back_90_days_needs_a_crm_token_and_nothing_else(today: Environment) -> None:
    now = today.clock.now()
    account, prospect = today.account("Northwind"), today.account("Maybe Ltd", kind="Prospect")
    for number in range(6):
        place = prospect if number == 5 else account
        person = today.contact(place, f"Person {number}", f"p{number}@nw.example")
        case = today.case(place, person)
        closed = now - timedelta(days=20 * (number + 1) - 5)
        today.org.update("Case", case, {"Status": "Closed"}, at=closed)
    today.write_config(TOKEN_ALONE.format(token=today.org.access_token, **today.crm))
    today.mark()
    done = today.command("plan", "--since", "90d", "--json")
    assert done.code == 0, done.err
    survey = json.loads(done.out)["surveys"]["after-case"]
    # Closed 15, 35, 55, 75, 95 and 115 days ago; the last of them by a prospect.
    assert (survey["ended"], survey["would_ask"]) == (4, 4)
    assert today.writes == []
    assert today.mailbox.mails == []
    assert "4" in today.command("plan", "--since", "90d").out
    assert today.command("sync", "--json").code == 0
    assert today.writes == []


def test_looking_back_keeps_the_limits_and_tells_why_others_would_not_be_asked(env: Environment) -> None:
    account, prospect = env.account("Northwind"), env.account("Maybe Ltd", kind="Prospect")
    often = env.contact(account, "Often There", "often@nw.example")
    pat = env.contact(prospect, "Pat Maybe", "pat@maybe.example")
    now = env.clock.now()
    for days, place, person in ((60, account, often), (40, account, often), (20, account, often), (10, prospect, pat)):
        env.org.update("Case", env.case(place, person), {"Status": "Closed"}, at=now - timedelta(days=days))
    env.configure(limits=LIMITS.replace('quiet_period = "0s"', 'quiet_period = "90d"'))
    seen = plan.look_back(env.installation, timedelta(days=90)).as_json()
    survey = seen["surveys"]["after-case"]
    assert (survey["ended"], survey["would_ask"]) == (4, 1)
    assert survey["not_asked"] == {"quiet_period": 2, "not_a_customer": 1}
    assert [one["contact"] for one in seen["examples"]] == ["Often There"]
