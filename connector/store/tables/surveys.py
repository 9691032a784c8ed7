"""Whom we ask: decisions, invitations and the mails that carry them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

decision = Table(
    "decision",
    metadata,
    Column("id", String, primary_key=True),
    Column("survey", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("interaction_id", String, nullable=False),
    Column("contact_id", String, nullable=False, comment="'' when the interaction has nobody to ask."),
    Column("account_id", String),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("due_at", Utc, comment="When a waiting decision is looked at again."),
    Column("until", Utc, comment="Until when the reason holds, where it ends by itself."),
    Column("decided_at", Utc, nullable=False),
    UniqueConstraint("survey", "interaction_id", "contact_id"),
    Index(
        "ix_decision_waiting",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(None, "interaction_id"),
    Index(None, "contact_id"),
)

decision_log = Table(
    "decision_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("decision_id", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("until", Utc),
    Column("note", Text),
    Index(None, "decision_id"),
    comment="Append-only: every move of every decision.",
)

invitation = Table(
    "invitation",
    metadata,
    Column("id", String, primary_key=True),
    Column("decision_id", String, ForeignKey("decision.id"), nullable=False, unique=True),
    Column("survey", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("account_id", String),
    Column("contact_id", String, nullable=False),
    Column("interaction_id", String, nullable=False),
    Column("person", String, nullable=False),
    Column("email", String, nullable=False),
    Column("name", String, nullable=False),
    Column("language", String, nullable=False),
    Column("label", String, nullable=False, comment="What is asked about, as people call it: case 00123."),
    Column("customer_label", String, comment="The same as the customer reads it; NULL: `label`, in earlier versions."),
    Column("owner_ref", String, comment="Who owned the interaction when it was asked about."),
    Column("owner_name", String),
    Column("questionnaire", Json, nullable=False, comment="The questions as asked, with scales and version."),
    Column("created_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("state", String, nullable=False),
    Column("sent_at", Utc),
    Column("reminder_at", Utc, comment="When a reminder is due; NULL: none (any more)."),
    Column("reminded_at", Utc),
    Column("error", Text),
    Index(None, "person", "created_at"),
    Index(None, "account_id", "created_at"),
    Index(None, "contact_id"),
    Index("ix_invitation_due", "due_at", sqlite_where=text("state = 'due'"), postgresql_where=text("state = 'due'")),
    Index(
        "ix_invitation_reminder_at",
        "reminder_at",
        sqlite_where=text("reminder_at IS NOT NULL"),
        postgresql_where=text("reminder_at IS NOT NULL"),
    ),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("invitation_id", String, ForeignKey("invitation.id"), nullable=False),
    Column("purpose", String, nullable=False, comment="invitation or reminder"),
    Column("state", String, nullable=False, comment="sending, sent, in_doubt, bounced, or failed (certainly not sent)"),
    Column("message_id", String, nullable=False, unique=True),
    Column("server_id", String, comment="The mail server's own id, from its answer to the message."),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("error", Text),
    Index(None, "server_id"),
    Index(None, "invitation_id"),
    Index(
        "uq_attempt_that_may_have_arrived",
        "invitation_id",
        "purpose",
        unique=True,
        sqlite_where=text("state != 'failed'"),
        postgresql_where=text("state != 'failed'"),
    ),
    comment="Written before the mail server is called: a message is handed over at most once.",
)
