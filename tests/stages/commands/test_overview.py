"""What `status` finds in the store."""

from datetime import timedelta
from typing import Any

import pytest
from asking import CRM, START
from databases import BOTH_DATABASES
from rich.console import Console
from sqlalchemy import insert

from connector.cli.output import results
from connector.commands import retention
from connector.store import Store
from connector.store import tables as t
from connector.store.views import overview

NOBODYS: dict[str, Any] = {"rule": "unhappy", "connection": CRM, "account_id": "oy", "priority": "high"}
NOBODYS |= {"due_at": START + timedelta(days=1), "opened_at": START, "subject": "Call Maria", "body": ""}


@BOTH_DATABASES
def test_open_follow_ups_that_nobody_has_are_counted(store: Store) -> None:
    rows = [("f1", "open", None), ("f2", "open", None), ("f3", "open", "User/1"), ("f4", "closed", None)]
    with store.write() as tx:
        assert overview.unassigned(tx) is None
        for id_, state, owner_ref in rows:
            values = NOBODYS | {"id": id_, "customer": id_, "state": state, "owner_ref": owner_ref}
            tx.execute(insert(t.follow_up).values(**values))
        unassigned = overview.unassigned(tx)
    assert unassigned is not None
    assert unassigned["follow_ups"] == 2
    assert "`assign`" in unassigned["remedy"]


@pytest.mark.parametrize(("count", "told"), [(1, "1 open follow-up"), (2, "2 open follow-ups")])
@BOTH_DATABASES
def test_status_says_that_nobody_is_assigned(
    count: int, told: str, capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    with store.read() as tx:
        found: dict[str, Any] = {
            "queues": {},
            "crm": {},
            "paused": None,
            "mail_error": None,
            "in_doubt": [],
            "bounced": [],
            "follow_ups": [],
            "owed_follow_ups": {"people": 0, "got": 0},
            "untold": [],
        }
        found |= {"refused": [], "laps": overview.laps(tx, 5), "kept": retention.status(tx)}
    found["unassigned"] = {"follow_ups": count, "remedy": "Do something."}
    results.status(Console(soft_wrap=True), found)
    assert f"nobody is assigned: {told}\n    Do something." in capsys.readouterr().out
