"""`write_back` of follow-up tasks: each made once, whatever happens to the answer, for somebody who still works there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from connector.errors import MappingError
from connector.model import FieldValue, Ref
from connector.model.follow_up import FollowUp
from connector.model.outbox import RefusedWrite, WriteLogEntry
from connector.model.stored import StoredOwner
from connector.ports import CrmMapping, Write, WriteResult
from connector.settings.time_zones import owner_zone
from connector.stages.follow_up.assignment import About, assign
from connector.stages.write_back.changes import Change
from connector.stages.write_back.desired_values import words_of
from connector.stages.write_back.notes import put_notes
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.partial_writes import send_changes
from connector.stages.write_back.task_associations import left_out
from connector.stages.write_back.task_changes import Changer
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.outbox import new_tasks, refusals
from connector.store.outbox.new_tasks import TasklessFollowUp
from connector.store.results import follow_up_facts, follow_ups, tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask(Change):
    """The write that makes a follow-up's task; the key is the follow-up's id."""

    connection: str
    related: tuple[Ref, ...]
    """What it is to hang on."""
    seen: Ref | None
    """A task that was found in the CRM, its making never confirmed. It is only associated: somebody may be at work on it."""

    @property
    def needed(self) -> Collection[str]:
        """Without these a task would stand with nobody, or nowhere: where the CRM refuses one of them, the task waits as a whole."""
        return ("owner", "contact", "account") if self.seen is None else self.fields

    @property
    def asked(self) -> Mapping[str, object]:
        """All that it was to say, and what it was to hang on."""
        return {**self.fields, **self.held, **self.refused_values, "related": sorted(map(str, self.related))}

    def as_write(self, mapping: CrmMapping) -> Write:
        """Return it in the CRM's own names."""
        return Write(
            key=self.key,
            object=mapping.object_of(self.target),
            fields=self.by_path(self.fields, mapping) if self.seen is None else {},
            external=(mapping.crm_field(self.target, "key"), self.key),
            related=self.related,
        )

    def log_entry(self, result: WriteResult, mapping: CrmMapping) -> WriteLogEntry:
        """Return the line of the log about what became of it, by the CRM's names."""
        entry = Change.log_entry(self, result, mapping)
        return replace(entry, ref=self.made(result), before={}, after=result.write.fields)

    def made(self, result: WriteResult) -> Ref | None:
        """Return the task; where the CRM does not say which record it was, the one that was seen there already, or will be."""
        return Ref(self.connection, result.write.object, result.id) if result.id else self.seen


@dataclass(frozen=True, slots=True)
class TaskOwner:
    """Whose a follow-up is when its task is made, and its text then."""

    owner: StoredOwner | None
    body: str


def run(outbox: Outbox) -> None:
    """Make the tasks of open follow-ups that have none, then change those that say something else than they should."""
    if "key" not in outbox.crm.mapping.names("task"):
        return
    _make(outbox)
    Changer(outbox).run()
    put_notes(outbox)


def _make(outbox: Outbox) -> None:
    context, crm = outbox.context, outbox.crm.name
    if context.customers is None:
        context.store.write_where_needed(lambda tx: tasks.forget_deleted(tx, crm))
    # After that: a task that was deleted may be the only one to be made.
    unrelatable = left_out(outbox)
    after = None
    while True:
        with context.store.read() as tx:
            if outbox.stopped_in(tx):
                return
            rows = new_tasks.taskless(tx, crm, after, PAGE, customers=context.customers)
        if rows:
            _make_page(outbox, [row.follow_up.id for row in rows], unrelatable)
        if len(rows) < PAGE:
            return
        after = (rows[-1].follow_up.opened_at, rows[-1].follow_up.id)


def _make_page(outbox: Outbox, ids: Sequence[str], unrelatable: Collection[str]) -> None:
    """Make the tasks of some follow-ups; one whose task another writer is making is left to it."""
    with outbox.claims.taken(ids) as ours:
        with outbox.context.store.write() as tx:
            # Read again, now that nobody else makes them: another may have done so since.
            rows = new_tasks.taskless(tx, outbox.crm.name, among=ours)
            known = refusals.refused_writes(tx, outbox.crm.name, [row.follow_up.id for row in rows])
            due = [
                task
                for row in rows
                if (task := _due(outbox, tx, row, known.get(row.follow_up.id), unrelatable)) is not None
            ]
        send_changes(outbox, due, partial(_note_made, outbox))


def _due(
    outbox: Outbox, tx: Transaction, row: TasklessFollowUp, before: RefusedWrite | None, unrelatable: Collection[str]
) -> NewTask | None:
    """Return the task that is to be made.

    None: it does not fit, it was refused as it is, or it was found in the CRM and lacks no association.
    """
    try:
        task = _new_task(outbox, tx, row, unrelatable)
    except MappingError as error:
        outbox.note_unfit(tx, row.follow_up.id, error)
        return None
    rest = task.without_held(outbox.held_back(task.fields, before))
    task = rest if rest.fields else task
    if task.seen is not None and _is_whole(outbox):
        new_tasks.set_task(tx, task.key, task.seen, task.fields)
        return None
    if outbox.was_refused(task.asked, before):
        outbox.written.refused += 1
        return None
    return task


def _is_whole(outbox: Outbox) -> bool:
    """Tell whether a task that stands in the CRM lacks nothing: its associations are fields of it."""
    return {"account", "contact"} <= outbox.crm.mapping.names("task")


def _new_task(outbox: Outbox, tx: Transaction, row: TasklessFollowUp, unrelatable: Collection[str]) -> NewTask:
    """Return how a follow-up's task is made once, whatever happens to its answer: it is keyed by the follow-up's id.

    It is never associated with records of the objects in `unrelatable`. `MappingError`: a value has no form that its field would take.
    """
    crm, mapping, follow_up = outbox.crm.name, outbox.crm.mapping, row.follow_up
    assigned = TaskOwner(follow_up_facts.owner_at(tx, follow_up.owner), follow_up.body)
    if row.seen is None:  # what is there already is only associated, whoever owns it
        assigned = _assigned(outbox, tx, follow_up, assigned.owner)
    tz = owner_zone(assigned.owner, outbox.context.settings)
    values: dict[str, FieldValue | date] = {
        "key": follow_up.id,
        "subject": follow_up.subject,
        "body": assigned.body,
        "type": "call",
        "priority": follow_up.priority,
        "status": "open",
        "due": follow_up.due_at.astimezone(tz).date(),
        "due_at": follow_up.due_at,
        "owner": assigned.owner.ref.id if assigned.owner is not None else None,
        "contact": row.contact.id if row.contact else None,
        "account": row.account.id,
    }
    rendered = mapping.render("task", {name: value for name, value in values.items() if value is not None})
    about = row.interaction if row.interaction_kind in mapping.related_kinds else None
    return NewTask(
        key=follow_up.id,
        target="task",
        ref=None,
        connection=crm,
        fields={name: raw for name, raw in rendered.items() if name != "key"},
        related=tuple(ref for ref in (row.account, row.contact, about) if ref and ref.object not in unrelatable),
        seen=row.seen,
    )


def _assigned(outbox: Outbox, tx: Transaction, follow_up: FollowUp, owner: StoredOwner | None) -> TaskOwner:
    """Return whose the task is. A CRM takes none for somebody who has left since the follow-up was opened: its rule says who is next.

    Better a task that nobody owns than none; its text says so.
    """
    if follow_up.owner is None or (owner is not None and owner.works):
        return TaskOwner(owner, follow_up.body)
    rule = outbox.context.settings.follow_up.get(follow_up.rule)
    about = About(
        follow_up_facts.account_of(tx, follow_up.account_id),
        follow_up.contact_id,
        follow_up.interaction_id,
        rated=frozenset(follow_ups.rated_in(tx, follow_up.id)),
    )
    targets = rule.assign if rule is not None else ()
    assigned = assign(tx, targets, about, settings=outbox.context.settings, now=outbox.now)
    words = words_of(outbox.context)
    left = (
        words.text("assigned.has_left", who=owner.name)
        if owner is not None
        else words.text("assigned.somebody_has_left")
    )
    note = assigned.note or words.text("assigned.passed_over", people=left)
    # The note on the owner takes the place of the one that the text had.
    before = follow_up.owner_note
    body = follow_up.body.replace(before, note) if before else f"{follow_up.body}\n\n{note}"
    follow_ups.change(tx, follow_up.id, {"owner": assigned.ref, "owner_note": note, "body": body})
    mark_stale(tx, follow_up.customer, outbox.now)
    return TaskOwner(follow_up_facts.owner_at(tx, assigned.ref), body)


def _note_made(outbox: Outbox, tx: Transaction, task: NewTask, result: WriteResult) -> None:
    made = task.made(result)
    if made is not None or task.refused:
        outbox.note_refused_fields(tx, task)
    if made is not None:
        new_tasks.set_task(tx, task.key, made, task.fields)
