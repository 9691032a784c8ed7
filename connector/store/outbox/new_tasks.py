"""Queries of `write_back`: follow-ups that have no task in the CRM yet."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from connector.model import FieldValues, FollowUpState, Kind, Ref, TaskState
from connector.model.follow_up import FollowUp, WrittenTask
from connector.store.db.row_readers import follow_up_columns, follow_up_of
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import account, binding, contact, follow_up, interaction, ref_of, ref_text
from connector.store.tables.base import optional_ref

NOT_READ = "not read yet"
"""Stands for the content of a record that we have made and not read: whatever is read of it is new."""


@dataclass(frozen=True, slots=True)
class TasklessFollowUp:
    """A follow-up without a task, with the records that it is about."""

    follow_up: FollowUp
    seen: Ref | None
    """A task that was seen in the CRM, though nobody confirmed that it was made."""
    account: Ref
    contact: Ref | None
    """None, too, where the CRM has deleted it."""
    interaction: Ref | None
    """Likewise."""
    interaction_kind: str | None


Place = tuple[datetime, str]
"""When a follow-up was opened, and its id."""


def taskless(
    tx: Connection,
    crm: str,
    after: Place | None = None,
    limit: int | None = None,
    *,
    customers: Collection[str] | None = None,
    among: Collection[str] | None = None,
) -> list[TasklessFollowUp]:
    """Return open follow-ups without a task in the CRM behind a place, the oldest first.

    `customers`, `among`: only those of some customers, or with some ids.
    """
    of_task = (binding.c.kind == Kind.FOLLOW_UP.value) & (binding.c.content_hash != "")
    seen = select(binding.c.ref).where(binding.c.id == follow_up.c.id, of_task)
    rows = (
        select(
            follow_up,
            seen.limit(1).scalar_subquery().label("seen_ref"),
            account.c.ref.label("account_ref"),
            contact.c.ref.label("contact_ref"),
            interaction.c.ref.label("interaction_ref"),
            interaction.c.kind.label("interaction_kind"),
        )
        .join(account, account.c.id == follow_up.c.account_id)
        .outerjoin(contact, (contact.c.id == follow_up.c.contact_id) & contact.c.deleted_at.is_(None))
        .outerjoin(interaction, (interaction.c.id == follow_up.c.interaction_id) & interaction.c.deleted_at.is_(None))
        .where(follow_up.c.connection == crm, follow_up.c.task_ref.is_(None), follow_up.c.state == FollowUpState.OPEN)
        .order_by(follow_up.c.opened_at, follow_up.c.id)
    )
    if customers is not None:
        rows = rows.where(follow_up.c.customer.in_(customers))
    if among is not None:
        rows = rows.where(follow_up.c.id.in_(among))
    if after is not None:
        opened_at, id_ = after
        later = and_(follow_up.c.opened_at == opened_at, follow_up.c.id > id_)
        rows = rows.where(or_(follow_up.c.opened_at > opened_at, later))
    return [
        TasklessFollowUp(
            follow_up_of(row),
            optional_ref(crm, row.seen_ref),
            ref_of(crm, row.account_ref),
            optional_ref(crm, row.contact_ref),
            optional_ref(crm, row.interaction_ref),
            row.interaction_kind,
        )
        for row in tx.execute(rows.limit(limit))
    ]


def set_task(tx: Connection, follow_up_id: str, task: Ref, written: FieldValues) -> None:
    """Note the task that a follow-up has in the CRM, so that it is known again even if it is deleted before it was ever read.

    `written` is what it was made with, by our names.
    """
    state = func.coalesce(follow_up.c.task_state, TaskState.OPEN.value)
    columns = follow_up_columns({"task": task, "task_written": WrittenTask(written)})
    tx.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**columns, task_state=state))
    row = {
        "connection": task.connection,
        "ref": ref_text(task),
        "kind": Kind.FOLLOW_UP.value,
        "id": follow_up_id,
        "content_hash": NOT_READ,
        "alias": False,
    }
    insert_or_ignore(tx, binding, [row])
