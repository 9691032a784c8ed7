"""Queries about follow-ups and their tasks in the CRM: how far each has come, and what of its task was seen or written."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.model import ClosedBy, FollowUpState, TaskState
from connector.store.tables import follow_up, write_log

UNSETTLED = (FollowUpState.OPEN, FollowUpState.WAITING_FOR_OUTCOME)


def follow_ups(tx: Connection, ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return follow-ups by id, locked until the end of the transaction: two who note an outcome come one after the other."""
    rows = tx.execute(select(follow_up).where(follow_up.c.id.in_(ids)).with_for_update())
    return {row.id: row for row in rows}


def by_id(tx: Connection, ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return follow-ups by id."""
    return {row.id: row for row in tx.execute(select(follow_up).where(follow_up.c.id.in_(ids)))}


def with_tasks(tx: Connection, crm: str, after: str, limit: int) -> Sequence[Row[Any]]:
    """Return follow-ups behind `after` whose task may have to be changed: open ones, and closed ones whose task is open."""
    is_open = follow_up.c.state == FollowUpState.OPEN
    done = (follow_up.c.state == FollowUpState.CLOSED) & (follow_up.c.task_state == TaskState.OPEN)
    there = follow_up.c.task_ref.is_not(None) & (follow_up.c.task_state != TaskState.DELETED)
    rows = select(follow_up).where(follow_up.c.connection == crm, there, is_open | done, follow_up.c.id > after)
    return tx.execute(rows.order_by(follow_up.c.id).limit(limit)).all()


def made_with(tx: Connection, crm: str, refs: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return what was last written to each of these tasks, as the log of writes has it, in the CRM's names, by ref."""
    mine = (write_log.c.connection == crm) & write_log.c.ref.in_(refs) & write_log.c.outcome.in_(("created", "updated"))
    rows = tx.execute(select(write_log.c.ref, write_log.c.after).where(mine).order_by(write_log.c.id))
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row.ref, {}).update(row.after)
    return found


def put_back(tx: Connection, follow_up_id: str, values: Mapping[str, Any], *, closed: bool, now: datetime) -> None:
    """Note what a task holds after our fields (by our names) were put back: that was us, and nobody else.

    `closed`: the task was completed because it should never have been made, and so its follow-up is over.
    """
    row = tx.execute(select(follow_up).where(follow_up.c.id == follow_up_id).with_for_update()).one_or_none()
    if row is None:
        return
    columns: dict[str, Any] = {
        "task_written": {**(row.task_written or {}), **values},
        "task_seen": {**(row.task_seen or {}), **{name: raw for name, raw in values.items() if name != "body"}},
    }
    if closed:
        over = {"state": FollowUpState.CLOSED.value, "closed_by": ClosedBy.UNDO.value, "closed_at": now}
        columns |= {**over, "task_state": TaskState.COMPLETED.value, "waiting_since": None}
    elif "status" in values:
        was_open = row.task_state == TaskState.OPEN
        columns["task_state"] = (TaskState.COMPLETED if was_open else TaskState.OPEN).value
    tx.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**columns))


def forget_deleted(tx: Connection, crm: str) -> None:
    """Let follow-ups that are open though their task was deleted have none: another is made."""
    gone = (follow_up.c.state == FollowUpState.OPEN) & (follow_up.c.task_state == TaskState.DELETED)
    nothing = dict.fromkeys(("task_ref", "task_state", "task_written", "task_seen"))
    tx.execute(update(follow_up).where(follow_up.c.connection == crm, gone).values(**nothing))


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
    """Tell whether another follow-up about the same person is unsettled: then this one is not opened again."""
    unsettled = follow_up.c.state.in_(UNSETTLED) & (follow_up.c.customer == row.customer) & (follow_up.c.id != row.id)
    same = select(follow_up.c.id).where(unsettled, follow_up.c.about == row.about)
    return tx.execute(same.limit(1)).first() is not None
