"""`write_back` of answers that a task does not tell, because somebody else has changed its text: as a note, where a CRM has notes.

A CRM that has none, or that does not let us, loses nothing: the owner hears of each answer by mail anyway.
"""

from collections.abc import Collection
from typing import Any

import structlog

from connector.errors import NotPermitted, RecordRejected, SchemaChanged
from connector.ports import Note, NoteTaker
from connector.sentences import tasks
from connector.sentences.values import Link, NamedResponse
from connector.settings.time_zones import owner_zone
from connector.stages.write_back.desired_values import details_url, words_of
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.stages.write_back.task_plan import LEFT, NOTED
from connector.store import Row, Transaction
from connector.store.results import follow_up_facts, follow_ups
from connector.store.results import tasks as stored_tasks
from connector.store.tables import ref_of

_log = structlog.get_logger(__name__)


def put_notes(outbox: Outbox) -> None:
    """Put what open tasks cannot say onto the records that they are about, each answer once."""
    taker, after = outbox.crm.adapter.notes, ""
    while taker is not None and not outbox.stopped:
        with outbox.context.store.read() as tx:
            rows = stored_tasks.edited_by_others(tx, outbox.crm.name, after, PAGE)
            notes = [
                note for row in rows if "body" in row.task_written.get(LEFT, {}) for note in _notes(outbox, tx, row)
            ]
        for follow_up_id, note in notes:
            if outbox.stopped:
                return
            _put(outbox, taker, follow_up_id, note)
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _put(outbox: Outbox, taker: NoteTaker, follow_up_id: str, note: Note) -> None:
    """Put one note. One that will never be taken is not tried again."""
    outbox.may_write()
    try:
        taker.put(note)
    except (NotPermitted, RecordRejected, SchemaChanged) as refusal:
        if not refusal.permanent:
            return  # the next lap tries again
        _log.warning("a note was refused", crm=outbox.crm.name, record=note.about.id, why=refusal.what)
    with outbox.context.store.write() as tx:
        row = stored_tasks.follow_ups(tx, [follow_up_id])[follow_up_id]
        written = row.task_written or {}
        noted = [*written.get(NOTED, ()), note.key]
        stored_tasks.change(tx, follow_up_id, {"task_written": {**written, NOTED: noted}})


def _notes(outbox: Outbox, tx: Transaction, row: Row[Any]) -> list[tuple[str, Note]]:
    """Return the notes that a follow-up is owed: on answers that came after it was opened, and that its task does not quote."""
    context, words = outbox.context, words_of(outbox.context)
    owner = follow_up_facts.owner_at(tx, row.owner_ref and ref_of(row.connection, row.owner_ref))
    tz = owner_zone(owner.timezone if owner is not None else None, context.settings)
    told = _spaced(row.task_written.get("body"))
    account, contact = follow_up_facts.account_of(tx, row.account_id), follow_up_facts.contact_of(tx, row.contact_id)
    inside = [answer.response_id for answer in follow_ups.answers_in(tx, [row.id])]
    found = []
    for answer in _untold(tx, inside, row.task_written.get(NOTED, ())):
        said = answer.read_in(row.connection, is_known=row.contact_id is not None)
        block = tasks.quoted_answer(said, tz, words)
        if said.at <= row.opened_at or _spaced(_as_in_a_task(outbox, block)) in told:
            continue
        link = Link(tasks.link_names(words)[0], f"{details_url(context, row.account_id)}#{said.response_id}")
        note = Note(
            key=said.response_id,
            text=tasks.note(block, link, words),
            about=account.ref,
            at=said.at,
            related=() if contact is None or contact.deleted_at else (contact.ref,),
        )
        found.append((row.id, note))
    return found


def _as_in_a_task(outbox: Outbox, text: str) -> Any:
    """Return a text as a task would hold it; as it is where the mapping has no text of tasks any more."""
    return outbox.crm.mapping.render("task", {"body": text}).get("body", text)


def _untold(tx: Transaction, inside: Collection[str], noted: Collection[str]) -> list[NamedResponse]:
    """Return the answers that no note tells, the earliest first."""
    answers = follow_up_facts.answers_by_id(tx, [answer_id for answer_id in inside if answer_id not in noted])
    return [answer.response for answer in reversed(answers)]


def _spaced(text: Any) -> str:
    return " ".join(str(text or "").split())
