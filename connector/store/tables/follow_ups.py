"""What somebody must do about a customer: follow-ups, with their answers and rules."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

follow_up = Table(
    "follow_up",
    metadata,
    Column("id", String, primary_key=True, comment="Also the key of its task in the CRM."),
    Column("rule", String, nullable=False),
    Column("customer", String, nullable=False),
    Column(
        "about",
        String,
        nullable=False,
        server_default=text("''"),
        comment="Our id of the contact it is about; '' for rules about the account.",
    ),
    Column("connection", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("contact_id", String),
    Column("response_id", String),
    Column("interaction_id", String),
    Column("state", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("owner_ref", String),
    Column("owner_note", Text, comment="Why somebody else than the first choice was assigned."),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("outcome", String),
    Column("cause", String, comment="Key of [causes]."),
    Column("note", Text, comment="What whoever noted the outcome wrote with it."),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Outcomes that did not settle it."),
    Column(
        "text_fingerprint", String, comment="What subject and body were made of: they are made anew when it differs."
    ),
    Column("opened_at", Utc, nullable=False),
    Column("separated_at", Utc, comment="When it took up an answer that had been in a follow-up about somebody else."),
    Column("first_contact_at", Utc, comment="When somebody first spoke with the person after the answer."),
    Column("waiting_since", Utc, comment="When its task was completed or deleted without an outcome."),
    Column("closed_at", Utc),
    Column("closed_by", String, comment="outcome, later_answer, joined, account_gone or undo"),
    Column("joined_into", String, comment="The follow-up that took its answers over."),
    Column(
        "attention_ended_at", Utc, comment="When the record stopped showing it: nobody had noted an outcome for long."
    ),
    Column(
        "shown_until",
        Utc,
        comment="When time alone makes untrue what records say of it; NULL: nothing until something happens.",
    ),
    Column("task_ref", String, comment="NULL until the CRM has the task."),
    Column("task_state", String, comment="open, completed or deleted, as we last saw it or left it."),
    Column("task_left_at", Utc, comment="When a change was kept from the task, because somebody else had changed it."),
    Column("task_written", Json, comment="What we last wrote to the task, by our names."),
    Column("task_seen", Json, comment="What the task was last seen to hold, by our names."),
    Index(
        "uq_follow_up_open",
        "customer",
        "about",
        unique=True,
        sqlite_where=text("state IN ('open', 'waiting_for_outcome')"),
        postgresql_where=text("state IN ('open', 'waiting_for_outcome')"),
    ),
    Index(None, "customer"),
    Index(None, "about"),
    Index(None, "account_id"),
    Index(None, "response_id"),
    Index(
        None,
        "shown_until",
        sqlite_where=text("shown_until IS NOT NULL"),
        postgresql_where=text("shown_until IS NOT NULL"),
    ),
    Index(
        "ix_follow_up_taskless",
        "connection",
        sqlite_where=text("task_ref IS NULL"),
        postgresql_where=text("task_ref IS NULL"),
    ),
    Index(
        "ix_follow_up_unsettled",
        "connection",
        sqlite_where=text("state <> 'closed' OR task_state = 'open'"),
        postgresql_where=text("state <> 'closed' OR task_state = 'open'"),
    ),
)

follow_up_response = Table(
    "follow_up_response",
    metadata,
    Column("follow_up_id", String, ForeignKey("follow_up.id"), primary_key=True),
    Column("response_id", String, ForeignKey("response.id"), primary_key=True),
    Index(None, "response_id"),
    comment="Every answer that a follow-up is about: the one that opened it, and those that came while it was open.",
)

follow_up_rule = Table(
    "follow_up_rule",
    metadata,
    Column("follow_up_id", String, ForeignKey("follow_up.id"), primary_key=True),
    Column("rule", String, primary_key=True),
    Column("at", Utc, nullable=False),
    comment="Every rule that stands in a follow-up: the one that made it, and those that came to hold later.",
)

owed_follow_up = Table(
    "owed_follow_up",
    metadata,
    Column("response_id", String, ForeignKey("response.id"), primary_key=True),
    Column("follow_up_id", String, ForeignKey("follow_up.id"), nullable=False, comment="Where it is until then."),
    Column("at", Utc, nullable=False),
    comment="Answers whose follow-up is about somebody else now: each such person gets one of their own, however old the answer is.",
)
