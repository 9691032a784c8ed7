"""What colleagues and chats were not told, or may not have been, is told to the admin."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lap_world import CSAT, LapWorld
from sqlalchemy import insert

from connector.commands import status
from connector.commands.check import checks
from connector.errors import MailboxRefused, MailError, MailInDoubt, MessageRefused
from connector.runtime.clock import SteppedClock
from connector.store import Store, tables
from connector.store.views import overview

RULE = CSAT + '[follow_up.low]\nwhen = "low"\nnotify = ["account_owner", "https://chat.example/hook"]\n'
SPAM = MessageRefused("554 looks like spam")
SPAM.permanent = True


@pytest.fixture
def unhappy(world: LapWorld) -> LapWorld:
    world.crm.update(world.rep, {"Email": "ritva@acme.example"})
    world.configure(RULE)
    world.lap()
    return world


def untold(world: LapWorld) -> list[dict[str, Any]]:
    return list(status.status(world.installation)["untold"])


def warned(world: LapWorld) -> list[str]:
    return [problem.what for problem in checks.mail_trouble_of(world.installation) if problem.severity == "warning"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(MailboxRefused("no such user"), "refused"), (SPAM, "refused"), (MailInDoubt("cut off"), "in_doubt")],
)
def test_an_alert_that_reached_nobody_is_named(unhappy: LapWorld, error: MailError, state: str) -> None:
    account = unhappy.account()
    unhappy.answer(unhappy.ask(account, unhappy.crm.contact(account, "Maria")), 1)
    assert (untold(unhappy), warned(unhappy)) == ([], [])
    unhappy.mailbox.failing = [error]
    unhappy.lap()
    (told,) = untold(unhappy)
    assert (told["to"], told["kind"], told["state"], told["what"]) == ("ritva@acme.example", "alert", state, error.what)
    assert "ritva@acme.example" in warned(unhappy)[0]


def test_a_chat_that_is_gone_is_named_by_its_rule_and_not_by_its_secret_address(unhappy: LapWorld) -> None:
    def gone(_url: str, _post: object) -> bool:
        raise MailboxRefused("the webhook answered 404.", remedy="Make a new webhook address.")

    unhappy.installation = replace(unhappy.installation, webhook=gone)
    unhappy.rated(unhappy.account(), 1)
    (told,) = untold(unhappy)
    assert (told["to"], told["kind"], told["state"]) == ("follow_up.low.notify", "chat", "refused")
    assert "404" in told["what"]
    assert "chat.example" not in str(told) + str(warned(unhappy))


def test_a_week_is_named_the_newest_first(store: Store, clock: SteppedClock) -> None:
    now, day = clock.now(), timedelta(days=1)
    chat = {"kind": "opened", "state": "refused", "recipient": "chat-1"}
    mail = {"kind": "alert", "state": "in_doubt"}
    call = {"rule": "low", "customer": "c", "connection": "acme", "account_id": "a", "state": "open", "subject": "Call"}
    with store.write() as tx:
        tx.execute(insert(tables.follow_up).values(id="f", priority="high", body="", due_at=now, opened_at=now, **call))
        for days in (8, 7, 1):
            tx.execute(
                insert(tables.staff_mail).values(key=f"m{days}", recipient=f"r{days}", at=now - days * day, **mail)
            )
        for days in (9, 6, 0):
            at = now - days * day
            tx.execute(insert(tables.alert).values(key=f"n{days}", follow_up_id="f", at=at, error=f"n{days}", **chat))
    with store.read() as tx:
        named = [row["what"] or row["to"] for row in overview.untold(tx, now)]
    assert named == ["n0", "r1", "n6", "r7"]
