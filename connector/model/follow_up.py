"""A follow-up as the store keeps it, with what is known of its task in the CRM."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypedDict

from connector.model import ClosedBy, FieldValues, FollowUpState, Ref, TaskState


@dataclass(frozen=True, slots=True)
class WrittenTask:
    """What we last wrote to a task, by our names, in the CRM's form."""

    fields: FieldValues
    left: FieldValues = field(default_factory=dict)
    """What was desired for fields that were left to others, so that each is reported once."""
    noted: tuple[str, ...] = ()
    """The answers that notes tell, because the text was left to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What somebody must do about a customer."""

    id: str
    """Also the key of its task in the CRM."""
    rule: str
    """The rule that made it."""
    customer: str
    about: str
    """Our id of the contact it is about; empty where it is about the account."""
    connection: str
    account_id: str
    contact_id: str | None = None
    response_id: str | None = None
    """The answer that leads its text."""
    interaction_id: str | None = None
    state: FollowUpState
    priority: str
    """low, normal or high."""
    due_at: datetime
    owner: Ref | None = None
    owner_note: str | None = None
    """Why somebody else than the first choice was assigned."""
    subject: str
    body: str
    text_fingerprint: str | None = None
    """Of what subject and body were made of: they are made anew when it differs. None: an earlier version made them."""
    outcome: str | None = None
    """An `Outcome`, or a word of the CRM's that is none."""
    cause: str | None = None
    note: str | None = None
    """What whoever noted the outcome wrote with it."""
    attempts: int = 0
    """Outcomes that did not settle it."""
    opened_at: datetime
    separated_at: datetime | None = None
    """When it took up an answer that had been in a follow-up about somebody else."""
    first_contact_at: datetime | None = None
    """When somebody first spoke with the person after the answer."""
    waiting_since: datetime | None = None
    """When its task was completed or deleted without an outcome."""
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    joined_into: str | None = None
    """The follow-up that took its answers over."""
    attention_ended_at: datetime | None = None
    """When the record stopped showing it, because nobody had noted an outcome for long."""
    task: Ref | None = None
    """None until the CRM has the task."""
    task_state: TaskState | None = None
    task_left_at: datetime | None = None
    """When a change was kept from the task, because somebody else had changed it."""
    task_written: WrittenTask | None = None
    task_seen: FieldValues | None = None
    """What the task was last seen to hold, by our names, in the CRM's form."""


class FollowUpChange(TypedDict, total=False):
    """What is to be changed of a follow-up; what is absent stays as it is. The names are those of `FollowUp`."""

    customer: str
    response_id: str | None
    state: FollowUpState
    priority: str
    due_at: datetime
    owner: Ref | None
    owner_note: str | None
    subject: str
    body: str
    text_fingerprint: str | None
    outcome: str | None
    cause: str | None
    note: str | None
    attempts: int
    separated_at: datetime | None
    first_contact_at: datetime | None
    waiting_since: datetime | None
    closed_at: datetime | None
    closed_by: ClosedBy | None
    joined_into: str | None
    attention_ended_at: datetime | None
    task: Ref | None
    task_state: TaskState | None
    task_left_at: datetime | None
    task_written: WrittenTask | None
    task_seen: FieldValues | None


UNSETTLED: Final = (FollowUpState.OPEN, FollowUpState.WAITING_FOR_OUTCOME)
"""The states of follow-ups that somebody still has to do, or to note an outcome of."""


@dataclass(frozen=True, slots=True)
class PersonalFollowUp:
    """A follow-up with the human whom it is about."""

    follow_up: FollowUp
    person: str
    """The same for all contacts of one address; empty where it is about the account."""


@dataclass(frozen=True, slots=True)
class NamedFollowUp:
    """A follow-up with the names that people know it by."""

    follow_up: FollowUp
    who: str | None
    """Its person's name; None where there is none, and of one whom the CRM has deleted: they are named nowhere."""
    is_gone: bool
    """The CRM has deleted its person, so nobody is told what the task is called, which names them."""
    account_name: str
