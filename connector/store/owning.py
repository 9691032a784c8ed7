"""Which fields of others may be written, because they were before anybody was asked, and which ones are left alone."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from connector.model import Field, ForeignField
from connector.store import writing
from connector.store.tables import display, refused, setting
from connector.store.upsert import insert_or_update

FOREIGN = "field:"
"""Before the key of what is set aside because its field is not ours."""
_LOOKED_AT = 500
"""How many records are looked at to see what an earlier version wrote."""


def kept(tx: Connection, crm: str) -> frozenset[Field] | None:
    """Return the fields of others that an earlier version wrote; None while nobody has looked."""
    value = tx.execute(select(setting.c.value).where(setting.c.name == _name(crm))).scalar_one_or_none()
    return None if value is None else frozenset((name, field) for name, field in value)


def keep(tx: Connection, crm: str, fields: Collection[Field]) -> None:
    """Note which fields an earlier version wrote. This is asked once: what comes later needs the admin's word."""
    insert_or_update(tx, setting, [{"name": _name(crm), "value": sorted(map(list, fields))}])


def written_records(tx: Connection, crm: str, target: str) -> Sequence[Row[Any, Any]]:
    """Return what we last wrote to some records of a target, and what they show."""
    rows = select(display.c.written, display.c.shown).where(display.c.connection == crm, display.c.target == target)
    return tx.execute(rows.limit(_LOOKED_AT)).all()


def form(tx: Connection, crm: str) -> str | None:
    """Return in which form a connection was last written."""
    return tx.execute(select(setting.c.value).where(setting.c.name == writing.form_name(crm))).scalar_one_or_none()


def note_foreign(tx: Connection, crm: str, fields: Sequence[ForeignField], now: datetime) -> int:
    """Keep for `status` which fields are left alone; returns how many of them are new."""
    keys = {f"{FOREIGN}{one.object}.{one.field}": one for one in fields}
    mine = (refused.c.connection == crm, refused.c.key.startswith(FOREIGN, autoescape=True))
    known = set(tx.execute(select(refused.c.key).where(*mine)).scalars())
    for key in known - keys.keys():
        writing.accepted(tx, crm, key)
    new = {key: one for key, one in keys.items() if key not in known}
    for key, one in new.items():
        told = {"what": one.what, "remedy": one.remedy}
        writing.refuse(tx, crm, key, now=now, code="not_ours", fingerprint="", **told)
    return len(new)


def _name(crm: str) -> str:
    return f"kept:{crm}"
