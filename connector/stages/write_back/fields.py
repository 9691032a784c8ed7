"""`write_back` of account and contact fields: page by page, what differs and was not refused as it is."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final, TypedDict

from connector.errors import MappingError
from connector.model import FieldValues, Ref
from connector.model.outbox import LastWrite, RecordFields, RefusedWrite
from connector.ports import BulkWriter, WriteResult
from connector.stages.write_back.contested_fields import written
from connector.stages.write_back.field_plan import FieldChange, plan
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.partial_writes import send_changes
from connector.store import Transaction, new_id
from connector.store.outbox import fields, refusals
from connector.store.outbox.customer_records import records_of


class _Written(TypedDict):
    """What is noted of a record that was written; see `connector.store.outbox.fields.note_written`."""

    actual: FieldValues
    written: Mapping[str, LastWrite]
    is_complete: bool


PASSES: Final = 3
"""How often what changes while it is being written is looked at again in one go; then the next lap does."""


def run(outbox: Outbox, target: str) -> None:
    """Write what differs on all records of a target, account or contact, page by page. Nothing of a page is kept.

    Of a write-back for some customers: on their records alone, and never by a bulk order.
    """
    for _ in range(PASSES):
        outbox.claims.crossed.clear()
        if outbox.context.customers is not None:
            _write_for_customers(outbox, target)
        else:
            _write_all(outbox, target)
        if not outbox.claims.crossed:
            return


def _write_for_customers(outbox: Outbox, target: str) -> None:
    with outbox.context.store.read() as tx:
        if outbox.stopped_in(tx):
            return
        refs = records_of(tx, outbox.crm.name, target, outbox.context.customers or ())
        records = fields.pending_among(tx, outbox.crm.name, target, refs)
    for start in range(0, len(records), PAGE):
        _write_page(outbox, target, records[start : start + PAGE])


def _write_all(outbox: Outbox, target: str) -> None:
    bulk = _bulk_order(outbox, target)
    size = PAGE if bulk is None else bulk.most
    after: Ref | None = None
    while True:
        with outbox.context.store.read() as tx:
            if outbox.stopped_in(tx):
                return
            records = fields.pending(tx, outbox.crm.name, target, after=after, limit=size)
        if bulk is not None and len(records) >= bulk.least:
            _write_in_bulk(outbox, target, records, bulk)
        else:
            for start in range(0, len(records), PAGE):
                _write_page(outbox, target, records[start : start + PAGE])
        if len(records) < size:
            return
        after = records[-1].ref


def _bulk_order(outbox: Outbox, target: str) -> BulkWriter | None:
    """Return what writes by bulk orders, where so many records wait that one is worth while."""
    bulk = outbox.crm.writer.bulk
    if bulk is None:
        return None
    with outbox.context.store.read() as tx:
        waiting = fields.count_pending(tx, outbox.crm.name, target)
    return bulk if waiting >= bulk.least else None


def _write_page(outbox: Outbox, target: str, records: Sequence[RecordFields]) -> None:
    """Write one page; what another writer is at is left to it."""
    with outbox.claims.taken([record.key for record in records]) as ours:
        send_changes(outbox, _due_of(outbox, target, records, ours), partial(_note_written, outbox))


def _write_in_bulk(outbox: Outbox, target: str, records: Sequence[RecordFields], bulk: BulkWriter) -> None:
    """Give one order for a page. Answers that come meanwhile write their records at once; these are read back afterwards.

    An order that is left, because the lap is to end or the CRM is out of reach, may still be carried out: the next write-back has
    its records read back.
    """
    order = new_id()
    with outbox.claims.taken([record.key for record in records]) as ours:
        due = _due_of(outbox, target, records, ours)
        if not due:
            return
        with outbox.context.store.write() as tx:
            fields.begin_order(tx, outbox.crm.name, [change.record for change in due], order)
    send_changes(outbox, due, partial(_note_ordered, outbox), bulk)
    with outbox.context.store.write() as tx:
        fields.end_order(tx, outbox.crm.name, order)


def _due_of(outbox: Outbox, target: str, records: Sequence[RecordFields], ours: Collection[str]) -> list[FieldChange]:
    """Return what is to be sent of those records that are ours to write, read again: another may have written them since."""
    refs = [record.ref for record in records if record.key in ours]
    with outbox.context.store.read() as tx:
        records = fields.pending_among(tx, outbox.crm.name, target, refs)
        known = refusals.refused_writes(tx, outbox.crm.name, [record.key for record in records])
    return _due(outbox, _planned(outbox, target, records, known), known)


def _planned(
    outbox: Outbox, target: str, records: Sequence[RecordFields], known: Mapping[str, RefusedWrite]
) -> list[FieldChange]:
    """Return what is to be written of these records, and note those that need no write."""
    changes = _as_of_now(outbox, target, [plan(outbox.crm.mapping, record, outbox.now) for record in records])
    _note_unchanged(outbox, [change for change in changes if not change.fields], known)
    return changes


def _as_of_now(outbox: Outbox, target: str, changes: Sequence[FieldChange]) -> list[FieldChange]:
    """Plan anew what goes to fields that others write too: what stands there now is what can be put back, not what we read last.

    Where a record cannot be understood nobody knows what stands there, so it waits.
    """
    mapping = outbox.crm.mapping
    unsure = [change for change in changes if change.record.read_back or change.fields.keys() & mapping.shared(target)]
    actual: dict[str, FieldValues | None] = {}
    for start in range(0, len(unsure), PAGE):
        actual |= _actual(outbox, target, unsure[start : start + PAGE])
    return [
        change if change.key not in actual else plan(mapping, change.record, outbox.now, actual=actual[change.key])
        for change in changes
        if actual.get(change.key, {}) is not None
    ]


def _actual(outbox: Outbox, target: str, changes: Sequence[FieldChange]) -> dict[str, FieldValues | None]:
    """Return what records show now, by the keys of their changes; those that are gone are left out.

    None: it cannot be told.
    """
    mapping = outbox.crm.mapping
    wanted = mapping.shared(target)
    if any(change.record.read_back for change in changes):
        wanted = mapping.names(target)
    paths = {name: mapping.crm_field(target, name) for name in wanted}
    by_id = {change.ref.id: change for change in changes if change.ref is not None}
    records = outbox.crm.reader.fetch(mapping.object_of(target), list(by_id), sorted(paths.values()))
    return {
        by_id[id_].key: None
        if record.fault
        else {**by_id[id_].record.actual, **{name: record.fields.get(path) for name, path in paths.items()}}
        for id_, record in records.items()
    }


def _note_unchanged(outbox: Outbox, same: Sequence[FieldChange], known: Mapping[str, RefusedWrite]) -> None:
    """Take off the list what needs no write."""
    if not same:
        return
    with outbox.context.store.write() as tx:
        for change in same:
            if change.record.read_back:
                fields.note_read_back(tx, change.record, change.before)
        fields.note_unchanged(tx, [change.record for change in same])
        for change in same:
            if change.refused or change.contested or change.key in known:
                _note_refused_fields(outbox, tx, change)
    outbox.written.unchanged += sum(not change.refused for change in same)


def _due(outbox: Outbox, changes: Sequence[FieldChange], known: Mapping[str, RefusedWrite]) -> list[FieldChange]:
    """Return what is to be sent; what was refused as it is stays refused, be it the record or some of its fields."""
    due = []
    for change in changes:
        rest = change.without_held(outbox.held_back(change.fields, known.get(change.key)))
        if rest.fields:
            due.append(rest)
        elif rest.held:
            outbox.written.refused += 1
    return due


def _note_written(outbox: Outbox, tx: Transaction, change: FieldChange, _result: WriteResult) -> None:
    _note_refused_fields(outbox, tx, change)
    if outbox.claims.is_lost(tx, change.key):
        fields.mark_crossed(tx, outbox.crm.name, [change.key])
    elif fields.note_written(tx, change.record, **_as_written(outbox, change)):
        outbox.claims.crossed.add(change.key)


def _note_ordered(outbox: Outbox, tx: Transaction, change: FieldChange, _result: WriteResult) -> None:
    _note_refused_fields(outbox, tx, change)
    if fields.note_ordered(tx, change.record, **_as_written(outbox, change)):
        outbox.claims.crossed.add(change.key)


def _as_written(outbox: Outbox, change: FieldChange) -> _Written:
    """Return what a record holds after a change of it."""
    return {
        "actual": {name: raw for name, raw in {**change.before, **change.fields}.items() if raw is not None},
        "written": written(outbox.crm.mapping, change.record, change.fields, outbox.now),
        "is_complete": not change.held and all(isinstance(field.error, MappingError) for field in change.refused),
    }


def _note_refused_fields(outbox: Outbox, tx: Transaction, change: FieldChange) -> None:
    """Keep what was refused of a record. A field that is left to others stays reported where nothing else is."""
    if not change.contested or change.refused or change.held:
        outbox.note_refused_fields(tx, change)
        return
    names = ", ".join(outbox.crm.mapping.crm_field(change.target, name) for name in change.contested)
    what = f"something else in the CRM keeps overwriting {names}, so it was left alone."
    remedy = "Find the flow, workflow or sync that writes the field, or drop the field from the mapping."
    refusals.refuse(tx, outbox.crm.name, RefusedWrite(change.key, "contested", what, remedy), outbox.now)
