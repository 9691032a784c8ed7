"""What is changed in a store that comes from a backup before anybody works with it.

It does not know what its original has done since the backup was made. So it is another run on every connection, which the mark in the
CRM tells from the original's, and nobody gets a mail that the original may have sent.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, insert, literal, or_, select, update

from connector.domain.installation_mark import OwnRuns
from connector.model import Decision, Delivery, Reason
from connector.store.db.engine import new_id
from connector.store.db.types import Utc
from connector.store.ops import marks
from connector.store.tables import (
    decision,
    decision_log,
    go_live,
    installation_mark,
    invitation,
    lease,
    response,
    sign_in,
    web_session,
)

_NOTE = "no reminder: the store was restored from a backup"


def make_ready(tx: Connection, connections: Collection[str], now: datetime) -> None:
    """Make a store that was restored just now another one than its original, which may be at work. `connections`: of config.toml."""
    _begin_runs(tx, connections, now)
    _ask_nobody_of_before(tx, now)
    for table in (lease, sign_in, web_session):
        tx.execute(delete(table))


def _begin_runs(tx: Connection, connections: Collection[str], now: datetime) -> None:
    """Have a run that no CRM shows: until an admin has the mark taken over, it is another installation's."""
    known = tx.execute(select(installation_mark.c.connection)).scalars()
    for name in sorted({*known, *connections}):
        adopted = marks.own_runs(tx, name).adopted
        marks.keep(tx, name, OwnRuns(new_id(), at=now, adopted=adopted))
        marks.note_read(tx, name, None)


def _ask_nobody_of_before(tx: Connection, now: datetime) -> None:
    """Send nothing that was to be sent when the backup was made, and go live anew: nothing that has ended until then is asked about."""
    log = ("decision_id", "at", "state", "reason", "until", "note")
    at = literal(now, Utc())
    answered = exists().where(response.c.invitation_id == invitation.c.id)
    to_remind = and_(invitation.c.reminder_at.is_not(None), invitation.c.reminded_at.is_(None), ~answered)
    known = (decision.c.id, at, decision.c.state, decision.c.reason, decision.c.until, literal(_NOTE))
    reminded = select(*known).where(decision.c.id.in_(select(invitation.c.decision_id).where(to_remind)))
    tx.execute(insert(decision_log).from_select(log, reminded))
    tx.execute(update(invitation).where(invitation.c.reminder_at.is_not(None)).values(reminder_at=None))

    unsent = select(invitation.c.decision_id).where(invitation.c.state == Delivery.DUE)
    to_ask = or_(decision.c.state == Decision.WAITING, decision.c.id.in_(unsent))
    refused = {"state": Decision.REFUSED.value, "reason": Reason.RESTORED.value}
    moved = select(decision.c.id, at, literal(refused["state"]), literal(refused["reason"])).where(to_ask)
    tx.execute(insert(decision_log).from_select(log[:4], moved))
    tx.execute(update(decision).where(to_ask).values(**refused, until=None, due_at=None, decided_at=now))
    cancelled = {"state": Delivery.CANCELLED.value, "error": Reason.RESTORED.value}
    tx.execute(update(invitation).where(invitation.c.state == Delivery.DUE).values(**cancelled))
    tx.execute(delete(go_live).where(go_live.c.subject.startswith("survey:", autoescape=True)))
