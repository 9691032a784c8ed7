"""`write_back` of follow-up tasks: each made once, whatever happens to the answer, for somebody who still works there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from typing import Any, Final

from connector.errors import CrmError, MappingError
from connector.model import Ref
from connector.ports import CrmMapping, Write, WriteResult
from connector.settings.time_zones import owner_zone
from connector.stages.follow_up.assignment import About, assign
from connector.stages.write_back.desired_values import words_of
from connector.stages.write_back.notes import put_notes
from connector.stages.write_back.outbox import PAGE, Outbox, names_refused
from connector.stages.write_back.plan import RefusedField
from connector.stages.write_back.rounds import Rounds
from connector.stages.write_back.task_associations import left_out
from connector.stages.write_back.task_changes import Changer
from connector.store import Row, Transaction
from connector.store.crm.records import mark_stale
from connector.store.outbox import writes
from connector.store.results import follow_up_facts, follow_ups, tasks
from connector.store.tables import ref_of

NEEDED: Final = frozenset({"owner", "contact", "account"})
"""Without these a task would stand with nobody, or nowhere: where the CRM refuses one of them, the task waits as a whole."""


@dataclass(frozen=True, slots=True)
class Making:
    """The write that makes a follow-up's task."""

    key: str
    """The follow-up's id."""
    written: Mapping[str, Any]
    """What it says by our names, in the CRM's form."""
    related: tuple[Ref, ...]
    seen_ref: str | None
    """A task that was found in the CRM, its making never confirmed."""
    held: Mapping[str, Any] = field(default_factory=dict)
    """What was refused before as it is, and is not sent again."""
    refused: tuple[RefusedField, ...] = ()
    """What turned out to be refused just now."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return what a refusal of it as a whole is about: all that it was to say, and what it was to hang on."""
        withheld = {refused.name: refused.raw for refused in self.refused}
        return {**self.written, **self.held, **withheld, "related": sorted(map(str, self.related))}

    def as_write(self, mapping: CrmMapping) -> Write:
        """Return it in the CRM's own names. One that is there is only associated: somebody may be at work on it."""
        fields = {mapping.crm_field("task", name): raw for name, raw in self.written.items()}
        return Write(
            key=self.key,
            object=mapping.object_of("task"),
            fields=fields if self.seen_ref is None else {},
            external=(mapping.crm_field("task", "key"), self.key),
            related=self.related,
        )

    def without(self, names: Collection[str], mapping: CrmMapping, error: CrmError) -> "Making":
        """Return it without fields that were refused."""
        found = [RefusedField(name, mapping.crm_field("task", name), self.written[name], error) for name in names]
        rest = {name: raw for name, raw in self.written.items() if name not in names}
        return replace(self, written=rest, refused=(*self.refused, *found))


Planned = tuple[str, Making | MappingError]
"""The follow-up's id, and how its task is made."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Whose a follow-up is when its task is made."""

    owner: Row[Any] | None
    body: str


def run(outbox: Outbox) -> None:
    """Make the tasks of open follow-ups that have none, then change those that say something else than they should."""
    if "key" not in outbox.crm.mapping.names("task"):
        return
    _make(outbox)
    Changer(outbox).run()
    put_notes(outbox)


def _make(outbox: Outbox) -> None:
    place = None
    rounds = Rounds(
        outbox,
        attrgetter("key"),
        lambda makings: outbox.sent([making.as_write(outbox.crm.mapping) for making in makings]),
        without_refused=partial(_without_refused, outbox),
        note=partial(_note, outbox),
    )
    with outbox.context.store.write() as tx:
        tasks.forget_deleted(tx, outbox.crm.name)
    # After that: a task that was deleted may be the only one to be made.
    no_ends = left_out(outbox)
    while True:
        with outbox.context.store.write() as tx:
            if outbox.stopped_in(tx):
                return
            rows = writes.taskless(tx, outbox.crm.name, place, PAGE)
            known = writes.refusals(tx, outbox.crm.name, [row.id for row in rows])
            planned = [(row.id, _less_held(outbox, _making(outbox, tx, row, no_ends), known)) for row in rows]
            missing = [pair for pair in planned if not _is_whole(outbox, tx, *pair)]
        rounds.run(_due(outbox, missing, known))
        if len(rows) < PAGE:
            return
        place = (rows[-1].opened_at, rows[-1].id)


def _is_whole(outbox: Outbox, tx: Transaction, follow_up_id: str, making: Making | MappingError) -> bool:
    """Note a task that was found in the CRM, its making never confirmed; False for one that is missing, or may lack associations."""
    if isinstance(making, MappingError) or making.seen_ref is None:
        return False
    if not {"account", "contact"} <= set(outbox.crm.mapping.names("task")):
        return False
    writes.has_task(tx, outbox.crm.name, follow_up_id, making.seen_ref, making.written)
    return True


def _less_held(outbox: Outbox, making: Making | MappingError, known: Mapping[str, Row[Any]]) -> Making | MappingError:
    """Return how a task is made without the fields that were refused as they are; where it was all of it, it stays as it is."""
    if isinstance(making, MappingError):
        return making
    held = outbox.held_back(making.written, known.get(making.key))
    rest = {name: raw for name, raw in making.written.items() if name not in held}
    return replace(making, written=rest, held=held) if rest else making


def _due(outbox: Outbox, planned: Sequence[Planned], known: Mapping[str, Row[Any]]) -> list[Making]:
    """Return the tasks to be made; those that do not fit, or were refused as they are, are counted and left."""
    due: list[Making] = []
    for follow_up_id, making in planned:
        if isinstance(making, MappingError):
            with outbox.context.store.write() as tx:
                outbox.set_unfit_aside(tx, follow_up_id, making)
        elif outbox.refused_before(making.asked, known.get(follow_up_id)):
            outbox.written.refused += 1
        else:
            due.append(making)
    return due


def _making(outbox: Outbox, tx: Transaction, row: Row[Any], no_ends: Collection[str]) -> Making | MappingError:
    """Return how a follow-up's task is made once, whatever happens to its answer: it is keyed by the follow-up's id.

    One that has been seen there already is only associated: somebody may be at work on it; and never with records of the objects
    in `no_ends`.
    """
    crm, mapping = outbox.crm.name, outbox.crm.mapping
    handed = _handed(outbox, tx, row) if row.seen_ref is None else _as_it_is(outbox, tx, row)
    contact = ref_of(crm, row.contact_ref) if row.contact_ref and row.contact_gone is None else None
    about = ref_of(crm, row.account_ref)
    tz = owner_zone(handed.owner.timezone if handed.owner is not None else None, outbox.context.settings)
    values = {
        "key": row.id,
        "subject": row.subject,
        "body": handed.body,
        "type": "call",
        "priority": row.priority,
        "status": "open",
        "due": row.due_at.astimezone(tz).date(),
        "due_at": row.due_at,
        "owner": ref_of(crm, handed.owner.ref).id if handed.owner is not None else None,
        "contact": contact.id if contact else None,
        "account": about.id,
    }
    try:
        rendered = mapping.render("task", {name: value for name, value in values.items() if value is not None})
    except MappingError as error:
        return error
    return Making(
        key=row.id,
        written={name: raw for name, raw in rendered.items() if name != "key"},
        related=tuple(ref for ref in (about, contact, _interaction(outbox, row)) if ref and ref.object not in no_ends),
        seen_ref=row.seen_ref,
    )


def _interaction(outbox: Outbox, row: Row[Any]) -> Ref | None:
    """Return what was asked about, where a task hangs on records of its kind."""
    if row.interaction_ref is None or row.interaction_kind not in outbox.crm.mapping.related_kinds:
        return None
    return ref_of(outbox.crm.name, row.interaction_ref)


def _as_it_is(outbox: Outbox, tx: Transaction, row: Row[Any]) -> Handed:
    return Handed(follow_up_facts.owner_at(tx, outbox.crm.name, row.owner_ref), row.body)


def _handed(outbox: Outbox, tx: Transaction, row: Row[Any]) -> Handed:
    """Return whose the task is. A CRM takes none for somebody who has left since the follow-up was opened: its rule says who is next.

    Better a task that nobody owns than none; its text says so.
    """
    owner = follow_up_facts.owner_at(tx, outbox.crm.name, row.owner_ref)
    if row.owner_ref is None or follow_up_facts.works(owner):
        return Handed(owner, row.body)
    rule = outbox.context.settings.follow_up.get(row.rule)
    about = About(
        follow_up_facts.account_of(tx, row.account_id),
        row.contact_id,
        row.interaction_id,
        rated=frozenset(follow_ups.rated_in(tx, row.id)),
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
    body = _with_note(row.body, row.owner_note, note)
    follow_up_facts.hand_over(tx, row.id, owner_ref=assigned.ref, note=note, body=body)
    mark_stale(tx, row.customer, outbox.now)
    return Handed(follow_up_facts.owner_at(tx, outbox.crm.name, assigned.ref), body)


def _with_note(body: str, before: str | None, note: str) -> str:
    """Return the text with this note on the owner instead of the one it had."""
    return body.replace(before, note) if before else f"{body}\n\n{note}"


def _without_refused(outbox: Outbox, making: Making, result: WriteResult) -> Making | None:
    """Return the task without the fields that the CRM names as the reason of a refusal; None where it cannot do without them."""
    names = names_refused(result, making.written, outbox.crm.mapping, "task")
    if result.error is None or making.seen_ref is not None or NEEDED & set(names):
        return None
    return making.without(names, outbox.crm.mapping, result.error) if 0 < len(names) < len(making.written) else None


def _note(outbox: Outbox, tx: Transaction, making: Making, result: WriteResult) -> None:
    write, crm = result.write, outbox.crm.name
    # Where the CRM does not say which record it was, it is the one that was seen there already, or will be.
    ref = f"{write.object}/{result.id}" if result.id else making.seen_ref
    outbox.log(tx, result, ref, before={}, after=write.fields)
    if result.outcome == "refused":
        outbox.set_aside(tx, result, outbox.fingerprint(making.asked))
        return
    if making.refused:
        outbox.set_fields_aside(tx, making.key, making.refused, making.held)
    if ref is None:
        return
    if making.held and not making.refused:
        outbox.written.refused += 1
    elif not making.refused:
        writes.accepted(tx, crm, write.key)
    writes.has_task(tx, crm, write.key, ref, making.written)
