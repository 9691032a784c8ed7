"""A storm of reports that mail has come back is stopped early, whenever the messages went out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from asking import DAY, HOUR, SITE, World, world

from connector.stages import collect
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.surveys import inbox, mail_trouble

PEOPLE = 60
EARLY = 20


@pytest.fixture
def here(store: Store) -> World:
    """Sixty people were asked, and nothing has come back so far."""
    here = world(store)
    for number in range(PEOPLE):
        here.person(f"p{number}")
        here.case(f"case-{number}", [f"p{number}"])
    invite.run(here.context())
    deliver.run(here.context(), SITE)
    assert len(here.mailbox.messages) == PEOPLE
    here.clock.advance(10 * DAY)
    return here


def report(here: World, attempts: Sequence[str]) -> None:
    """Let the mail provider report these messages, and take the reports in."""
    with here.store.write() as tx:
        for message_id in attempts:
            payload = {"message_id": message_id, "reason": "550 5.1.1 no such user"}
            inbox.receive(tx, inbox.BOUNCE, message_id, payload, here.clock.now())
    collect.run(replace(here.context(), channel=None))


def messages(here: World) -> list[str]:
    return [row.message_id for row in here.rows(t.attempt)]


def marked(here: World) -> int:
    return sum(row.bounced_at is not None for row in here.rows(t.person))


ORDERS: dict[str, Callable[[list[str]], list[str]]] = {
    "oldest first": lambda ids: ids,
    "newest first": lambda ids: ids[::-1],
    "in any order": lambda ids: sorted(ids, key=lambda message_id: message_id[::-1]),
}


@pytest.mark.parametrize("order", ORDERS)
def test_reports_about_old_messages_stop_it_as_early_as_those_about_new_ones(here: World, order: str) -> None:
    report(here, ORDERS[order](messages(here)))
    assert marked(here) < EARLY
    with here.store.read() as tx:
        assert mail_trouble.stopped(tx) is not None


def test_a_few_reports_among_mail_that_was_taken_stop_nothing(here: World) -> None:
    report(here, messages(here)[::8])
    with here.store.read() as tx:
        assert mail_trouble.stopped(tx) is None
    assert marked(here) == len(messages(here)[::8])


def test_one_in_ten_that_come_back_together_right_after_many_were_sent_stop_nothing(here: World) -> None:
    for number in range(2 * PEOPLE):
        here.person(f"old{number}")
        here.case(f"old-case-{number}", [f"old{number}"])
    invite.run(here.context())
    deliver.run(here.context(), SITE)
    here.clock.advance(HOUR)
    sent = messages(here)[PEOPLE:]
    report(here, sent[::10])
    with here.store.read() as tx:
        assert mail_trouble.stopped(tx) is None
    assert marked(here) == len(sent) / 10 > EARLY / 2


def test_once_the_admin_has_looked_the_reports_from_before_are_believed(here: World) -> None:
    report(here, messages(here))
    here.clock.advance(HOUR)
    with here.store.write() as tx:
        mail_trouble.go_on(tx, here.clock.now())
    collect.run(replace(here.context(), channel=None))
    assert marked(here) == PEOPLE
