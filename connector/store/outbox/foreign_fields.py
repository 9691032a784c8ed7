"""Which fields of others may be written, because they were before anybody was asked, and which ones are left alone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from connector.model import Field, ForeignField
from connector.store.db.upsert import insert_or_update
from connector.store.outbox import writes
from connector.store.tables import display, refused, setting

FOREIGN = "field:"
"""Before the key of what is set aside because its field is not ours."""
UNRELATABLE = "related:"
"""Before the key of what is set aside because no task can be associated with records of its object."""
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
    return tx.execute(select(setting.c.value).where(setting.c.name == writes.form_name(crm))).scalar_one_or_none()


def note_foreign(tx: Connection, crm: str, fields: Sequence[ForeignField], now: datetime) -> int:
    """Keep for `status` which fields are left alone; returns how many of them are new."""
    reasons = {
        f"{FOREIGN}{foreign_field.object}.{foreign_field.field}": {
            "what": foreign_field.what,
            "remedy": foreign_field.remedy,
        }
        for foreign_field in fields
    }
    return _note(tx, crm, FOREIGN, reasons, code="not_ours", now=now)


def note_unrelatable(tx: Connection, crm: str, what_of: Mapping[str, str], remedy: str, now: datetime) -> int:
    """Keep for `status` which objects no task can be associated with, and what that means; returns how many of them are new."""
    reasons = {f"{UNRELATABLE}{name}": {"what": what, "remedy": remedy} for name, what in what_of.items()}
    return _note(tx, crm, UNRELATABLE, reasons, code="not_associated", now=now)


def is_about_settings() -> ColumnElement[bool]:
    """Tell rows of `refused` that no further try changes: something in the mapping or the CRM has to be put right."""
    return or_(*(refused.c.key.startswith(prefix, autoescape=True) for prefix in (FOREIGN, UNRELATABLE)))


def _note(
    tx: Connection, crm: str, prefix: str, reasons: Mapping[str, Mapping[str, str]], *, code: str, now: datetime
) -> int:
    of_crm = (refused.c.connection == crm, refused.c.key.startswith(prefix, autoescape=True))
    known = set(tx.execute(select(refused.c.key).where(*of_crm)).scalars())
    for key in known - reasons.keys():
        writes.accepted(tx, crm, key)
    new = {key: reason for key, reason in reasons.items() if key not in known}
    for key, reason in new.items():
        writes.refuse(tx, crm, key, now=now, code=code, fingerprint="", **reason)
    return len(new)


def _name(crm: str) -> str:
    return f"kept:{crm}"
