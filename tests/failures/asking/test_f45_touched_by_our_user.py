"""An update by the user that Afterword signs in as is nobody's word: the survey's delay counts from what people did."""

from datetime import datetime, timedelta

import pytest
from environment import DAY, HOUR, Environment

from connector.model import MARK_KEY

QUIET = timedelta(minutes=10)


@pytest.fixture
def case(either: Environment) -> str:
    """A closed case that was read once."""
    either.rep("Ritva Laine", "ritva.laine@acme.example")
    account = either.account("Northwind", "Customer" if either.ADAPTER == "salesforce" else "customer")
    case = either.closed_case(account, either.contact(account, "Maria Virtanen", "maria@customer.example"))
    either.later(QUIET)
    return case


def own_user(env: Environment) -> str:
    """Return whom the integration acts as."""
    if env.ADAPTER == "hubspot":
        return env.org.admin.email  # type: ignore[attr-defined]  # a portal: tokens act as its administrator
    return str(next(row["CreatedById"] for row in env.org.rows("Task") if row.get("Afterword_Key__c") == MARK_KEY))


def touch(env: Environment, case: str, by: str) -> None:
    """Let a user change something about a case that says nothing."""
    if env.ADAPTER == "hubspot":
        env.org.update("tickets", case, {"hs_ticket_priority": "LOW"}, by=by)
    else:
        env.org.update("Case", case, {"Priority": "Low"}, by=by)


def is_asked(env: Environment, at: datetime) -> bool:
    """Run a lap at a moment, and tell whether the customer has mail then."""
    env.later(at - env.clock.now())
    return bool(env.mailbox.to("maria@customer.example"))


def test_our_own_user_does_not_push_the_mail(either: Environment, case: str) -> None:
    closed = either.clock.now()
    either.later(20 * HOUR)
    touch(either, case, own_user(either))
    assert not is_asked(either, closed + 21 * HOUR)
    assert is_asked(either, closed + DAY + HOUR)


def test_a_person_does(either: Environment, case: str) -> None:
    closed = either.clock.now()
    either.later(20 * HOUR)
    touch(either, case, "Ritva Laine" if either.ADAPTER == "salesforce" else "ritva.laine@acme.example")
    assert not is_asked(either, closed + 21 * HOUR)
    assert not is_asked(either, closed + 43 * HOUR)
    assert is_asked(either, closed + 45 * HOUR)


def test_what_a_person_did_before_us_counts_still(either: Environment, case: str) -> None:
    closed = either.clock.now()
    either.later(10 * HOUR)
    touch(either, case, "Ritva Laine" if either.ADAPTER == "salesforce" else "ritva.laine@acme.example")
    either.later(HOUR)
    touch(either, case, own_user(either))
    assert not is_asked(either, closed + 33 * HOUR)
    assert is_asked(either, closed + 35 * HOUR)


def test_no_call_is_made_for_it(either: Environment, case: str) -> None:
    either.later(QUIET)
    mark = either.org.log.mark()
    either.later(QUIET)
    objects = {"Case", "Task", "User"} if either.ADAPTER == "salesforce" else {"tickets", "tasks"}
    calls = [call for call in either.org.log.since(mark) if call.sobject in objects and "installation" not in call.path]
    assert len(calls) <= len(objects)
