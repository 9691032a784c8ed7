"""`write_back` of what has changed about follow-ups since their tasks were made: text, due date, owner, opened again, completed.

Whatever is to be changed is read again just before, so that nothing is written over what somebody did meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.errors import MappingError
from connector.model import Ref, TaskState
from connector.ports import Record, Write, WriteResult
from connector.stages.task_plan import (
    TEXTS,
    Desired,
    TaskChange,
    desired,
    is_pending,
    plan,
    values_of,
    written_after,
)
from connector.stages.write_back_sending import PAGE, Outbox, batches
from connector.store import Row, Transaction, following, task_rows, writing
from connector.store.tables import ref_of
from connector.zones import owner_zone


@dataclass(slots=True)
class Changer:
    """The changes of one connection's tasks."""

    outbox: Outbox
    owners: dict[str, Row[Any] | None] = field(default_factory=dict)

    def run(self) -> None:
        """Change the tasks that do not say what they should; no call where nothing differs."""
        after = ""
        while not self.outbox.stopped:
            with self.outbox.context.store.write() as tx:
                rows = task_rows.with_tasks(tx, self.outbox.crm.name, after, PAGE)
                rows = self._with_baselines(tx, rows)
                known = writing.refusals(tx, self.outbox.crm.name, [row.id for row in rows])
                wanted = self._desired(tx, rows)
            self._change(rows, wanted, known)
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def _with_baselines(self, tx: Transaction, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
        """Of tasks that an earlier version made, the log of writes knows what they were made with."""
        old = {row.task_ref: row for row in rows if row.task_written is None}
        if not old:
            return rows
        mapping, crm = self.outbox.crm.mapping, self.outbox.crm.name
        paths = {mapping.crm_field("task", name): name for name in mapping.names("task")}
        for ref, after in task_rows.made_with(tx, crm, list(old)).items():
            named = {paths[path]: raw for path, raw in after.items() if path in paths}
            task_rows.change(tx, old[ref].id, {"task_written": named})
        again = task_rows.by_id(tx, [row.id for row in rows])
        return [again[row.id] for row in rows]

    # ── what they should say ─────────────────────────────────────────────────────────────────────────────────────────

    def _desired(self, tx: Transaction, rows: Sequence[Row[Any]]) -> dict[str, Desired]:
        """Return what the tasks should say that may have to be changed, by follow-up; what does not fit its fields is set aside."""
        mapping, found = self.outbox.crm.mapping, {}
        for row in rows:
            try:
                wanted = desired(mapping, row, mapping.render("task", self._texts(tx, row)))
            except MappingError as error:
                self.outbox.set_unfit_aside(tx, row.id, error)
                continue
            if is_pending(mapping, row, wanted):
                found[row.id] = wanted
        return found

    def _texts(self, tx: Transaction, row: Row[Any]) -> dict[str, Any]:
        """Return a task's values by our names. It is given to nobody who has left: the CRM would refuse all of it."""
        owner = self._owner(tx, row.owner_ref)
        tz = owner_zone(owner.timezone if owner is not None else None, self.outbox.context.settings)
        values = values_of(row) | {"due": row.due_at.astimezone(tz).date()}
        if owner is not None and following.works(owner):
            values["owner"] = ref_of(self.outbox.crm.name, owner.ref).id
        return values

    def _owner(self, tx: Transaction, ref: str | None) -> Row[Any] | None:
        if ref is None:
            return None
        if ref not in self.owners:
            self.owners[ref] = following.owner_at(tx, self.outbox.crm.name, ref)
        return self.owners[ref]

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, rows: Sequence[Row[Any]], wanted: Mapping[str, Desired], known: Mapping[str, Row[Any]]) -> None:
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
        """Read the tasks as they are now, by ref; those that are gone are absent, and `pull` will hear of it."""
        mapping, adapter = self.outbox.crm.mapping, self.outbox.crm.adapter
        refs = [ref_of(self.outbox.crm.name, row.task_ref) for row in rows]
        paths = sorted(mapping.crm_field("task", name) for name in self._names())
        found: dict[str, Record] = {}
        for object_name in dict.fromkeys(ref.object for ref in refs):
            ids = [ref.id for ref in refs if ref.object == object_name]
            records = adapter.fetch(object_name, ids, paths)
            found |= {f"{object_name}/{record_id}": record for record_id, record in records.items()}
        return found

    def _names(self) -> frozenset[str]:
        return frozenset({*TEXTS, "status", "outcome", "cause"}) & self.outbox.crm.mapping.names("task")

    def _shown(self, record: Record) -> dict[str, Any]:
        mapping = self.outbox.crm.mapping
        return {name: record.fields.get(mapping.crm_field("task", name)) for name in self._names()}

    def _send(self, changes: Sequence[TaskChange], known: Mapping[str, Row[Any]]) -> None:
        outbox = self.outbox
        by_key = {change.row.id: change for change in changes}
        due = [self._as_write(change) for change in changes]
        fresh = [write for write in due if not outbox.refused_before(write.fields, known.get(write.key))]
        outbox.written.refused += len(due) - len(fresh)
        for batch in batches(fresh, outbox.crm.adapter.write_batch):
            if outbox.stopped:
                return
            results = outbox.send(batch)
            with outbox.context.store.write() as tx:
                for result in results:
                    self._note(tx, by_key[result.write.key], result)
                    outbox.written.count(result)

    def _as_write(self, change: TaskChange) -> Write:
        mapping = self.outbox.crm.mapping
        ref: Ref = ref_of(self.outbox.crm.name, change.row.task_ref)
        fields = {mapping.crm_field("task", name): raw for name, raw in change.fields.items()}
        return Write(key=change.row.id, object=ref.object, fields=fields, id=ref.id)

    def _note(self, tx: Transaction, change: TaskChange, result: WriteResult) -> None:
        outbox, mapping = self.outbox, self.outbox.crm.mapping
        before = {mapping.crm_field("task", name): raw for name, raw in change.shown.items()}
        outbox.log(tx, result, change.row.task_ref, before=before, after=result.write.fields)
        if result.outcome == "refused":
            outbox.set_aside(tx, result, outbox.fingerprint(result.write.fields))
            return
        writing.accepted(tx, outbox.crm.name, result.write.key)
        self._remember(tx, change)

    def _note_unwritten(self, changes: Sequence[TaskChange]) -> None:
        """Note what the tasks say already, and what was left to others."""
        if not changes:
            return
        with self.outbox.context.store.write() as tx:
            for change in changes:
                self._remember(tx, change)
        self.outbox.written.unchanged += len(changes)

    def _remember(self, tx: Transaction, change: TaskChange) -> None:
        """Keep what the task holds now, as far as it was us: that it comes back with the next reading is no news."""
        columns: dict[str, Any] = {"task_written": written_after(change)}
        seen = {name: raw for name, raw in change.fields.items() if name != "body"}
        if seen:
            columns["task_seen"] = {**(change.row.task_seen or {}), **seen}
        if "status" in change.fields:
            opened = change.row.task_state == TaskState.COMPLETED
            columns["task_state"] = (TaskState.OPEN if opened else TaskState.COMPLETED).value
        if change.left:
            columns["task_left_at"] = self.outbox.now
        task_rows.change(tx, change.row.id, columns)


def _parts(rows: Sequence[Row[Any]], size: int) -> Sequence[Sequence[Row[Any]]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
