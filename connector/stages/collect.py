"""`collect`: raw events from the inbox, each once. Answers given on the survey page are recorded there, in one transaction."""

from dataclasses import dataclass
from typing import Any

from connector.model import Delivery
from connector.stages.context import Context
from connector.store import Row, Transaction, collecting, people

PAGE = 200


@dataclass(frozen=True, slots=True)
class CollectResult:
    """How many events were taken in."""

    events: int = 0


def run(context: Context) -> CollectResult:
    """Take in what has arrived. An event that means nothing to us is kept, with the reason."""
    done = 0
    while not context.stop.is_set():
        with context.write() as connection:
            rows = collecting.waiting(connection, PAGE)
            for row in rows:
                collecting.done(connection, row.id, context.clock.now(), _take(context, connection, row))
        done += len(rows)
        if len(rows) < PAGE:
            break
    return CollectResult(done)


def _take(context: Context, connection: Transaction, row: Row[Any]) -> str | None:
    """Return why an event could not be used, None when it was."""
    if row.source != collecting.BOUNCE:
        return f"nothing here understands events of {row.source}"
    invitation = collecting.invitation_of(connection, str(row.payload.get("message_id", "")))
    if invitation is None:
        return "no message of ours has this id"
    reason = str(row.payload.get("reason", ""))[:500]
    now = context.clock.now()
    people.bounced(connection, invitation.person, now, reason)
    collecting.close_invitation(connection, invitation.id, Delivery.BOUNCED, reason)
    return None
