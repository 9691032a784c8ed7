"""Rows of tables as values of the model, and changes of values as columns: each kind is read and named here alone."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from enum import StrEnum
from itertools import starmap
from typing import Final

from connector.model import ClosedBy, Decision, Delivery, FollowUpState, Mood, Ref, TaskState
from connector.model.documents import JsonObject
from connector.model.follow_up import FollowUp, FollowUpChange, NamedFollowUp, WrittenTask
from connector.model.score import Figures
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction, StoredOwner
from connector.model.surveys import Invitation, StoredDecision
from connector.store.db.types import AnyRow
from connector.store.tables import ref_of, ref_text
from connector.store.tables.base import optional_ref


def follow_up_of(row: AnyRow) -> FollowUp:
    """Return a row that has all columns of `follow_up` as a follow-up."""
    return FollowUp(
        id=row.id,
        rule=row.rule,
        customer=row.customer,
        about=row.about,
        connection=row.connection,
        account_id=row.account_id,
        contact_id=row.contact_id,
        response_id=row.response_id,
        interaction_id=row.interaction_id,
        state=FollowUpState(row.state),
        priority=row.priority,
        due_at=row.due_at,
        owner=optional_ref(row.connection, row.owner_ref),
        owner_note=row.owner_note,
        subject=row.subject,
        body=row.body,
        text_fingerprint=row.text_fingerprint,
        outcome=row.outcome,
        cause=row.cause,
        note=row.note,
        attempts=row.attempts,
        opened_at=row.opened_at,
        separated_at=row.separated_at,
        first_contact_at=row.first_contact_at,
        waiting_since=row.waiting_since,
        closed_at=row.closed_at,
        closed_by=None if row.closed_by is None else ClosedBy(row.closed_by),
        joined_into=row.joined_into,
        attention_ended_at=row.attention_ended_at,
        task=optional_ref(row.connection, row.task_ref),
        task_state=None if row.task_state is None else TaskState(row.task_state),
        task_left_at=row.task_left_at,
        task_written=_written_task(row.task_written),
        task_seen=row.task_seen,
    )


def named_follow_up_of(row: AnyRow) -> NamedFollowUp:
    """Return a row with ``who``, ``is_gone`` and ``account_name`` beside the columns of `follow_up`."""
    return NamedFollowUp(follow_up_of(row), row.who, bool(row.is_gone), row.account_name)


_OTHER_NAMES: Final = {"owner": "owner_ref", "task": "task_ref"}
"""Columns of `follow_up` that are named otherwise than what they hold."""


_FIELDS: Final = tuple(field.name for field in fields(FollowUp))


def follow_up_columns(change: FollowUpChange) -> dict[str, object]:
    """Return a change of a follow-up as columns."""
    return dict(starmap(_column, change.items()))


def new_follow_up_columns(new: FollowUp) -> dict[str, object]:
    """Return a follow-up that is to be inserted as columns."""
    return dict(_column(name, getattr(new, name)) for name in _FIELDS)


def _column(name: str, value: object) -> tuple[str, object]:
    if isinstance(value, Ref):
        value = ref_text(value)
    elif isinstance(value, StrEnum):
        value = value.value
    elif isinstance(value, WrittenTask):
        value = _written_task_document(value)
    elif isinstance(value, Mapping):
        value = dict(value)
    return _OTHER_NAMES.get(name, name), value


def figures_of(document: JsonObject | None) -> Figures | None:
    """Return published figures; those of an earlier version lack what was not known then."""
    if not document:
        return None
    since = document.get("mood_since")
    return Figures(
        score=document["score"],
        low=document.get("low"),
        high=document.get("high"),
        mood=Mood(document["mood"]),
        people=document.get("people", 0),
        answers=document.get("answers", 0),
        evidence=document.get("evidence", 0.0),
        askable=document.get("askable", 0),
        metrics=document.get("metrics") or {},
        trend=document.get("trend"),
        last_answer=datetime.fromisoformat(document["last_answer"]),
        mood_since=None if since is None else datetime.fromisoformat(since),
        mood_by=document.get("mood_by", ""),
    )


def figures_document(figures: Figures | None) -> dict[str, object] | None:
    """Return figures as JSON values."""
    if figures is None:
        return None
    document = asdict(figures) | {"mood": figures.mood.value, "last_answer": figures.last_answer.isoformat()}
    return document | {"mood_since": figures.mood_since and figures.mood_since.isoformat()}


_LEFT, _NOTED = "left", "noted"
"""Keys of the document of a written task, beside our names of its fields."""


def _written_task(document: JsonObject | None) -> WrittenTask | None:
    if document is None:
        return None
    fields_ = {name: raw for name, raw in document.items() if name not in (_LEFT, _NOTED)}
    return WrittenTask(fields_, document.get(_LEFT, {}), tuple(document.get(_NOTED, ())))


def _written_task_document(written: WrittenTask) -> dict[str, object]:
    document: dict[str, object] = dict(written.fields)
    if written.left:
        document[_LEFT] = dict(written.left)
    if written.noted:
        document[_NOTED] = list(written.noted)
    return document


def owner_of(row: AnyRow) -> StoredOwner:
    """Return a row of `owner` as an owner."""
    return StoredOwner(
        id=row.id,
        ref=ref_of(row.connection, row.ref),
        name=row.name,
        email=row.email,
        active=row.active,
        timezone=row.timezone,
        manager=optional_ref(row.connection, row.manager_ref),
        standard=row.standard is not False,
        deleted_at=row.deleted_at,
    )


def account_of(row: AnyRow) -> StoredAccount:
    """Return a row of `account` as an account."""
    return StoredAccount(
        id=row.id,
        customer=row.customer,
        ref=ref_of(row.connection, row.ref),
        name=row.name,
        owner=optional_ref(row.connection, row.owner_ref),
        parent=optional_ref(row.connection, row.parent_ref),
        is_customer=row.is_customer,
        link=row.link,
        facts=row.facts,
        deleted_at=row.deleted_at,
    )


def contact_of(row: AnyRow) -> StoredContact:
    """Return a row of `contact` as a contact."""
    return StoredContact(
        id=row.id,
        person=row.person,
        ref=ref_of(row.connection, row.ref),
        name=row.name,
        account=optional_ref(row.connection, row.account_ref),
        email=row.email,
        role=row.role,
        language=row.language,
        owner=optional_ref(row.connection, row.owner_ref),
        no_surveys=row.no_surveys,
        facts=row.facts,
        deleted_at=row.deleted_at,
    )


def interaction_of(row: AnyRow) -> StoredInteraction:
    """Return a row of `interaction` as an interaction."""
    return StoredInteraction(
        id=row.id,
        ref=ref_of(row.connection, row.ref),
        kind=row.kind,
        label=row.label,
        account=optional_ref(row.connection, row.account_ref),
        contacts=tuple(ref_of(row.connection, ref) for ref in row.contact_refs),
        owner=optional_ref(row.connection, row.owner_ref),
        ended=row.ended,
        ended_at=row.ended_at,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        facts=row.facts,
        deleted_at=row.deleted_at,
        decide_at=row.decide_at,
    )


def decision_of(row: AnyRow) -> StoredDecision:
    """Return a row of `decision` as a decision."""
    return StoredDecision(
        id=row.id,
        survey=row.survey,
        connection=row.connection,
        interaction_id=row.interaction_id,
        contact_id=row.contact_id,
        account_id=row.account_id,
        state=Decision(row.state),
        reason=row.reason,
        due_at=row.due_at,
        until=row.until,
        decided_at=row.decided_at,
    )


def invitation_of(row: AnyRow) -> Invitation:
    """Return a row of `invitation` as an invitation."""
    return Invitation(
        id=row.id,
        decision_id=row.decision_id,
        survey=row.survey,
        connection=row.connection,
        account_id=row.account_id,
        contact_id=row.contact_id,
        interaction_id=row.interaction_id,
        person=row.person,
        email=row.email,
        name=row.name,
        language=row.language,
        label=row.label,
        customer_label=row.customer_label,
        owner=optional_ref(row.connection, row.owner_ref),
        owner_name=row.owner_name,
        questionnaire=row.questionnaire,
        created_at=row.created_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        state=Delivery(row.state),
        sent_at=row.sent_at,
        reminder_at=row.reminder_at,
        reminded_at=row.reminded_at,
        error=row.error,
    )
