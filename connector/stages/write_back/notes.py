"""`write_back` of answers that a task does not tell, because somebody else has changed its text: as a note, where a CRM has notes.

A CRM that has none, or that does not let us, loses nothing: the owner hears of each answer by mail anyway.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

import structlog

from connector.errors import NotPermitted, RecordRejected, SchemaChanged
from connector.model import FieldValue
from connector.model.follow_up import FollowUp, WrittenTask
from connector.ports import Note, NoteTaker
from connector.sentences import tasks as sentences
from connector.sentences.content import Link
from connector.settings.time_zones import owner_zone
from connector.stages.write_back.desired_values import details_url, words_of
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.store import Transaction
from connector.store.results import follow_up_facts, follow_ups, tasks

_log = structlog.get_logger(__name__)
_NOTE: Final = "note "
"""What the claim on a note begins with; the response's id follows."""


def put_notes(outbox: Outbox) -> None:
    """Put what open tasks cannot say onto the records that they are about, each answer once."""
    taker, after = outbox.crm.writer.notes, ""
    while taker is not None and not outbox.stopped:
        with outbox.context.store.read() as tx:
            page = tasks.edited_by_others(tx, outbox.crm.name, after, PAGE, outbox.context.customers)
            notes = [
                (follow_up.id, note)
                for follow_up in page
                if follow_up.task_written is not None and "body" in follow_up.task_written.left
                for note in _notes(outbox, tx, follow_up, follow_up.task_written)
            ]
        for follow_up_id, note in notes:
            if outbox.stopped:
                return
            with outbox.claims.taken([f"{_NOTE}{note.key}"]) as ours:
                if ours:
                    _put(outbox, taker, follow_up_id, note)
        if len(page) < PAGE:
            return
        after = page[-1].id


def _put(outbox: Outbox, taker: NoteTaker, follow_up_id: str, note: Note) -> None:
    """Put one note, unless another writer just has. One that will never be taken is not tried again."""
    outbox.may_write([f"{_NOTE}{note.key}"])
    if note.key in _noted(outbox, follow_up_id):
        return
    try:
        taker.put(note)
    except (NotPermitted, RecordRejected, SchemaChanged) as refusal:
        if not refusal.permanent:
            return  # the next lap tries again
        _log.warning("a note was refused", crm=outbox.crm.name, record=note.about.id, why=refusal.what)
    with outbox.context.store.write() as tx:
        written = follow_ups.locked(tx, [follow_up_id])[follow_up_id].task_written or WrittenTask({})
        follow_ups.change(tx, follow_up_id, {"task_written": replace(written, noted=(*written.noted, note.key))})


def _noted(outbox: Outbox, follow_up_id: str) -> Collection[str]:
    with outbox.context.store.read() as tx:
        known = follow_ups.find(tx, follow_up_id)
    return known.task_written.noted if known is not None and known.task_written is not None else ()


def _notes(outbox: Outbox, tx: Transaction, follow_up: FollowUp, written: WrittenTask) -> Iterator[Note]:
    """Yield the notes that a follow-up is owed: on answers that came after it was opened, and that its task does not quote."""
    context, words = outbox.context, words_of(outbox.context)
    owner = follow_up_facts.owner_at(tx, follow_up.owner)
    tz = owner_zone(owner, context.settings)
    body = _spaced(written.fields.get("body"))
    account = follow_up_facts.account_of(tx, follow_up.account_id)
    contact = follow_up_facts.contact_of(tx, follow_up.contact_id)
    inside = [answer.response_id for answer in follow_ups.answers_in(tx, [follow_up.id])]
    newest_first = follow_up_facts.answers_by_id(tx, [id_ for id_ in inside if id_ not in written.noted])
    for answer in reversed(newest_first):
        response = answer.response.read_in(follow_up.connection, is_known=follow_up.contact_id is not None)
        block = sentences.quoted_answer(response, tz, words)
        if response.at <= follow_up.opened_at or _spaced(_as_in_a_task(outbox, block)) in body:
            continue
        link = Link(
            sentences.link_names(words)[0], f"{details_url(context, follow_up.account_id)}#{response.response_id}"
        )
        yield Note(
            key=response.response_id,
            text=sentences.note(block, link, words),
            about=account.ref,
            at=response.at,
            related=() if contact is None or contact.deleted_at else (contact.ref,),
        )


def _as_in_a_task(outbox: Outbox, text: str) -> FieldValue:
    """Return a text as a task would hold it; as it is where the mapping has no text of tasks any more."""
    return outbox.crm.mapping.render("task", {"body": text}).get("body", text)


def _spaced(text: FieldValue) -> str:
    return " ".join(str(text or "").split())
