"""`write_back` of what has changed about follow-ups since their tasks were made: text, due date, owner, opened again, completed.

Whatever is to be changed is read again just before, so that nothing is written over what somebody did meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from connector.errors import MappingError
from connector.model import FieldValue, FieldValues, FollowUpState, Ref, TaskState
from connector.model.follow_up import FollowUp, FollowUpChange, WrittenTask
from connector.model.outbox import RefusedWrite
from connector.model.stored import StoredOwner
from connector.ports import WriteResult
from connector.settings.time_zones import owner_zone
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.partial_writes import send_changes
from connector.stages.write_back.task_plan import (
    TEXTS,
    DesiredTask,
    TaskChange,
    desired_task,
    is_pending,
    plan,
    texts_of,
)
from connector.store import Transaction
from connector.store.outbox import refusals
from connector.store.results import follow_up_facts, follow_ups, tasks

Refusals = Mapping[str, RefusedWrite]
"""What was refused of tasks, by follow-up."""


@dataclass(slots=True)
class Changer:
    """The changes of one connection's tasks."""

    outbox: Outbox
    owners: dict[Ref, StoredOwner | None] = field(default_factory=dict)

    def run(self) -> None:
        """Change the tasks that do not say what they should; no call where nothing differs."""
        outbox, after = self.outbox, ""
        while True:
            if outbox.stopped:
                return
            look = partial(self._looked_at, after, outbox.written.refused)
            page, pending = outbox.context.store.write_where_needed(look)
            size = outbox.crm.writer.write_batch
            for start in range(0, len(pending), size):
                if outbox.stopped:
                    return
                self._change_page([desired.follow_up.id for desired in pending[start : start + size]])
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _looked_at(self, after: str, refused: int, tx: Transaction) -> tuple[list[FollowUp], list[DesiredTask]]:
        """Return a page of follow-ups with tasks, and what these should say that may have to be changed."""
        self.outbox.written.refused = refused  # a look that finds something to write is done anew
        page = tasks.with_tasks(tx, self.outbox.crm.name, after, PAGE, customers=self.outbox.context.customers)
        return page, self._desired(tx, page)[0]

    def _change_page(self, ids: Sequence[str]) -> None:
        """Change the tasks of some follow-ups; one that another writer is at is left to it."""
        outbox = self.outbox
        with outbox.claims.taken(ids) as ours:
            with outbox.context.store.write() as tx:
                # Read again, now that nobody else writes them: another may have done so since.
                pending, known = self._desired(tx, tasks.with_tasks(tx, outbox.crm.name, among=ours))
            if pending:
                self._change(pending, known)

    def _desired(self, tx: Transaction, page: Sequence[FollowUp]) -> tuple[list[DesiredTask], Refusals]:
        """Return what the tasks of a page should say that may have to be changed, and what was refused of them before."""
        known = refusals.refused_writes(tx, self.outbox.crm.name, [follow_up.id for follow_up in page])
        return [*self._pending(tx, self._with_baselines(tx, page, known), known)], known

    def _with_baselines(self, tx: Transaction, page: Sequence[FollowUp], known: Refusals) -> Iterator[FollowUp]:
        """Note what stood in each field before we wrote it, where that is not known yet.

        Of tasks that an earlier version made, the log of writes knows what they were made with. Fields that the CRM refused when
        the task was made hold what it filled in itself, as it was first read.
        """
        crm, mapping = self.outbox.crm.name, self.outbox.crm.mapping
        names = {mapping.crm_field("task", name): name for name in mapping.names("task")}
        old = [follow_up.task for follow_up in page if follow_up.task is not None and follow_up.task_written is None]
        made = tasks.made_with(tx, crm, old) if old else {}
        for follow_up in page:
            written = follow_up.task_written
            if written is None and follow_up.task is not None and follow_up.task in made:
                after = made[follow_up.task]
                written = WrittenTask({names[path]: raw for path, raw in after.items() if path in names})
            elif written is not None and (filled_in := _filled_in(follow_up, written, known.get(follow_up.id))):
                written = replace(written, fields={**written.fields, **filled_in})
            if written is not follow_up.task_written:
                follow_ups.change(tx, follow_up.id, {"task_written": written})
            yield replace(follow_up, task_written=written)

    # ── what they should say ─────────────────────────────────────────────────────────────────────────────────────────

    def _pending(self, tx: Transaction, page: Iterator[FollowUp], known: Refusals) -> Iterator[DesiredTask]:
        """Yield what the tasks should say that may have to be changed; what does not fit its fields is set aside."""
        mapping = self.outbox.crm.mapping
        for follow_up in page:
            before = known.get(follow_up.id)
            refused = _refused_fields(before)
            try:
                texts = mapping.render("task", self._texts(tx, follow_up, refused))
                desired = desired_task(mapping, follow_up, texts, refused)
            except MappingError as error:
                self.outbox.note_unfit(tx, follow_up.id, error)
                continue
            if refused:
                desired = desired.without_held(self._held(desired, before, refused))
            if is_pending(mapping, desired):
                yield desired
            elif desired.held:
                self.outbox.written.refused += 1
            elif refused:  # what was refused is there by now, or is asked for no more
                refusals.accept(tx, self.outbox.crm.name, follow_up.id)

    def _held(self, desired: DesiredTask, before: RefusedWrite | None, refused: frozenset[str]) -> FieldValues:
        """Return what is not sent: what was refused as it is, and what stands where it was not read yet what the CRM put there."""
        written = desired.follow_up.task_written
        unread = refused - {"body", *(written.fields if written is not None else ())}
        held = self.outbox.held_back(desired.fields, before)
        return {**held, **{name: raw for name, raw in desired.fields.items() if name in unread}}

    def _texts(self, tx: Transaction, follow_up: FollowUp, refused: frozenset[str]) -> dict[str, FieldValue | date]:
        """Return a task's values by our names. It is given to nobody who has left: the CRM would refuse all of it.

        What is else written only when a task is made, or done, stands among them where it was `refused` then.
        """
        owner = self._owner(tx, follow_up.owner)
        tz = owner_zone(owner, self.outbox.context.settings)
        values = texts_of(follow_up) | {"due": follow_up.due_at.astimezone(tz).date()}
        if owner is not None and owner.works:
            values["owner"] = owner.ref.id
        if "type" in refused:
            values["type"] = "call"
        if "status" in refused and (follow_up.task_state, follow_up.state) == (TaskState.OPEN, FollowUpState.OPEN):
            values["status"] = "open"
        return values

    def _owner(self, tx: Transaction, ref: Ref | None) -> StoredOwner | None:
        if ref is None:
            return None
        if ref not in self.owners:
            self.owners[ref] = follow_up_facts.owner_at(tx, ref)
        return self.owners[ref]

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, pending: Sequence[DesiredTask], known: Refusals) -> None:
        """Change tasks; what was refused as it is stays refused."""
        outbox = self.outbox
        actual = self._actual([desired.follow_up.task for desired in pending if desired.follow_up.task is not None])
        plans = [
            (
                desired,
                plan(outbox.crm.mapping, desired, actual[task]) if (task := desired.follow_up.task) in actual else None,
            )
            for desired in pending
        ]
        outbox.written.refused += sum(bool(desired.held) for desired, change in plans if change is None)
        planned = [change for _, change in plans if change is not None]
        changes = [change for change in planned if change.fields]
        self._note_unwritten([change for change in planned if not change.fields])
        due = [change for change in changes if not outbox.was_refused(change.fields, known.get(change.key))]
        outbox.written.refused += len(changes) - len(due)
        send_changes(outbox, due, self._note)

    def _actual(self, refs: Sequence[Ref]) -> dict[Ref, FieldValues]:
        """Read what tasks hold now; those that are gone or not understood are absent, and `pull` hears of it."""
        crm, mapping = self.outbox.crm, self.outbox.crm.mapping
        names = mapping.names("task") & {*TEXTS, "type", "status", "outcome", "cause"}
        paths = {name: mapping.crm_field("task", name) for name in names}
        actual: dict[Ref, FieldValues] = {}
        for object_name in dict.fromkeys(ref.object for ref in refs):
            ids = [ref.id for ref in refs if ref.object == object_name]
            for id_, record in crm.reader.fetch(object_name, ids, sorted(paths.values())).items():
                if not record.fault:
                    values = {name: record.fields.get(path) for name, path in paths.items()}
                    actual[Ref(crm.name, object_name, id_)] = values
        return actual

    def _note_unwritten(self, changes: Sequence[TaskChange]) -> None:
        """Note what the tasks say already, and what was left to others."""
        if not changes:
            return
        with self.outbox.context.store.write() as tx:
            for change in changes:
                self._note(tx, change)
        self.outbox.written.unchanged += len(changes)

    def _note(self, tx: Transaction, change: TaskChange, _result: WriteResult | None = None) -> None:
        """Keep what the task holds now, as far as it was us: that it comes back with the next reading is no news."""
        self.outbox.note_refused_fields(tx, change)
        after: FollowUpChange = {"task_written": change.written}
        if seen := {name: raw for name, raw in change.fields.items() if name != "body"}:
            after["task_seen"] = {**(change.follow_up.task_seen or {}), **seen}
        if "status" in change.fields:
            opened = change.follow_up.state is FollowUpState.OPEN
            after["task_state"] = TaskState.OPEN if opened else TaskState.COMPLETED
        if change.left:
            after["task_left_at"] = self.outbox.now
        follow_ups.change(tx, change.key, after)


def _refused_fields(before: RefusedWrite | None) -> frozenset[str]:
    """Return which of a task's fields were refused, while the others were written."""
    return frozenset() if before is None else frozenset(before.fields or ())


def _filled_in(follow_up: FollowUp, written: WrittenTask, before: RefusedWrite | None) -> FieldValues:
    """Return what the CRM itself put into fields that it refused to take from us, as far as that was read."""
    seen = follow_up.task_seen or {}
    return {name: seen[name] for name in _refused_fields(before) if name in seen and name not in written.fields}
