"""What follows from the answers: follow-ups, and what the CRM is to show."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

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
    Column("words_of", String, comment="What subject and body were made of: they are made anew when it differs."),
    Column("opened_at", Utc, nullable=False),
    Column("own_since", Utc, comment="When it took up an answer that had been in a follow-up about somebody else."),
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

notice = Table(
    "notice",
    metadata,
    Column("key", String, primary_key=True, comment="follow-up, event and recipient: each is told once."),
    Column("follow_up_id", String, nullable=False),
    Column("kind", String, nullable=False, server_default=text("'answer'"), comment="See stages/notices_plan.py."),
    Column("response_id", String, comment="The answer that is told."),
    Column("recipient", String, nullable=False),
    Column("state", String, nullable=False, comment="waiting, sending, sent, in_doubt, refused or dropped"),
    Column("mail", String, comment="Key of the staff mail that told it."),
    Column("at", Utc, nullable=False),
    Column("error", Text),
    Index(
        "ix_notice_waiting",
        "recipient",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(None, "follow_up_id"),
    comment="One thing that one person is told about a follow-up.",
)

staff_mail = Table(
    "staff_mail",
    metadata,
    Column("key", String, primary_key=True, comment="kind, day and recipient: at most one of a kind in a day."),
    Column("recipient", String, nullable=False),
    Column("kind", String, nullable=False, comment="alert, digest, weekly or monthly"),
    Column("state", String, nullable=False, comment="sending, sent, in_doubt or refused"),
    Column("at", Utc, nullable=False),
    Column("error", Text),
    Index(None, "at"),
    comment="Mails to our own people, each written down before it is sent.",
)

display = Table(
    "display",
    metadata,
    Column("connection", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("target", String, nullable=False, comment="account or contact"),
    Column("wanted", Json, nullable=False, comment="What our fields should say, by our names, JSON values."),
    Column("shown", Json, nullable=False, comment="What they were last seen to say, in the CRM's form."),
    Column(
        "written", Json, nullable=False, comment="What we last wrote, and how often others overwrote it, by our names."
    ),
    Column("dirty", Boolean, nullable=False),
    Index("ix_display_dirty", "connection", sqlite_where=text("dirty"), postgresql_where=text("dirty")),
    comment="A CRM record that shows something of ours.",
)

write_log = Table(
    "write_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("ref", String),
    Column("at", Utc, nullable=False),
    Column("outcome", String, nullable=False, comment="created, updated, refused, unknown"),
    Column("before", Json),
    Column("after", Json, nullable=False),
    Column("error", Text),
    Index(None, "connection", "ref"),
    comment="Every write to a CRM, with the values before: the last write-back can be taken back.",
)

refused = Table(
    "refused",
    metadata,
    Column("connection", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("direction", String, nullable=False, comment="read or write"),
    Column("code", String),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("fingerprint", String, nullable=False, comment="Of what was refused; taken up again when it differs."),
    Column("attempts", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column(
        "fields", Json, comment="Our names of the fields that were refused, where the others are written; NULL: all."
    ),
    comment="Set aside with the reason and the remedy; nothing else waits for it.",
)
