"""Queries about follow-ups and their tasks in the CRM: how far each has come, and what of its task was seen or written."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from connector.model import FollowUpState
from connector.store.tables import follow_up

UNSETTLED = (FollowUpState.OPEN, FollowUpState.WAITING_FOR_OUTCOME)


def follow_ups(tx: Connection, ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return follow-ups by id, locked until the end of the transaction: two who note an outcome come one after the other."""
    rows = tx.execute(select(follow_up).where(follow_up.c.id.in_(ids)).with_for_update())
    return {row.id: row for row in rows}


def waiting_since(tx: Connection, latest: datetime, *, after: str, limit: int) -> Sequence[Row[Any]]:
    """Return follow-ups behind `after` that have waited for an outcome since `latest` or longer, and that their record still shows."""
    waits = follow_up.c.state == FollowUpState.WAITING_FOR_OUTCOME
    shown = follow_up.c.attention_ended_at.is_(None) & (follow_up.c.waiting_since <= latest)
    rows = select(follow_up).where(waits, shown, follow_up.c.id > after).order_by(follow_up.c.id).limit(limit)
    return tx.execute(rows).all()


def change(tx: Connection, follow_up_id: str, columns: Mapping[str, Any]) -> None:
    """Change columns of one follow-up."""
    tx.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**columns))


def has_successor(tx: Connection, row: Row[Any]) -> bool:
    """Tell whether another follow-up is unsettled about the same person or by the same rule: then this one is not opened again."""
    other = or_(follow_up.c.about == row.about, follow_up.c.rule == row.rule)
    unsettled = follow_up.c.state.in_(UNSETTLED) & (follow_up.c.customer == row.customer) & (follow_up.c.id != row.id)
    return tx.execute(select(follow_up.c.id).where(unsettled, other).limit(1)).first() is not None
