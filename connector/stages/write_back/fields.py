"""`write_back` of account and contact fields: page by page, what differs and was not refused as it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from connector.errors import MappingError
from connector.ports import WriteResult
from connector.stages.write_back.outbox import PAGE, Outbox, batches, names_refused
from connector.stages.write_back.plan import FieldChange, Raw, key_of, plan, written
from connector.stages.write_back.rounds import Rounds
from connector.store import Row, Transaction
from connector.store.outbox import writes as stored_writes
from connector.store.tables import ref_of


def run(outbox: Outbox, target: str) -> None:
    """Write what differs on all records of a target, account or contact."""
    place: str | None = ""
    size = _page_size(outbox, target)
    while place is not None:
        place = _write_page(outbox, target, place, size)


def _write_page(outbox: Outbox, target: str, place: str, size: int) -> str | None:
    """Write what differs on the records behind a place; returns where they end, None behind the last. Nothing of them is kept."""
    with outbox.context.store.read() as tx:
        if outbox.stopped_in(tx):
            return None
        rows = stored_writes.dirty(tx, outbox.crm.name, target, after=place, limit=size)
        known = stored_writes.refusals(tx, outbox.crm.name, [key_of(row) for row in rows])
    changes = _as_of_now(outbox, [plan(outbox.crm.mapping, row, outbox.now) for row in rows])
    _settle(outbox, [change for change in changes if not change.fields], known)
    rounds = Rounds(
        outbox,
        attrgetter("key"),
        partial(_sent, outbox),
        without_refused=partial(_without_refused, outbox),
        note=partial(_note, outbox),
    )
    rounds.run(_due(outbox, changes, known))
    return rows[-1].ref if len(rows) == size else None


def _page_size(outbox: Outbox, target: str) -> int:
    """Return how many records to look at together: more only where one order may take them all."""
    bulk = outbox.crm.adapter.bulk
    if bulk is None:
        return PAGE
    with outbox.context.store.read() as tx:
        waiting = stored_writes.count_dirty(tx, outbox.crm.name, target)
    return bulk.most if waiting >= bulk.least else PAGE


def _as_of_now(outbox: Outbox, changes: Sequence[FieldChange]) -> list[FieldChange]:
    """Plan anew what goes to fields that others write too: what stands there now is what can be put back, not what we read last.

    Where a record cannot be understood nobody knows what stands there, so it waits.
    """
    mapping = outbox.crm.mapping
    late = [change for change in changes if change.fields.keys() & mapping.shared(change.row.target)]
    found: dict[str, Raw | None] = {}
    for start in range(0, len(late), PAGE):
        found |= _present(outbox, late[start : start + PAGE])
    return [
        change if change.key not in found else plan(mapping, change.row, outbox.now, shown=found[change.key])
        for change in changes
        if found.get(change.key, {}) is not None
    ]


def _present(outbox: Outbox, changes: Sequence[FieldChange]) -> dict[str, Raw | None]:
    """Return what records of one target show now, by the keys of their changes; those that are gone are left out.

    None: it cannot be told.
    """
    crm, target = outbox.crm, changes[0].row.target
    paths = {name: crm.mapping.crm_field(target, name) for name in crm.mapping.shared(target)}
    by_id = {ref_of(crm.name, change.row.ref).id: change for change in changes}
    records = crm.adapter.fetch(crm.mapping.object_of(target), list(by_id), sorted(paths.values()))
    return {
        by_id[id_].key: None
        if record.fault
        else {**by_id[id_].row.shown, **{name: record.fields.get(path) for name, path in paths.items()}}
        for id_, record in records.items()
    }


def _settle(outbox: Outbox, same: Sequence[FieldChange], known: Mapping[str, Row[Any]]) -> None:
    """Take off the list what needs no write."""
    if not same:
        return
    with outbox.context.store.write() as tx:
        stored_writes.settled(tx, outbox.crm.name, [change.row for change in same])
        for change in same:
            if change.refused:
                outbox.set_fields_aside(tx, change.key, change.refused, {})
            elif change.contested or change.key in known:
                _no_longer_refused(outbox, tx, change)
    outbox.written.unchanged += sum(not change.refused for change in same)


def _due(outbox: Outbox, changes: Sequence[FieldChange], known: Mapping[str, Row[Any]]) -> list[FieldChange]:
    """Return what is to be sent; what was refused as it is stays refused, be it the record or some of its fields."""
    due = []
    for change in changes:
        held = outbox.held_back(change.fields, known.get(change.key))
        rest = {name: raw for name, raw in change.fields.items() if name not in held}
        if rest:
            due.append(replace(change, fields=rest, held=held))
        elif held:
            outbox.written.refused += 1
    return due


def _without_refused(outbox: Outbox, change: FieldChange, result: WriteResult) -> FieldChange | None:
    """Return the change without the fields that the CRM names as the reason of a refusal; None where it names none, or all."""
    mapping = outbox.crm.mapping
    names = names_refused(result, change.fields, mapping, change.row.target)
    if result.error is None or not 0 < len(names) < len(change.fields):
        return None
    return change.without(names, mapping, result.error)


def _sent(outbox: Outbox, changes: Sequence[FieldChange]) -> Iterator[Sequence[WriteResult]]:
    """Send, by one order if there is enough for it, until the lap is to end; yields results as they come."""
    writes = [change.as_write(outbox.crm.name, outbox.crm.mapping) for change in changes]
    bulk = outbox.crm.adapter.bulk
    if bulk is None or len(writes) < bulk.least:
        yield from outbox.sent(writes)
        return
    for batch in batches(writes, bulk.most):
        if outbox.stopped:
            return
        yield outbox.send_in_bulk(bulk, batch)


def _note(outbox: Outbox, tx: Transaction, change: FieldChange, result: WriteResult) -> None:
    row, crm, now = change.row, outbox.crm, outbox.now
    before = {name: change.shown.get(name) for name in change.fields}
    outbox.log(tx, result, row.ref, before=before, after=change.fields)
    if result.outcome == "refused":
        withheld = {one.name: one.raw for one in change.refused if one.raw is not None}
        asked = {**change.fields, **change.held, **withheld}
        outbox.set_aside(tx, result, outbox.fingerprint(asked))
        return
    if change.refused:
        outbox.set_fields_aside(tx, change.key, change.refused, change.held)
    elif change.held:
        outbox.written.refused += 1
    else:
        _no_longer_refused(outbox, tx, change)
    shown = {name: raw for name, raw in {**change.shown, **change.fields}.items() if raw is not None}
    kept = written(crm.mapping, change, now)
    whole = not change.held and all(isinstance(one.error, MappingError) for one in change.refused)
    stored_writes.wrote(tx, crm.name, row, shown=shown, written=kept, whole=whole)


def _no_longer_refused(outbox: Outbox, tx: Transaction, change: FieldChange) -> None:
    """Forget an earlier refusal, unless a field is left to others: that stays reported."""
    if change.contested:
        _report_contested(outbox, tx, change)
    else:
        stored_writes.accepted(tx, outbox.crm.name, change.key)


def _report_contested(outbox: Outbox, tx: Transaction, change: FieldChange) -> None:
    names = ", ".join(outbox.crm.mapping.crm_field(change.row.target, name) for name in change.contested)
    stored_writes.refuse(
        tx,
        outbox.crm.name,
        change.key,
        now=outbox.now,
        code="contested",
        what=f"something else in the CRM keeps overwriting {names}, so it was left alone.",
        remedy="Find the flow, workflow or sync that writes the field, or drop the field from the mapping.",
        fingerprint="",
    )
