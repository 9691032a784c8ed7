"""What waits for a connection or a survey that config.toml no longer has takes nobody's place, and is not shown as waiting."""

from collections.abc import Mapping
from typing import Any

import pytest
from asking import CRM, World, limits, world

from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.ops import connections
from connector.store.views import overview

GONE: list[Mapping[str, Any]] = [{"connection": "removed"}, {"survey": "removed"}]


@pytest.fixture
def here(store: Store) -> World:
    """One person is to be asked; the day has room for one mail."""
    here = world(store)
    here.limits = limits(daily_sends=1)
    here.case("c1")
    assert invite.run(here.context()).invited == 1
    return here


@pytest.mark.parametrize("gone", GONE)
def test_it_takes_no_place_of_the_day(here: World, gone: Mapping[str, Any]) -> None:
    (row,) = here.rows(t.invitation)
    here.change_row(t.invitation, row.id, **gone)
    here.person("otto")
    here.case("c2", ["otto"])
    assert invite.run(here.context()).invited == 1


def test_what_waits_for_a_connection_that_is_there_takes_its_place(here: World) -> None:
    here.person("otto")
    here.case("c2", ["otto"])
    assert invite.run(here.context()).invited == 0


@pytest.mark.parametrize("gone", GONE)
def test_status_does_not_count_it_among_what_is_due(here: World, gone: Mapping[str, Any]) -> None:
    (row,) = here.rows(t.invitation)
    assert due(here) == 1
    here.change_row(t.invitation, row.id, **gone)
    assert due(here) == 0


def test_what_waits_for_a_paused_connection_takes_no_place_of_the_day_from_others(here: World) -> None:
    with here.store.write() as tx:
        connections.pause(tx, CRM, here.clock.now(), "looking at it")
    with here.store.read() as tx:
        assert invite.ready_to_send(here.context(), tx) == 0


def due(here: World) -> int:
    with here.store.read() as tx:
        return overview.queues(tx, here.clock.now(), crms=[CRM], surveys=list(here.surveys))["invitations_due"]
