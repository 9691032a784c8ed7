"""Which fields of others may be written, because they were before anybody was asked, and which ones are left alone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select

from connector.model import Field, ForeignField
from connector.model.outbox import RefusedWrite
from connector.store.db.upsert import insert_or_update
from connector.store.outbox.refusals import accept, refuse
from connector.store.tables import refused_record, setting

FOREIGN = "field:"
"""Before the key of what is set aside because its field is not ours."""
UNRELATABLE = "related:"
"""Before the key of what is set aside because no task can be associated with records of its object."""


def kept(tx: Connection, crm: str) -> frozenset[Field] | None:
    """Return the fields of others that an earlier version wrote; None while nobody has looked."""
    value = tx.execute(select(setting.c.value).where(setting.c.name == _name(crm))).scalar_one_or_none()
    return None if value is None else frozenset((name, field) for name, field in value)


def keep(tx: Connection, crm: str, fields: Collection[Field]) -> None:
    """Note which fields an earlier version wrote. This is asked once: what comes later needs the admin's word."""
    insert_or_update(tx, setting, [{"name": _name(crm), "value": sorted(map(list, fields))}])


def note_foreign(tx: Connection, crm: str, fields: Sequence[ForeignField], now: datetime) -> int:
    """Keep for `status` which fields are left alone; returns how many of them are new."""
    refusals = [
        RefusedWrite(f"{FOREIGN}{field.object}.{field.field}", "not_ours", field.what, field.remedy) for field in fields
    ]
    return _note(tx, crm, FOREIGN, refusals, now)


def note_unrelatable(tx: Connection, crm: str, what_of: Mapping[str, str], remedy: str, now: datetime) -> int:
    """Keep for `status` which objects no task can be associated with, and what that means; returns how many of them are new."""
    refusals = [RefusedWrite(f"{UNRELATABLE}{name}", "not_associated", what, remedy) for name, what in what_of.items()]
    return _note(tx, crm, UNRELATABLE, refusals, now)


def is_about_settings() -> ColumnElement[bool]:
    """Tell rows of `refused_record` that no further try changes: something in the mapping or the CRM has to be put right."""
    return or_(*(refused_record.c.key.startswith(prefix, autoescape=True) for prefix in (FOREIGN, UNRELATABLE)))


def _note(tx: Connection, crm: str, prefix: str, refusals: Sequence[RefusedWrite], now: datetime) -> int:
    of_crm = (refused_record.c.connection == crm, refused_record.c.key.startswith(prefix, autoescape=True))
    known = set(tx.execute(select(refused_record.c.key).where(*of_crm)).scalars())
    for key in known - {refusal.key for refusal in refusals}:
        accept(tx, crm, key)
    new = {refusal.key: refusal for refusal in refusals if refusal.key not in known}
    for refusal in new.values():
        refuse(tx, crm, refusal, now)
    return len(new)


def _name(crm: str) -> str:
    return f"kept:{crm}"
