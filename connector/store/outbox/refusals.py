"""Writes that were set aside, each with the reason and the remedy."""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from connector.model.outbox import RefusedWrite
from connector.store.db.upsert import insert_or_update
from connector.store.tables import refused_record


def fingerprint(fields: Mapping[str, object], mapping: str) -> str:
    """Return what a refusal is about: the same fields under the same mapping are not tried again."""
    text = json.dumps([mapping, dict(fields)], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


_COLUMNS = (
    refused_record.c.key,
    refused_record.c.code,
    refused_record.c.what,
    refused_record.c.remedy,
    refused_record.c.fingerprint,
    refused_record.c.fields,
)


def refused_writes(tx: Connection, crm: str, keys: Collection[str]) -> Mapping[str, RefusedWrite]:
    """Return what was refused under these keys, by key."""
    rows = tx.execute(select(*_COLUMNS).where(refused_record.c.connection == crm, refused_record.c.key.in_(keys)))
    return {
        key: RefusedWrite(key, code, what, remedy, print_, None if fields is None else tuple(fields))
        for key, code, what, remedy, print_, fields in rows
    }


def refuse(tx: Connection, crm: str, write: RefusedWrite, now: datetime) -> None:
    """Set a write aside, and count how often in a row that happened."""
    row = {
        "connection": crm,
        "key": write.key,
        "direction": "write",
        "code": write.code,
        "what": write.what,
        "remedy": write.remedy,
        "fingerprint": write.fingerprint,
        "fields": None if write.fields is None else list(write.fields),
        "attempts": 1,
        "at": now,
    }
    insert_or_update(tx, refused_record, [row], added=("attempts",))


def accept(tx: Connection, crm: str, key: str) -> None:
    """Forget an earlier refusal."""
    tx.execute(refused_record.delete().where(refused_record.c.connection == crm, refused_record.c.key == key))


def try_all_again(tx: Connection, crm: str | None) -> None:
    """Have every write that was refused tried again in the next lap; None: of every connection."""
    conditions = [refused_record.c.direction == "write"]
    conditions += [] if crm is None else [refused_record.c.connection == crm]
    tx.execute(update(refused_record).where(*conditions).values(fingerprint=""))
