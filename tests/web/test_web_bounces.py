"""Reports of mail that did not arrive: kept as they come, taken in by the next lap, by our own address alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from web_world import NOW, World

from connector.runtime.clock import SteppedClock
from connector.settings import Settings
from connector.stages import collect
from connector.stages.context import Context
from connector.store.surveys import people
from connector.store.tables import attempt, inbox, invitation
from connector.surveys.tokens import Tokens, mask_path

REPORT = {"message_id": "<m1@acme.example>", "reason": "550 5.1.1 no such user"}


def post(world: World, body: Any, token: str | None = None) -> Any:
    return world.http.post(f"{world.url}/bounces/{token or world.tokens.bounces()}", json=body)


def lap(world: World) -> int:
    settings = Settings.model_construct(path=Path("config.toml"))
    return collect.run(Context(world.store, settings, SteppedClock(NOW + timedelta(hours=1)), {}, None, None)).events


def sent(world: World) -> None:
    world.invite()
    [row] = world.rows(invitation)
    with world.store.write() as tx:
        values = {"purpose": "invitation", "state": "sent", "message_id": "m1@acme.example", "started_at": NOW}
        tx.execute(attempt.insert().values(invitation_id=row.id, **values))


def test_a_reported_bounce_marks_the_address_in_the_next_lap_and_only_once(world: World) -> None:
    sent(world)
    assert post(world, [REPORT, REPORT]).status_code == 202
    assert post(world, REPORT).json() == {"kept": 1}
    assert len(world.rows(inbox)) == 1
    assert lap(world) == 1
    [row] = world.rows(invitation)
    assert (row.state, row.error, row.reminder_at) == ("bounced", REPORT["reason"], None)
    with world.store.read() as tx:
        assert people.people(tx, [row.person])[row.person].bounce == REPORT["reason"]
    assert lap(world) == 0


def test_a_report_about_somebody_elses_mail_is_kept_with_the_reason(world: World) -> None:
    assert post(world, {"message_id": "x@elsewhere.example", "reason": "r"}).status_code == 202
    assert lap(world) == 1
    [row] = world.rows(inbox)
    assert row.done_at is not None
    assert row.error == "no message of ours has this id"


def test_nobody_else_can_report(world: World) -> None:
    sent(world)
    foreign = Tokens(["another-key-another-key-another-key"]).bounces()
    for token in (foreign, "x", world.tokens.survey("bounces"), "a" * 5000):
        assert post(world, REPORT, token).status_code == 404
    assert world.rows(inbox) == []


@pytest.mark.parametrize(
    "body", [None, [], {}, [REPORT, {}], {"message_id": ""}, {"message_id": 5}, "text", [[REPORT]]]
)
def test_what_is_no_report_is_refused_whole(world: World, body: Any) -> None:
    answer = post(world, body)
    assert answer.status_code in (202, 422)
    assert world.rows(inbox) == []


def test_the_address_is_masked_in_logs() -> None:
    token = Tokens(["k" * 40]).bounces()
    assert token not in mask_path(f'POST /bounces/{token} HTTP/1.1"')
