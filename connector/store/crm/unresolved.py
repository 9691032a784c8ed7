"""Interactions of which it is not known yet whose they were."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select

from connector.model import Decision, Reason
from connector.store.db.upsert import insert_or_update
from connector.store.tables import cursor, decision, interaction

ASSOCIATIONS = "associations"
"""The pass that looks at them again."""
_EVERY_OBJECT = "*"


def refs(tx: Connection, crm: str, surveys: Collection[str], limit: int) -> Sequence[str]:
    """Return those that wait for an account or a contact, for one of these surveys, the ones that ended last first."""
    reasons = (Reason.NO_ACCOUNT.value, Reason.NO_CONTACT.value)
    waits = exists().where(
        decision.c.interaction_id == interaction.c.id,
        decision.c.state == Decision.WAITING,
        decision.c.survey.in_(surveys),
        decision.c.reason.in_(reasons),
    )
    query = (
        select(interaction.c.ref)
        .where(interaction.c.connection == crm, interaction.c.deleted_at.is_(None), waits)
        .order_by(interaction.c.ended_at.desc(), interaction.c.ref)
        .limit(limit)
    )
    return tx.execute(query).scalars().all()


def looked_at(tx: Connection, crm: str) -> datetime | None:
    """Return when they were looked at last."""
    row = tx.execute(
        select(cursor.c.moved_at).where(
            cursor.c.connection == crm, cursor.c.object == _EVERY_OBJECT, cursor.c["pass"] == ASSOCIATIONS
        )
    ).one_or_none()
    return None if row is None else row.moved_at


def note(tx: Connection, crm: str, now: datetime) -> None:
    """Note that they are looked at now."""
    row = {"connection": crm, "object": _EVERY_OBJECT, "pass": ASSOCIATIONS}
    insert_or_update(tx, cursor, [row | {"fingerprint": "", "position": "", "moved_at": now}])
