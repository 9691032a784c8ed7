"""Queries of `write_back`: what differs, what was refused, and the log of every write."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from connector.model import FollowUpState, Kind, TaskState
from connector.store.crm.refs import chunks
from connector.store.db.upsert import insert_or_ignore, insert_or_update
from connector.store.tables import (
    account,
    binding,
    contact,
    display,
    follow_up,
    interaction,
    refused,
    setting,
    write_log,
)

NOT_READ = "not read yet"
"""Stands for the content of a record that we have made and not read: whatever is read of it is new."""


def dirty(tx: Connection, crm: str, target: str, *, after: str, limit: int) -> list[Row[Any]]:
    """Return records of a target whose fields may differ from what they should say, by ref behind `after`."""
    rows = select(display).where(*_dirty(crm, target), display.c.ref > after)
    return list(tx.execute(rows.order_by(display.c.ref).limit(limit)))


def count_dirty(tx: Connection, crm: str, target: str) -> int:
    """Return how many records of a target may differ from what they should say."""
    rows = select(func.count()).select_from(display).where(*_dirty(crm, target))
    return int(tx.execute(rows).scalar_one())


def _dirty(crm: str, target: str) -> tuple[ColumnElement[bool], ...]:
    return display.c.connection == crm, display.c.dirty, display.c.target == target


def settled(tx: Connection, crm: str, rows: Sequence[Row[Any]]) -> None:
    """Note that these records need no write, unless what they should say has changed since the rows were read.

    One that somebody is changing at this moment is left for the next lap: whoever waited for it could be waited for in turn.
    """
    looked_at = {row.ref: row.wanted for row in rows}
    for part in chunks(looked_at):
        mine = and_(display.c.connection == crm, display.c.ref.in_(part))
        now = tx.execute(select(display.c.ref, display.c.wanted).where(mine).with_for_update(skip_locked=True))
        same = [row.ref for row in now if row.wanted == looked_at[row.ref]]
        tx.execute(update(display).where(mine, display.c.ref.in_(same)).values(dirty=False))


def look_again(tx: Connection, crm: str) -> None:
    """Compare every record of a connection again: the mapping has changed."""
    tx.execute(update(display).where(display.c.connection == crm).values(dirty=True))


def take_form(tx: Connection, crm: str, form: str) -> None:
    """Note in which form a connection is written; if it has changed, compare everything and try again what was refused."""
    name = form_name(crm)
    before = tx.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()
    if before == form:
        return
    insert_or_update(tx, setting, [{"name": name, "value": form}])
    look_again(tx, crm)
    mine = and_(refused.c.connection == crm, refused.c.direction == "write")
    tx.execute(update(refused).where(mine).values(fingerprint=""))


def form_name(crm: str) -> str:
    """Return under which name the form of a connection is kept."""
    return f"form:{crm}"


def wrote(
    tx: Connection,
    crm: str,
    row: Row[Any],
    *,
    shown: Mapping[str, Any],
    written: Mapping[str, Any],
    whole: bool,
) -> None:
    """Note what a record shows now. It stays on the list unless all of it was written (`whole`), and what it should say has not
    changed in the meantime."""
    mine = and_(display.c.connection == crm, display.c.ref == row.ref)
    tx.execute(update(display).where(mine).values(shown=dict(shown), written=dict(written)))
    still = tx.execute(select(display.c.wanted).where(mine)).scalar_one()
    tx.execute(update(display).where(mine).values(dirty=not whole or still != row.wanted))


def taskless(tx: Connection, crm: str, after: tuple[datetime, str] | None, limit: int) -> list[Row[Any]]:
    """Return open follow-ups without a task in the CRM behind a place (when opened, id), oldest first.

    With them come the refs of whom and what they are about, and of a task that was seen though nobody confirmed that it was made.
    """
    of_task = (binding.c.kind == Kind.FOLLOW_UP.value) & (binding.c.content != "")
    seen = select(binding.c.ref).where(binding.c.id == follow_up.c.id, of_task)
    found = (
        select(
            follow_up,
            seen.limit(1).scalar_subquery().label("seen_ref"),
            account.c.ref.label("account_ref"),
            contact.c.ref.label("contact_ref"),
            contact.c.deleted_at.label("contact_gone"),
            interaction.c.ref.label("interaction_ref"),
            interaction.c.kind.label("interaction_kind"),
        )
        .join(account, account.c.id == follow_up.c.account_id)
        .outerjoin(contact, contact.c.id == follow_up.c.contact_id)
        .outerjoin(interaction, (interaction.c.id == follow_up.c.interaction_id) & interaction.c.deleted_at.is_(None))
        .where(follow_up.c.connection == crm, follow_up.c.task_ref.is_(None), follow_up.c.state == FollowUpState.OPEN)
        .order_by(follow_up.c.opened_at, follow_up.c.id)
    )
    if after is not None:
        opened_at, id_ = after
        later = and_(follow_up.c.opened_at == opened_at, follow_up.c.id > id_)
        found = found.where(or_(follow_up.c.opened_at > opened_at, later))
    return list(tx.execute(found.limit(limit)))


def has_task(tx: Connection, crm: str, follow_up_id: str, ref: str, written: Mapping[str, Any]) -> None:
    """Note the task that a follow-up has in the CRM, so that it is known again even if it is deleted before it was ever read.

    `written` is what it was made with, by our names.
    """
    state = func.coalesce(follow_up.c.task_state, TaskState.OPEN.value)
    columns = {"task_ref": ref, "task_state": state, "task_written": dict(written)}
    tx.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**columns))
    row = {
        "connection": crm,
        "ref": ref,
        "kind": Kind.FOLLOW_UP.value,
        "id": follow_up_id,
        "content": NOT_READ,
        "alias": False,
    }
    insert_or_ignore(tx, binding, [row])


def log(tx: Connection, crm: str, key: str, **columns: Any) -> int:
    """Add a line to the log of writes (ref, at, outcome, before, after, error); returns its number."""
    line = write_log.insert().values(connection=crm, key=key, **columns).returning(write_log.c.id)
    return int(tx.execute(line).scalar_one())


def fingerprint(fields: Mapping[str, Any], mapping: str) -> str:
    """Return what a refusal is about: the same fields under the same mapping are not tried again."""
    text = json.dumps([mapping, dict(fields)], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def refusals(tx: Connection, crm: str, keys: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return what was refused under these keys."""
    rows = tx.execute(select(refused).where(refused.c.connection == crm, refused.c.key.in_(keys)))
    return {row.key: row for row in rows}


def refuse(tx: Connection, crm: str, key: str, *, now: datetime, **columns: Any) -> None:
    """Set a write aside: code, what, remedy, fingerprint; `fields` (our names) where the others of the record are written."""
    columns = {"fields": None} | columns
    row = {"connection": crm, "key": key, "direction": "write", "attempts": 1, "at": now, **columns}
    insert_or_update(tx, refused, [row], added=("attempts",))


def accepted(tx: Connection, crm: str, key: str) -> None:
    """Forget an earlier refusal."""
    tx.execute(refused.delete().where(refused.c.connection == crm, refused.c.key == key))
