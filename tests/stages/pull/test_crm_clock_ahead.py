"""A CRM's clock, or that of something in front of it, that is ahead of ours: nothing that changes meanwhile is passed over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lap_world import HOUR, LapWorld

from connector.ports import Page


@pytest.mark.parametrize("ahead", [timedelta(minutes=20), timedelta(days=300)])
def test_what_changes_before_a_clock_that_is_ahead_is_read(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    contact = world.crm.contact(world.account(), "Maria Virtanen")
    case = world.crm.case(world.crm.get(contact)["AccountId"], contact)
    honest = world.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            yield replace(page, server_time=page.server_time + ahead)

    with monkeypatch.context() as odd:
        odd.setattr(world.adapter, "changes", changes)
        world.lap()
    world.crm.close(case)
    world.lap(HOUR)
    assert world.mailbox.recipients == ["maria.virtanen@customer.example"]
