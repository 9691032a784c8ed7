"""Which writes that were refused are tried again though nothing about their record has changed.

A refusal whose fingerprint is empty is tried in the next lap.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from connector.store.crm.refs import chunks
from connector.store.db.upsert import insert_or_update
from connector.store.ops import connections
from connector.store.outbox.foreign_fields import is_about_settings
from connector.store.tables import refused_record, setting

DAILY: Final = timedelta(hours=24)
SHORTEST: Final = timedelta(minutes=5)
"""After a first refusal; after each further one twice as long, where only a success of the same kind is the reason to try again."""
_STEPS: Final = 9


def keys(tx: Connection, crm: str) -> set[str]:
    """Return under which keys writes are set aside that can be tried again."""
    return set(tx.execute(select(refused_record.c.key).where(_writes(crm))).scalars())


def again(tx: Connection, crm: str, chosen: Collection[str] | None = None) -> None:
    """Try again in the next lap what was refused, all of it or these keys; the CRM is asked for its schema too."""
    for part in chunks(sorted(chosen)) if chosen is not None else [None]:
        condition = _writes(crm) if part is None else and_(_writes(crm), refused_record.c.key.in_(part))
        tx.execute(update(refused_record).where(condition).values(fingerprint=""))
    connections.state(tx, crm)
    connections.forget_schema(tx, crm)


def again_daily(tx: Connection, crm: str, now: datetime) -> None:
    """Try everything again once a day."""
    name = f"retried:{crm}"
    last = tx.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()
    if last is not None and now - datetime.fromisoformat(last) < DAILY:
        return
    insert_or_update(tx, setting, [{"name": name, "value": now.isoformat()}])
    if last is not None:
        tx.execute(update(refused_record).where(_writes(crm)).values(fingerprint=""))


def again_after_success(tx: Connection, crm: str, target: str, now: datetime) -> None:
    """Try again what was refused of a kind of which a write went well: account, contact or task. Where only some are refused, others
    go well all the time, so the pauses grow."""
    condition = and_(_writes(crm), _of_kind(target), refused_record.c.fingerprint != "")
    if not tx.execute(select(func.count()).select_from(refused_record).where(condition)).scalar_one():
        return
    for step in range(_STEPS):
        pause = min(SHORTEST * 2**step, DAILY)
        attempts = refused_record.c.attempts == step + 1 if step < _STEPS - 1 else refused_record.c.attempts > step
        due = and_(condition, attempts, refused_record.c.at <= now - pause)
        tx.execute(update(refused_record).where(due).values(fingerprint=""))


def _writes(crm: str) -> ColumnElement[bool]:
    return and_(refused_record.c.connection == crm, refused_record.c.direction == "write", ~is_about_settings())


def _of_kind(target: str) -> ColumnElement[bool]:
    if target == "task":
        return ~refused_record.c.key.contains(":", autoescape=True)
    return refused_record.c.key.startswith(f"{target}:", autoescape=True)
