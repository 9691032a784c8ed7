"""A message is handed over at most once, and only to somebody who is still to be asked."""

import pytest
from asking import SITE, World, world

from connector.stages import deliver, invite
from connector.stages.deliver import DeliverResult
from connector.store import Store
from connector.store import tables as t


@pytest.fixture
def here(store: Store) -> World:
    return world(store)


def lap(here: World) -> DeliverResult:
    invite.run(here.context())
    return deliver.run(here.context(), SITE)


def states(here: World) -> list[str]:
    return [row.state for row in here.rows(t.invitation)]


def test_a_due_invitation_is_sent_once(here: World) -> None:
    here.case("c1")
    assert lap(here).sent == 1
    assert lap(here).sent == 0
    assert here.mailbox.recipients == ["maria@oy.example"]
    assert states(here) == ["sent"]
    assert [row.state for row in here.rows(t.attempt)] == ["sent"]
    assert [row.wanted for row in here.rows(t.display)] == [{"last_asked": "2026-03-02T09:00:00+00:00"}]
