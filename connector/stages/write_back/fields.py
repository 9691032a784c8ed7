"""`write_back` of account and contact fields: page by page, what differs and was not refused as it is."""

from collections.abc import Mapping, Sequence
from functools import partial

from connector.errors import MappingError
from connector.model import FieldValues, Ref
from connector.model.outbox import RefusedWrite
from connector.ports import WriteResult
from connector.stages.write_back.contested_fields import written
from connector.stages.write_back.field_plan import FieldChange, plan
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.partial_writes import send_changes
from connector.store import Transaction
from connector.store.outbox import fields, refusals


def run(outbox: Outbox, target: str) -> None:
    """Write what differs on all records of a target, account or contact, page by page. Nothing of a page is kept."""
    size = _page_size(outbox, target)
    after: Ref | None = None
    while True:
        with outbox.context.store.read() as tx:
            if outbox.stopped_in(tx):
                return
            records = fields.pending(tx, outbox.crm.name, target, after=after, limit=size)
            known = refusals.refused_writes(tx, outbox.crm.name, [record.key for record in records])
        changes = _as_of_now(outbox, target, [plan(outbox.crm.mapping, record, outbox.now) for record in records])
        _note_unchanged(outbox, [change for change in changes if not change.fields], known)
        send_changes(outbox, _due(outbox, changes, known), partial(_note_written, outbox), outbox.crm.writer.bulk)
        if len(records) < size:
            return
        after = records[-1].ref


def _page_size(outbox: Outbox, target: str) -> int:
    """Return how many records to look at together: more only where one order may take them all."""
    bulk = outbox.crm.writer.bulk
    if bulk is None:
        return PAGE
    with outbox.context.store.read() as tx:
        waiting = fields.count_pending(tx, outbox.crm.name, target)
    return bulk.most if waiting >= bulk.least else PAGE


def _as_of_now(outbox: Outbox, target: str, changes: Sequence[FieldChange]) -> list[FieldChange]:
    """Plan anew what goes to fields that others write too: what stands there now is what can be put back, not what we read last.

    Where a record cannot be understood nobody knows what stands there, so it waits.
    """
    mapping = outbox.crm.mapping
    shared = [change for change in changes if change.fields.keys() & mapping.shared(target)]
    actual: dict[str, FieldValues | None] = {}
    for start in range(0, len(shared), PAGE):
        actual |= _actual(outbox, target, shared[start : start + PAGE])
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
    paths = {name: mapping.crm_field(target, name) for name in mapping.shared(target)}
    by_id = {change.record.ref.id: change for change in changes}
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
    actual = {name: raw for name, raw in {**change.before, **change.fields}.items() if raw is not None}
    last_writes = written(outbox.crm.mapping, change.record, change.fields, outbox.now)
    is_complete = not change.held and all(isinstance(field.error, MappingError) for field in change.refused)
    fields.note_written(tx, change.record, actual=actual, written=last_writes, whole=is_complete)


def _note_refused_fields(outbox: Outbox, tx: Transaction, change: FieldChange) -> None:
    """Keep what was refused of a record. A field that is left to others stays reported where nothing else is."""
    if not change.contested or change.refused or change.held:
        outbox.note_refused_fields(tx, change)
        return
    names = ", ".join(outbox.crm.mapping.crm_field(change.target, name) for name in change.contested)
    what = f"something else in the CRM keeps overwriting {names}, so it was left alone."
    remedy = "Find the flow, workflow or sync that writes the field, or drop the field from the mapping."
    refusals.refuse(tx, outbox.crm.name, RefusedWrite(change.key, "contested", what, remedy), outbox.now)
