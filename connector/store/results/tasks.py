"""Queries about follow-ups and their tasks in the CRM: how far each has come, and what of its task was seen or written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from connector.model import ClosedBy, FieldValue, FieldValues, FollowUpState, Ref, TaskState
from connector.model.follow_up import UNSETTLED, FollowUp, FollowUpChange, WrittenTask
from connector.store.db.row_readers import follow_up_of
from connector.store.db.upsert import update_any
from connector.store.outbox.write_log import DONE, entries
from connector.store.results.follow_ups import change, close, locked
from connector.store.tables import (
    account,
    contact,
    follow_up,
    interaction,
    owner,
    ref_text,
    refused_record,
    response,
    write_log,
)


@dataclass(frozen=True, slots=True)
class UnsettledFollowUp:
    """A follow-up that nobody has settled, with the names of who and whose it is about."""

    follow_up: FollowUp
    account_name: str | None
    contact_name: str | None
    owner_name: str | None


def first_contacts(tx: Connection, kinds: Collection[str], now: datetime) -> Mapping[str, datetime]:
    """Return when somebody first spoke with the person of each unsettled follow-up after the answer, of those of whom it is not known.

    Looked for among what the CRM has of the person's own account and of the account that the follow-up is about.
    """
    since = func.coalesce(response.c.at, follow_up.c.opened_at)
    account_refs = or_(interaction.c.account_ref == contact.c.account_ref, interaction.c.account_ref == account.c.ref)
    of_person = (interaction.c.connection == contact.c.connection) & account_refs
    held = (interaction.c.ended_at > since) & (interaction.c.ended_at <= now) & interaction.c.ended.is_not(None)
    rows = tx.execute(
        select(follow_up.c.id, contact.c.ref, interaction.c.ended_at, interaction.c.contact_refs)
        .join(contact, contact.c.id == follow_up.c.contact_id)
        .join(account, account.c.id == follow_up.c.account_id)
        .join(interaction, of_person)
        .outerjoin(response, response.c.id == follow_up.c.response_id)
        .where(follow_up.c.state.in_(UNSETTLED), follow_up.c.first_contact_at.is_(None))
        .where(interaction.c.kind.in_(kinds), interaction.c.deleted_at.is_(None), held)
        .order_by(interaction.c.ended_at.desc())
    )
    return {row.id: row.ended_at for row in rows if row.ref in row.contact_refs}


def unsettled(tx: Connection, limit: int) -> list[UnsettledFollowUp]:
    """Return the follow-ups that nobody has settled, the one that is due first leading."""
    rows = (
        select(
            follow_up,
            account.c.name.label("account_name"),
            contact.c.name.label("contact_name"),
            owner.c.name.label("owner_name"),
        )
        .outerjoin(account, account.c.id == follow_up.c.account_id)
        .outerjoin(contact, contact.c.id == follow_up.c.contact_id)
        .outerjoin(owner, (owner.c.connection == follow_up.c.connection) & (owner.c.ref == follow_up.c.owner_ref))
        .where(follow_up.c.state.in_(UNSETTLED))
        .order_by(follow_up.c.due_at, follow_up.c.id)
        .limit(limit)
    )
    return [
        UnsettledFollowUp(follow_up_of(row), row.account_name, row.contact_name, row.owner_name)
        for row in tx.execute(rows)
    ]


def with_tasks(
    tx: Connection,
    crm: str,
    after: str = "",
    limit: int | None = None,
    *,
    customers: Collection[str] | None = None,
    among: Collection[str] | None = None,
) -> list[FollowUp]:
    """Return follow-ups behind `after` whose task may have to be changed: open ones, closed ones whose task is open, and those of whose
    task the CRM has refused some fields.

    The tasks of an account that was deleted are left alone. `customers`, `among`: only those of some customers, or with some ids.
    """
    is_open = follow_up.c.state == FollowUpState.OPEN
    there_still = func.coalesce(follow_up.c.closed_by, "") != ClosedBy.ACCOUNT_GONE
    done = (follow_up.c.state == FollowUpState.CLOSED) & (follow_up.c.task_state == TaskState.OPEN) & there_still
    there = follow_up.c.task_ref.is_not(None) & (follow_up.c.task_state != TaskState.DELETED)
    set_aside = follow_up.c.id.in_(
        select(refused_record.c.key).where(refused_record.c.connection == crm, refused_record.c.fields.is_not(None))
    )
    wanted = is_open | done | (set_aside & there_still)
    rows = select(follow_up).where(follow_up.c.connection == crm, there, wanted, follow_up.c.id > after)
    if customers is not None:
        rows = rows.where(follow_up.c.customer.in_(customers))
    if among is not None:
        rows = rows.where(follow_up.c.id.in_(among))
    return [follow_up_of(row) for row in tx.execute(rows.order_by(follow_up.c.id).limit(limit))]


def edited_by_others(
    tx: Connection, crm: str, after: str, limit: int, customers: Collection[str] | None = None
) -> list[FollowUp]:
    """Return open follow-ups behind `after` of whose task something was left as somebody else had changed it; only those of some
    customers."""
    there = follow_up.c.task_left_at.is_not(None) & follow_up.c.task_written.is_not(None)
    condition = (follow_up.c.connection == crm) & (follow_up.c.state == FollowUpState.OPEN) & (follow_up.c.id > after)
    rows = select(follow_up).where(condition, there).order_by(follow_up.c.id).limit(limit)
    if customers is not None:
        rows = rows.where(follow_up.c.customer.in_(customers))
    return [follow_up_of(row) for row in tx.execute(rows)]


def made_with(tx: Connection, crm: str, refs: Collection[Ref]) -> Mapping[Ref, FieldValues]:
    """Return what was last written to each of these tasks, as the log of writes has it, in the CRM's names."""
    of_tasks = write_log.c.ref.in_([ref_text(ref) for ref in refs])
    made: dict[Ref, dict[str, FieldValue]] = {}
    for _, entry in entries(tx, write_log.c.connection == crm, of_tasks, write_log.c.outcome.in_(DONE)):
        if entry.ref is not None:
            made.setdefault(entry.ref, {}).update(entry.after)
    return made


def put_back(tx: Connection, follow_up_id: str, values: FieldValues, *, closed: bool, now: datetime) -> None:
    """Note what a task holds after our fields (by our names) were put back: that was us, and nobody else.

    `closed`: the task was completed because it should never have been made, and so its follow-up is over.
    """
    known = locked(tx, [follow_up_id]).get(follow_up_id)
    if known is None:
        return
    written = known.task_written or WrittenTask({})
    seen = {name: raw for name, raw in values.items() if name != "body"}
    changes: FollowUpChange = {
        "task_written": replace(written, fields={**written.fields, **values}),
        "task_seen": {**(known.task_seen or {}), **seen},
    }
    if closed:
        changes["task_state"] = TaskState.COMPLETED
        close(tx, follow_up_id, ClosedBy.UNDO, now, **changes)
        return
    if "status" in values:
        was_open = known.task_state is TaskState.OPEN
        changes["task_state"] = TaskState.COMPLETED if was_open else TaskState.OPEN
    change(tx, follow_up_id, changes)


def forget_deleted(tx: Connection, crm: str) -> None:
    """Let follow-ups that are open though their task was deleted have none: another is made. Of those of others nothing is written."""
    gone = (follow_up.c.state == FollowUpState.OPEN) & (follow_up.c.task_state == TaskState.DELETED)
    nothing = dict.fromkeys(("task_ref", "task_state", "task_written", "task_seen"))
    update_any(tx, follow_up, and_(follow_up.c.connection == crm, gone), **nothing)
    still_gone = select(follow_up.c.id).where(
        follow_up.c.connection == crm, follow_up.c.task_state == TaskState.DELETED
    )
    left = and_(refused_record.c.connection == crm, refused_record.c.key.in_(still_gone))
    if tx.execute(select(refused_record.c.key).where(left).limit(1)).first() is not None:
        tx.execute(refused_record.delete().where(left))


def waiting_since(tx: Connection, latest: datetime, *, after: str, limit: int) -> list[FollowUp]:
    """Return follow-ups behind `after` that have waited for an outcome since `latest` or longer, and that their record still shows."""
    waits = follow_up.c.state == FollowUpState.WAITING_FOR_OUTCOME
    shown = follow_up.c.attention_ended_at.is_(None) & (follow_up.c.waiting_since <= latest)
    rows = select(follow_up).where(waits, shown, follow_up.c.id > after).order_by(follow_up.c.id).limit(limit)
    return [follow_up_of(row) for row in tx.execute(rows)]


def has_successor(tx: Connection, known: FollowUp) -> bool:
    """Tell whether another follow-up about the same person is unsettled: then this one is not opened again."""
    unsettled = (
        follow_up.c.state.in_(UNSETTLED) & (follow_up.c.customer == known.customer) & (follow_up.c.id != known.id)
    )
    same = select(follow_up.c.id).where(unsettled, follow_up.c.about == known.about)
    return tx.execute(same.limit(1)).first() is not None
