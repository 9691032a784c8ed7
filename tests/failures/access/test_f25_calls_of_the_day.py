"""The CRM's calls are the customer's: we use few, keep to our share, and end early with what we have."""

import pytest
from environment import DAY, HOUR, RULES, Environment
from incidents import names, tiny_pages

from adapters.hubspot.records import reader
from connector.errors import QuotaSpent
from connector.stages.order import Stage


def calls(env: Environment) -> int:
    """Return how many calls the CRM has seen, but for tokens."""
    return sum(count for kind, count in env.org.log.by_kind().items() if kind != "auth")


def allow(env: Environment, calls_a_day: int) -> None:
    """Let the CRM have so many calls a day, none of them used yet."""
    env.org.configure(daily_calls=calls_a_day)
    env.org.limits.used = 0


def test_a_hundred_records_take_hardly_more_calls_than_one(either: Environment) -> None:
    def one_more(number: int) -> None:
        account = either.account(f"Account {number}")
        either.closed_case(account, either.contact(account, f"P{number}", f"p{number}@nw.example"))

    one_more(0)
    one = either.later(2 * HOUR).calls["acme"]
    for number in range(1, 101):
        one_more(number)
    assert either.later(2 * HOUR).calls["acme"] < one + 25  # a search that was made too soon is made again
    assert len(names(either)) == 101


def test_forty_records_are_written_by_hardly_more_calls_than_one(either: Environment) -> None:
    def calls_of_asking(many: int) -> int:
        for number in range(many):
            account = either.account(f"Account {number}")
            either.closed_case(account, either.contact(account, f"P{number}", f"p{number}of{many}@nw.example"))
        either.later(2 * HOUR)
        before, shown = len(either.mailbox.mails), calls(either)
        either.later(DAY)
        assert len(either.mailbox.mails) - before == many
        return calls(either) - shown

    one = calls_of_asking(1)
    assert calls_of_asking(40) <= one + 4


def test_a_spent_share_ends_the_lap_which_goes_on_there_the_next_day(
    either: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_PAGE", 2)
    tiny_pages(either)
    either.configure(RULES, extra="daily_call_share = 0.5")
    for number in range(60):
        either.account(f"Account {number}")
        either.advance(HOUR / 3600)
    either.advance(DAY)
    allow(either, 90)
    report = either.lap((Stage.PULL,))
    (spent,) = report.failures["acme"]
    assert (report.exit_code, type(spent)) == (1, QuotaSpent)
    assert calls_used(either) <= 45
    kept = len(names(either))
    assert 0 < kept < 60
    before = calls(either)
    assert either.later(HOUR).exit_code == 1
    assert calls(either) == before
    either.advance(DAY)
    allow(either, 900)
    again = either.lap((Stage.PULL,))
    assert len(names(either)) == 60
    assert again.pulled["acme"].counts["account"].read == 60 - kept


def calls_used(env: Environment) -> int:
    """Return how many calls of the day the CRM has counted."""
    used: int = env.org.limits.used
    return used
