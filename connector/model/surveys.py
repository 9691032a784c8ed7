"""Whom surveys ask, as the store keeps it: decisions, invitations, and the attempts to deliver them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connector.model import Decision, Delivery, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision:
    """The one decision for a survey, an interaction and a contact."""

    id: str
    survey: str
    connection: str
    interaction_id: str
    contact_id: str
    """Empty where the interaction has nobody to ask."""
    account_id: str | None
    state: Decision
    reason: str | None
    """A `Reason`, or one that a later version has given."""
    due_at: datetime | None
    """When a waiting decision is looked at again."""
    until: datetime | None
    """Until when the reason holds, where it ends by itself."""
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLogEntry:
    """One change of a decision."""

    at: datetime
    state: Decision
    reason: str | None
    until: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The request to a contact to answer a survey."""

    id: str
    decision_id: str
    survey: str
    connection: str
    account_id: str | None
    contact_id: str
    interaction_id: str
    person: str
    email: str
    name: str
    language: str
    label: str
    """What is asked about, as people call it: case 00123."""
    customer_label: str | None
    """The same as the customer reads it; None: `label`, in earlier versions."""
    owner: Ref | None
    """Who owned the interaction when it was asked about."""
    owner_name: str | None
    questionnaire: Mapping[str, object]
    """The questions as asked, with scales and version."""
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    state: Delivery = Delivery.DUE
    sent_at: datetime | None = None
    reminder_at: datetime | None = None
    """When a reminder is due; None: none (any more)."""
    reminded_at: datetime | None = None
    error: str | None = None
