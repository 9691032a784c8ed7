"""Whom the connector asks, whom not, and why."""

import pytest
from asking import DAY, World, survey, world

from connector.stages import invite
from connector.store import Store
from connector.store import tables as t


@pytest.fixture
def here(store: Store) -> World:
    return world(store)


def test_a_closed_case_is_asked_about_once(here: World) -> None:
    here.case("c1")
    result = invite.run(here.context())
    assert (result.invited, dict(result.not_invited)) == (1, {})
    here.change("c1")
    assert invite.run(here.context()).invited == 0
    assert here.invited() == ["maria"]
    row = here.rows(t.invitation)[0]
    assert (row.label, row.email, row.state) == ("case c1", "maria@oy.example", "due")
    assert row.expires_at == here.clock.now() + 14 * DAY


def test_the_delay_is_waited_for_and_then_the_invitation_goes_out(here: World) -> None:
    here.surveys = {"after-case": survey(delay="24h")}
    here.case("c1")
    assert dict(invite.run(here.context()).not_invited) == {"delay": 1}
    here.clock.advance(DAY)
    assert invite.run(here.context()).invited == 1
    assert here.moves() == [("waiting", "delay"), ("invited", None)]
