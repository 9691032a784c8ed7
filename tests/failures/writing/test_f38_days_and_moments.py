"""A day is a day, wherever one stands; a moment is one instant, wherever one stands: neither is taken for the other."""

from datetime import UTC, date, datetime, timedelta

from environment import DAY, HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from incidents import asked, fact_of_accounts, new_field, rows

from connector.store import tables


def test_a_day_is_read_as_that_day(either: Environment) -> None:
    field = new_field(either, "renewal", "date")
    fact_of_accounts(either, "renewal", f'"{field}"')
    account = either.account("Northwind")
    either.org.update(either.ACCOUNT, account, {field: date(2027, 1, 31)})
    either.later(HOUR)
    (row,) = rows(either, tables.account)
    assert row.facts["renewal"] == "2027-01-31"


def test_a_moment_is_written_as_that_moment_and_read_back_as_the_same(either: Environment) -> None:
    who = asked(either)
    either.advance(timedelta(minutes=17, seconds=5))
    either.answer(either.mailbox.mails[0], 5)
    then = either.clock.now().replace(microsecond=0)
    either.lap()
    shown = either.figures(either.ACCOUNT, who["account"])["last_answer"]
    assert datetime.fromisoformat(shown) == then
    either.mark()
    either.later(HOUR)
    either.later(DAY)
    assert either.writes == []


def test_a_task_is_due_on_the_day_of_whoever_gets_it(acme: Environment) -> None:
    rep = acme.rep("Ritva Laine", "ritva@acme.example")
    acme.org.update("User", rep, {"TimeZoneSidKey": "America/New_York"})
    account = acme.account("Northwind", owner=rep)
    acme.closed_case(account, acme.contact(account, "Maria Virtanen", "maria@nw.example"))
    acme.lap()
    acme.later(DAY)
    # Half an hour before midnight there; the night after, clocks are put forward.
    acme.advance(datetime(2026, 11, 20, 4, 30, tzinfo=UTC) - acme.clock.now())
    acme.answer(acme.mailbox.mails[0], 1)
    acme.lap()
    assert [task["ActivityDate"] for task in acme.tasks()] == ["2026-11-20"]


def test_a_task_with_a_moment_is_due_at_that_moment(hub: HubSpotEnvironment) -> None:
    asked(hub)
    hub.answer(hub.mailbox.mails[0], 1)
    then = hub.clock.now().replace(microsecond=0)
    hub.lap()
    (task,) = hub.tasks()
    assert datetime.fromisoformat(task["hs_timestamp"]) == then + DAY
