"""Taking the mark off an address makes good what was refused for its sake alone, while a question still makes sense."""

import pytest
from asking import DAY, HOUR, World, lap, survey, world

from connector.errors import MailboxRefused
from connector.model import Decision, Delivery, Reason
from connector.stages.invite.plan import oldest_end
from connector.store import Store, tables
from connector.store.surveys import bounces, people

ADDRESS = "maria@oy.example"
REFUSED = (Decision.REFUSED, Reason.BAD_ADDRESS)


@pytest.fixture
def marked(store: Store) -> World:
    """Maria's address was marked; then her case was closed."""
    made = world(store)
    made.surveys = {"after-case": survey(delay="24h")}
    with store.write() as tx:
        people.bounced(tx, people.person_of(people.person_key(tx), ADDRESS), made.clock.now(), "550 no such user")
    made.clock.advance(HOUR)
    made.case("c1")
    lap(made)
    assert made.decision("c1") == REFUSED
    return made


def lift(here: World, *, all_since: bool = False) -> None:
    now = here.clock.now()
    with here.store.write() as tx:
        since = oldest_end(here.surveys.values(), now)
        if all_since:
            assert bounces.lift_since(tx, now - 365 * DAY, now, ended_since=since) == 1
        else:
            assert bounces.lift_address(tx, ADDRESS, now, ended_since=since) == 1


@pytest.mark.parametrize("all_since", [True, False])
@pytest.mark.parametrize("later", [HOUR, 7 * DAY])
def test_who_was_not_asked_because_of_the_mark_is_asked(marked: World, *, later: object, all_since: bool) -> None:
    marked.clock.advance(later)  # type: ignore[arg-type]
    lift(marked, all_since=all_since)
    lap(marked)
    marked.clock.advance(DAY)
    lap(marked)
    assert marked.mailbox.recipients == [ADDRESS]


def test_who_was_to_be_asked_when_the_mark_was_made_is_asked(store: Store) -> None:
    here = world(store)
    here.case("c1")
    here.case("c2")
    here.mailbox.failing = [MailboxRefused("550 5.1.1 no such user")]
    lap(here)
    here.clock.advance(HOUR)
    lap(here)
    assert sorted(row.state for row in here.rows(tables.invitation)) == [Delivery.BOUNCED, Delivery.CANCELLED]
    here.clock.advance(HOUR)
    lift(here)
    lap(here)
    assert here.mailbox.recipients == [ADDRESS, ADDRESS]


def test_nobody_is_asked_about_what_is_long_past(marked: World) -> None:
    marked.clock.advance(30 * DAY)
    lift(marked)
    lap(marked)
    assert marked.mailbox.recipients == []
    assert marked.decision("c1") == REFUSED, "the reason of that time still stands in the survey log"


def test_who_has_opted_out_meanwhile_is_not_asked(marked: World) -> None:
    with marked.store.write() as tx:
        people.opt_out(tx, people.person_of(people.person_key(tx), ADDRESS), marked.clock.now(), "link")
    lift(marked)
    marked.clock.advance(DAY)
    lap(marked)
    assert marked.mailbox.recipients == []
    assert marked.decision("c1") == (Decision.REFUSED, Reason.OPTED_OUT)


def test_what_was_refused_for_another_reason_is_left(marked: World) -> None:
    marked.account("prospect", is_customer=False)
    marked.case("c2", account="prospect")
    lap(marked)
    before = marked.decision("c2")
    lift(marked)
    lap(marked)
    assert marked.decision("c2") == before
