"""`write_back` of what has changed about follow-ups since their tasks were made: text, due date, owner, opened again, completed.

Whatever is to be changed is read again just before, so that nothing is written over what somebody did meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.errors import MappingError
from connector.model import FollowUpState, TaskState
from connector.model.outbox import RefusedWrite
from connector.model.stored import StoredOwner
from connector.ports import Record, WriteResult
from connector.settings.time_zones import owner_zone
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.rounds import send_changes
from connector.stages.write_back.task_plan import (
    TEXTS,
    Desired,
    Raw,
    TaskChange,
    desired,
    is_pending,
    plan,
    values_of,
    written_after,
)
from connector.store import Row, Transaction
from connector.store.outbox import refusals
from connector.store.results import follow_up_facts, tasks
from connector.store.tables import ref_of


@dataclass(slots=True)
class Changer:
    """The changes of one connection's tasks."""

    outbox: Outbox
    owners: dict[str, StoredOwner | None] = field(default_factory=dict)

    def run(self) -> None:
        """Change the tasks that do not say what they should; no call where nothing differs."""
        after = ""
        while True:
            with self.outbox.context.store.write() as tx:
                if self.outbox.stopped_in(tx):
                    return
                rows = tasks.with_tasks(tx, self.outbox.crm.name, after, PAGE)
                known = refusals.refused_writes(tx, self.outbox.crm.name, [row.id for row in rows])
                rows = self._with_baselines(tx, rows, known)
                wanted = self._desired(tx, rows, known)
            self._change(rows, wanted, known)
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def _with_baselines(
        self, tx: Transaction, rows: Sequence[Row[Any]], known: Mapping[str, RefusedWrite]
    ) -> Sequence[Row[Any]]:
        """Note what stood in each field before we wrote it, where that is not known yet.

        Of tasks that an earlier version made, the log of writes knows what they were made with. Fields that the CRM refused when
        the task was made hold what it filled in itself, as it was first read.
        """
        old = {row.task_ref: row for row in rows if row.task_written is None}
        filled_in = {row.id: found for row in rows if (found := _filled_in(row, _set_aside(known.get(row.id))))}
        if not old and not filled_in:
            return rows
        mapping, crm = self.outbox.crm.mapping, self.outbox.crm.name
        paths = {mapping.crm_field("task", name): name for name in mapping.names("task")}
        for ref, after in tasks.made_with(tx, crm, list(old)).items():
            named = {paths[path]: raw for path, raw in after.items() if path in paths}
            tasks.change(tx, old[ref].id, {"task_written": named})
        for row in rows:
            if row.id in filled_in and row.task_written is not None:
                tasks.change(tx, row.id, {"task_written": {**row.task_written, **filled_in[row.id]}})
        again = tasks.by_id(tx, [row.id for row in rows])
        return [again[row.id] for row in rows]

    # ── what they should say ─────────────────────────────────────────────────────────────────────────────────────────

    def _desired(
        self, tx: Transaction, rows: Sequence[Row[Any]], known: Mapping[str, RefusedWrite]
    ) -> dict[str, Desired]:
        """Return what the tasks should say that may have to be changed, by follow-up; what does not fit its fields is set aside."""
        mapping, found = self.outbox.crm.mapping, {}
        for row in rows:
            set_aside = _set_aside(known.get(row.id))
            try:
                texts = mapping.render("task", self._texts(tx, row, set_aside))
                wanted = desired(mapping, row, texts, set_aside)
            except MappingError as error:
                self.outbox.note_unfit(tx, row.id, error)
                continue
            if set_aside:
                wanted = wanted.less(self._held(row, wanted.fields, known[row.id], set_aside))
            if is_pending(mapping, row, wanted):
                found[row.id] = wanted
            elif wanted.held:
                self.outbox.written.refused += 1
            elif set_aside:  # what was refused is there by now, or is asked for no more
                refusals.accept(tx, self.outbox.crm.name, row.id)
        return found

    def _held(self, row: Row[Any], fields: Raw, before: RefusedWrite, set_aside: frozenset[str]) -> Raw:
        """Return what is not sent: what was refused as it is, and what stands where it was not read yet what the CRM put there."""
        unread = {name for name in set_aside if name not in (row.task_written or {}) and name != "body"}
        return {
            **self.outbox.held_back(fields, before),
            **{name: raw for name, raw in fields.items() if name in unread},
        }

    def _texts(self, tx: Transaction, row: Row[Any], set_aside: frozenset[str]) -> dict[str, Any]:
        """Return a task's values by our names. It is given to nobody who has left: the CRM would refuse all of it.

        What is else written only when a task is made, or done, stands among them where it was `set_aside` then.
        """
        owner = self._owner(tx, row.owner_ref)
        tz = owner_zone(owner.timezone if owner is not None else None, self.outbox.context.settings)
        values = values_of(row) | {"due": row.due_at.astimezone(tz).date()}
        if owner is not None and owner.works:
            values["owner"] = owner.ref.id
        if "type" in set_aside:
            values["type"] = "call"
        if "status" in set_aside and row.task_state == TaskState.OPEN and row.state == FollowUpState.OPEN:
            values["status"] = "open"
        return values

    def _owner(self, tx: Transaction, ref: str | None) -> StoredOwner | None:
        if ref is None:
            return None
        if ref not in self.owners:
            self.owners[ref] = follow_up_facts.owner_at(tx, ref_of(self.outbox.crm.name, ref))
        return self.owners[ref]

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(
        self, rows: Sequence[Row[Any]], wanted: Mapping[str, Desired], known: Mapping[str, RefusedWrite]
    ) -> None:
        pending = {row.id: row for row in rows if row.id in wanted}
        for some in _parts(list(pending.values()), self.outbox.crm.adapter.write_batch):
            if self.outbox.stopped:
                return
            present = self._present(some)
            changes = [
                change
                for row in some
                if (record := present.get(row.task_ref)) is not None
                and (change := plan(self.outbox.crm.mapping, row, wanted[row.id], self._shown(record))) is not None
            ]
            self._note_unwritten([change for change in changes if not change.fields])
            self._send([change for change in changes if change.fields], known)

    def _present(self, rows: Sequence[Row[Any]]) -> dict[str, Record]:
        """Read the tasks as they are now, by ref; those that are gone or not understood are absent, and `pull` hears of it."""
        mapping, adapter = self.outbox.crm.mapping, self.outbox.crm.adapter
        refs = [ref_of(self.outbox.crm.name, row.task_ref) for row in rows]
        paths = sorted(mapping.crm_field("task", name) for name in self._names())
        found: dict[str, Record] = {}
        for object_name in dict.fromkeys(ref.object for ref in refs):
            ids = [ref.id for ref in refs if ref.object == object_name]
            records = adapter.fetch(object_name, ids, paths)
            found |= {f"{object_name}/{id_}": record for id_, record in records.items() if not record.fault}
        return found

    def _names(self) -> frozenset[str]:
        return frozenset({*TEXTS, "type", "status", "outcome", "cause"}) & self.outbox.crm.mapping.names("task")

    def _shown(self, record: Record) -> dict[str, Any]:
        mapping = self.outbox.crm.mapping
        return {name: record.fields.get(mapping.crm_field("task", name)) for name in self._names()}

    def _send(self, changes: Sequence[TaskChange], known: Mapping[str, RefusedWrite]) -> None:
        """Send the changes; what was refused as it is stays refused."""
        outbox = self.outbox
        due = [change for change in changes if not outbox.was_refused(change.fields, known.get(change.key))]
        outbox.written.refused += len(changes) - len(due)
        send_changes(outbox, due, self._note)

    def _note(self, tx: Transaction, change: TaskChange, _result: WriteResult | None = None) -> None:
        """Keep what the task holds now, as far as it was us: that it comes back with the next reading is no news."""
        self.outbox.note_refused_fields(tx, change)
        columns: dict[str, Any] = {"task_written": written_after(change)}
        seen = {name: raw for name, raw in change.fields.items() if name != "body"}
        if seen:
            columns["task_seen"] = {**(change.row.task_seen or {}), **seen}
        if "status" in change.fields:
            opened = change.row.state == FollowUpState.OPEN
            columns["task_state"] = (TaskState.OPEN if opened else TaskState.COMPLETED).value
        if change.left:
            columns["task_left_at"] = self.outbox.now
        tasks.change(tx, change.key, columns)

    def _note_unwritten(self, changes: Sequence[TaskChange]) -> None:
        """Note what the tasks say already, and what was left to others."""
        if not changes:
            return
        with self.outbox.context.store.write() as tx:
            for change in changes:
                self._note(tx, change)
        self.outbox.written.unchanged += len(changes)


def _set_aside(before: RefusedWrite | None) -> frozenset[str]:
    """Return which of a task's fields were refused, while the others were written."""
    return frozenset() if before is None else frozenset(before.fields or ())


def _filled_in(row: Row[Any], set_aside: frozenset[str]) -> dict[str, Any]:
    """Return what the CRM itself put into fields that it refused to take from us, as far as that was read."""
    seen, written = row.task_seen or {}, row.task_written or {}
    return {name: seen[name] for name in set_aside if name not in written and name in seen}


def _parts(rows: Sequence[Row[Any]], size: int) -> Sequence[Sequence[Row[Any]]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
