"""What our fields on CRM records should hold, and what they were last seen to hold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, update

from connector.model import FieldValues, Ref
from connector.model.outbox import LastWrite, RecordFields
from connector.store.crm.refs import chunks
from connector.store.db.among import is_listed, listed
from connector.store.db.types import AnySelect
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import outbox_record, ref_of, ref_text


@dataclass(frozen=True, slots=True)
class DesiredFields:
    """What some of our fields on a record should hold."""

    ref: Ref
    target: str
    """account or contact."""
    values: FieldValues
    """JSON values by our names; None clears, what is absent is left alone."""


_COLUMNS = (
    outbox_record.c.ref,
    outbox_record.c.target,
    outbox_record.c.desired,
    outbox_record.c.actual,
    outbox_record.c.written,
    outbox_record.c.read_back,
)


def _record_fields(
    tx: Connection, crm: str, *conditions: ColumnElement[bool], limit: int | None = None
) -> list[RecordFields]:
    rows = (
        select(*_COLUMNS)
        .where(outbox_record.c.connection == crm, *conditions)
        .order_by(outbox_record.c.ref)
        .limit(limit)
    )
    return [
        RecordFields(ref_of(crm, ref), target, desired, actual, written, read_back)
        for ref, target, desired, actual, written, read_back in tx.execute(rows)
    ]


# ── what they should hold ────────────────────────────────────────────────────────────────────────────────────────────


def set_desired(tx: Connection, ref: Ref, target: str, values: FieldValues) -> None:
    """Set what some of our fields on a record should hold (JSON values by our names; None clears, absent leaves alone).

    The record becomes pending when that changes anything.
    """
    set_desired_of(tx, [DesiredFields(ref, target, values)])


def set_desired_of(tx: Connection, desired: Sequence[DesiredFields]) -> None:
    """Set what some of our fields on many records should hold, see `set_desired`. What is set last of a record holds."""
    by_crm: dict[str, dict[str, DesiredFields]] = {}
    for fields in desired:
        records = by_crm.setdefault(fields.ref.connection, {})
        ref = ref_text(fields.ref) or ""
        before = records.get(ref)
        records[ref] = fields if before is None else replace(fields, values={**before.values, **fields.values})
    for crm, records in by_crm.items():
        _set_desired_in(tx, crm, records)


def _set_desired_in(tx: Connection, crm: str, records: Mapping[str, DesiredFields]) -> None:
    # Locked, so that nobody changes them between our reading and our writing them. Rows that are not there cannot be locked.
    before = _locked_desired(tx, crm, records)
    if new := [ref for ref in records if ref not in before]:
        nothing: dict[str, object] = {"desired": {}, "actual": {}, "written": {}, "pending": False}
        rows = [{"connection": crm, "ref": ref, "target": records[ref].target, **nothing} for ref in sorted(new)]
        insert_or_ignore(tx, outbox_record, rows)
        before |= _locked_desired(tx, crm, new)
    after = {ref: {**before[ref], **fields.values} for ref, fields in records.items()}
    changed = [
        {"crm": crm, "at": ref, "desired_fields": after[ref], "to": records[ref].target}
        for ref in sorted(records)
        if after[ref] != before[ref]
    ]
    if changed:
        tx.execute(_DESIRE, changed)


def _locked_desired(tx: Connection, crm: str, refs: Collection[str]) -> dict[str, FieldValues]:
    rows = tx.execute(_desired(tx.dialect.name), {"crm": crm, **listed(tx, refs)})
    return {row.ref: row.desired for row in rows}


@cache
def _desired(dialect: str) -> AnySelect:
    here = and_(outbox_record.c.connection == bindparam("crm"), is_listed(dialect, outbox_record.c.ref))
    rows = select(outbox_record.c.ref, outbox_record.c.desired).where(here)
    return rows.order_by(outbox_record.c.ref).with_for_update()


_DESIRE: Final = (
    update(outbox_record)
    .where(outbox_record.c.connection == bindparam("crm"), outbox_record.c.ref == bindparam("at"))
    .values(desired=bindparam("desired_fields"), target=bindparam("to"), pending=True)
)


def remove_desired(tx: Connection, ref: Ref, names: Collection[str]) -> None:
    """Leave alone from now on what some of our fields on a record hold."""
    here = _at(ref)
    desired = tx.execute(select(outbox_record.c.desired).where(here).with_for_update()).scalar_one_or_none()
    if desired is not None:
        left = {name: value for name, value in desired.items() if name not in names}
        tx.execute(update(outbox_record).where(here).values(desired=left))


def is_desired(tx: Connection, ref: Ref, values: FieldValues) -> bool:
    """Return whether a record is to show these values already."""
    desired = tx.execute(select(outbox_record.c.desired).where(_at(ref))).scalar_one_or_none()
    return desired is not None and {**desired, **values} == desired


# ── what they hold ───────────────────────────────────────────────────────────────────────────────────────────────────


def pending(tx: Connection, crm: str, target: str, *, after: Ref | None, limit: int) -> list[RecordFields]:
    """Return records of a target whose fields may differ from what they should hold, by ref behind `after`.

    Those that a bulk order is under way with are left out.
    """
    behind = outbox_record.c.ref > (ref_text(after) or "")
    return _record_fields(tx, crm, *_pending(target), outbox_record.c.bulk_order.is_(None), behind, limit=limit)


def pending_among(tx: Connection, crm: str, target: str, refs: Collection[Ref]) -> list[RecordFields]:
    """Return the same of some records, by ref; those that a bulk order is under way with too."""
    return [
        record
        for part in chunks(sorted(filter(None, map(ref_text, refs))))
        for record in _record_fields(tx, crm, *_pending(target), outbox_record.c.ref.in_(part))
    ]


def count_pending(tx: Connection, crm: str, target: str) -> int:
    """Return how many records of a target may differ from what they should hold."""
    rows = select(func.count()).select_from(outbox_record).where(outbox_record.c.connection == crm, *_pending(target))
    return int(tx.execute(rows).scalar_one())


def _pending(target: str) -> tuple[ColumnElement[bool], ...]:
    return outbox_record.c.pending, outbox_record.c.target == target


def sample(tx: Connection, crm: str, target: str, limit: int) -> list[RecordFields]:
    """Return a number of records of a target, pending or not."""
    return _record_fields(tx, crm, outbox_record.c.target == target, limit=limit)


def note_unchanged(tx: Connection, records: Sequence[RecordFields]) -> None:
    """Note that these records need no write, unless what they should hold has changed since they were read.

    One that somebody is changing at this moment is left for the next lap: whoever waited for it could be waited for in turn.
    """
    read = {record.ref: record.desired for record in records}
    for part in chunks(read):
        crm = part[0].connection
        here = and_(outbox_record.c.connection == crm, outbox_record.c.ref.in_([ref_text(ref) for ref in part]))
        now = tx.execute(
            select(outbox_record.c.ref, outbox_record.c.desired)
            .where(here, outbox_record.c.bulk_order.is_(None))
            .with_for_update(skip_locked=True)
        )
        same = [ref for ref, desired in now if desired == read[ref_of(crm, ref)]]
        tx.execute(update(outbox_record).where(here, outbox_record.c.ref.in_(same)).values(pending=False))


def note_read_back(tx: Connection, record: RecordFields, actual: FieldValues) -> None:
    """Note what a record holds that was read back because two writes may have crossed; not while a bulk order is under way with it."""
    values = {"actual": {name: raw for name, raw in actual.items() if raw is not None}, "read_back": False}
    tx.execute(update(outbox_record).where(_at(record.ref), outbox_record.c.bulk_order.is_(None)).values(values))


def note_written(
    tx: Connection, record: RecordFields, *, actual: FieldValues, written: Mapping[str, LastWrite], is_complete: bool
) -> bool:
    """Note what a record holds after a write; tell whether it is to be looked at again at once.

    It stays pending unless all of it was written (`is_complete`), and what it should hold has not changed since it was read. Where a
    bulk order was given for it before, the older values of that order may come last: it is read back when the order has ended.
    """
    here = _at(record.ref)
    row = tx.execute(select(outbox_record.c.desired, outbox_record.c.bulk_order).where(here).with_for_update()).one()
    changed, crosses = bool(row.desired != record.desired), row.bulk_order is not None
    tx.execute(
        update(outbox_record)
        .where(here)
        .values(
            actual=dict(actual),
            written=dict(written),
            pending=not is_complete or changed or crosses,
            read_back=crosses,
        )
    )
    return changed


def mark_crossed(tx: Connection, crm: str, keys: Collection[str]) -> None:
    """Note by the keys of their writes that two writers may have written records at once: what they hold is to be read back."""
    for part in chunks(sorted(key.partition(":")[2] for key in keys if ":" in key)):
        here = and_(outbox_record.c.connection == crm, outbox_record.c.ref.in_(part))
        tx.execute(update(outbox_record).where(here).values(pending=True, read_back=True))


# ── bulk orders ──────────────────────────────────────────────────────────────────────────────────────────────────────


def begin_order(tx: Connection, crm: str, records: Sequence[RecordFields], order: str) -> None:
    """Note that a bulk order is about to be given for these records; whoever writes one meanwhile marks it to be read back."""
    for part in chunks(record.ref for record in records):
        here = and_(outbox_record.c.connection == crm, outbox_record.c.ref.in_([ref_text(ref) for ref in part]))
        tx.execute(
            update(outbox_record)
            .where(here, outbox_record.c.bulk_order.is_(None))
            .values(bulk_order=order, read_back=False)
        )


def note_ordered(
    tx: Connection, record: RecordFields, *, actual: FieldValues, written: Mapping[str, LastWrite], is_complete: bool
) -> bool:
    """Note what a record holds after a bulk order has written it; see `note_written`.

    Where another write has come meanwhile, nobody knows which of them was the last: it is to be read back, and nothing else is noted.
    """
    here = _at(record.ref)
    row = tx.execute(select(outbox_record.c.desired, outbox_record.c.read_back).where(here).with_for_update()).one()
    changed = bool(row.desired != record.desired)
    values: dict[str, object] = {
        "actual": dict(actual),
        "written": dict(written),
        "pending": not is_complete or changed,
    }
    if row.read_back:
        values = {"pending": True}
    tx.execute(update(outbox_record).where(here).values(bulk_order=None, **values))
    return changed or bool(row.read_back)


def end_order(tx: Connection, crm: str, order: str) -> None:
    """Note that a bulk order is under way no more: what it did not come to stays pending."""
    here = and_(outbox_record.c.connection == crm, outbox_record.c.bulk_order == order)
    tx.execute(update(outbox_record).where(here).values(bulk_order=None))


def end_left_orders(tx: Connection, crm: str) -> None:
    """Have records read back whose bulk order was left by a process that died: nobody knows what it has written."""
    here = and_(outbox_record.c.connection == crm, outbox_record.c.bulk_order.is_not(None))
    if tx.execute(select(outbox_record.c.ref).where(here).limit(1)).first() is not None:
        tx.execute(update(outbox_record).where(here).values(bulk_order=None, pending=True, read_back=True))


def put_back(tx: Connection, ref: Ref, values: FieldValues) -> None:
    """Note what a record holds after our fields (by our names) were put back: that was us, and nobody else."""
    here = _at(ref)
    row = tx.execute(
        select(outbox_record.c.actual, outbox_record.c.written).where(here).with_for_update()
    ).one_or_none()
    if row is None:
        return
    actual = {name: raw for name, raw in {**row.actual, **values}.items() if raw is not None}
    written = {name: last for name, last in row.written.items() if name not in values}
    tx.execute(update(outbox_record).where(here).values(actual=actual, written=written, pending=True))


def compare_again(tx: Connection, crm: str) -> None:
    """Have every record of a connection compared again: the mapping has changed."""
    tx.execute(update(outbox_record).where(outbox_record.c.connection == crm).values(pending=True))


def _at(ref: Ref) -> ColumnElement[bool]:
    return and_(outbox_record.c.connection == ref.connection, outbox_record.c.ref == ref_text(ref))
