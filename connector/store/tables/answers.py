"""What came back: raw events, responses and their ratings."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("key", String, nullable=False),
    Column("payload", Json, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("done_at", Utc),
    Column("error", Text),
    UniqueConstraint("source", "key"),
    Index("ix_inbox_waiting", "source", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
    comment="Raw events as they came: bounces, webhooks, imported rows. Processed once each.",
)

response = Table(
    "response",
    metadata,
    Column("id", String, primary_key=True),
    Column("invitation_id", String, ForeignKey("invitation.id")),
    Column("revision", Integer, nullable=False),
    Column("survey", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("account_id", String),
    Column("contact_id", String),
    Column("interaction_id", String),
    Column("label", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("language", String),
    Column("source", String, nullable=False, comment="page, import, webhook"),
    Column("comment", Text),
    Column("counts", Boolean, nullable=False, comment="False for one that was corrected, or changed after contact."),
    Column("after_contact", Boolean, nullable=False, server_default=text("false")),
    Column("considered_at", Utc, comment="When `follow_up` has looked at it; it opens follow-ups once."),
    UniqueConstraint("invitation_id", "revision"),
    Index(None, "account_id", "at"),
    Index(None, "contact_id"),
)

rating = Table(
    "rating",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("response_id", String, ForeignKey("response.id"), nullable=False),
    Column("metric", String, nullable=False),
    Column("question", String, nullable=False),
    Column("value", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("direction", String, nullable=False),
    UniqueConstraint("response_id", "question"),
)
