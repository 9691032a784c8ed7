"""The tables. What is kept, in one place; the queries stand in one module for each stage.

`ref` columns hold ``Object/id`` as `ref_text` makes it; with the connection's name they address a CRM record. References between
records are kept as such refs and resolved through `binding`, so that a merge or a late arrival needs no rewriting.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.model import Ref
from connector.store.types import Json, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def ref_text(ref: Ref | None) -> str | None:
    """Return the ref without its connection, as the columns named ``ref`` or ``*_ref`` hold it."""
    return None if ref is None else f"{ref.object}/{ref.id}"


def ref_of(connection: str, ref: str) -> Ref:
    """Read back what `ref_text` wrote."""
    object_name, _, crm_id = ref.partition("/")
    return Ref(connection, object_name, crm_id)


# ── the installation ─────────────────────────────────────────────────────────────────────────────────────────────────

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Json),
    comment="What the installation remembers about itself, e.g. the whole product being paused.",
)

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String),
    Column("fence", Integer, nullable=False),
    Column("beat_at", Utc),
    comment="Who does which work now. The fence rises with every new owner, so that an old one's late write is noticed.",
)

lap = Table(
    "lap",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("exit_code", Integer),
    Column("report", Json),
)

connection_state = Table(
    "connection_state",
    metadata,
    Column("connection", String, primary_key=True),
    Column("paused_at", Utc),
    Column("pause_reason", Text),
    Column("mapping_fingerprint", String),
    Column(
        "mapping_since", Utc, comment="The CRM's clock when this mapping was first used; nothing older is asked about."
    ),
    Column("schema", Json, comment="The live schema as last described."),
    Column("schema_at", Utc),
    Column("org", Json),
    Column("calls_on", String, comment="The day that calls_today counts."),
    Column("calls_today", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("last_error_at", Utc),
    Column("last_ok_at", Utc),
)

go_live = Table(
    "go_live",
    metadata,
    Column("subject", String, primary_key=True, comment="survey:NAME or follow_up:NAME"),
    Column("connection", String, primary_key=True),
    Column("at", Utc, nullable=False, comment="On the CRM's clock."),
)

setup_made = Table(
    "setup_made",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("detail", Json),
    Column("at", Utc, nullable=False),
    UniqueConstraint("connection", "key"),
    comment="What setup-crm made in the CRM, so that undo takes away that and nothing else.",
)

# ── what was read ────────────────────────────────────────────────────────────────────────────────────────────────────

cursor = Table(
    "cursor",
    metadata,
    Column("connection", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("pass", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("position", Text, nullable=False),
    Column("moved_at", Utc, nullable=False),
)

binding = Table(
    "binding",
    metadata,
    Column("connection", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False, comment="Our id. A merged record's binding points to the survivor's."),
    Column("content", String, nullable=False, comment="Hash of the record as understood: an echo looks unchanged."),
    Column("alias", Boolean, nullable=False, server_default=text("false")),
    Index(None, "id"),
)

owner = Table(
    "owner",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("name", String, nullable=False),
    Column("email", String),
    Column("active", Boolean, nullable=False),
    Column("timezone", String),
    Column("deleted_at", Utc),
    Index(None, "email"),
)

account = Table(
    "account",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column(
        "customer", String, nullable=False, comment="Linked accounts of several CRMs share one; else the account's id."
    ),
    Column("name", String, nullable=False),
    Column("owner_ref", String),
    Column("parent_ref", String),
    Column("is_customer", Boolean, nullable=False),
    Column("link", String),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Index(None, "customer"),
    Index(None, "link"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("account_ref", String),
    Column("name", String, nullable=False),
    Column("email", String),
    Column("person", String, comment="Keyed hash of the normalised e-mail: the same human over all connections."),
    Column("role", String),
    Column("language", String),
    Column("owner_ref", String),
    Column("no_surveys", Boolean, nullable=False),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Index(None, "person"),
    Index(None, "connection", "account_ref"),
)

interaction = Table(
    "interaction",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("label", String, nullable=False),
    Column("account_ref", String),
    Column("contact_refs", Json, nullable=False),
    Column("owner_ref", String),
    Column("ended", String),
    Column("ended_at", Utc),
    Column("updated_at", Utc),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Column("look_at", Utc, comment="When `invite` is to look at it; NULL when there is nothing to decide."),
    Index(
        "ix_interaction_look_at",
        "look_at",
        sqlite_where=text("look_at IS NOT NULL"),
        postgresql_where=text("look_at IS NOT NULL"),
    ),
    Index(None, "connection", "account_ref"),
)

person = Table(
    "person",
    metadata,
    Column("person", String, primary_key=True),
    Column("opted_out_at", Utc),
    Column("opted_out_by", String, comment="link, crm, erased"),
    Column("bounced_at", Utc),
    Column("bounce", Text),
    comment="What must survive re-imports and merges: nobody in here is asked again.",
)

# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

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
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("error", Text),
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

# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

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

# ── the score ────────────────────────────────────────────────────────────────────────────────────────────────────────

prior = Table(
    "prior",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("day", String, nullable=False, unique=True),
    Column("method", String, nullable=False),
    Column("value", Json, nullable=False),
)

standing = Table(
    "standing",
    metadata,
    Column("customer", String, primary_key=True),
    Column(
        "stale_at", Utc, comment="Since when answers, silence or follow-ups have changed and were not yet taken in."
    ),
    Column("prior_version", Integer),
    Column("as_of", Utc),
    Column("score", Json, comment="The figures as published: what the CRM should show."),
    Column("answers_key", String, comment="Which set of answers the figures were made from."),
    Column("published_at", Utc),
    Index(
        "ix_standing_stale_at",
        "stale_at",
        sqlite_where=text("stale_at IS NOT NULL"),
        postgresql_where=text("stale_at IS NOT NULL"),
    ),
)

score_history = Table(
    "score_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("method", String, nullable=False),
    Column("score", Json),
    Index(None, "customer", "at"),
)

# ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────────

follow_up = Table(
    "follow_up",
    metadata,
    Column("id", String, primary_key=True, comment="Also the key of its task in the CRM."),
    Column("rule", String, nullable=False),
    Column("customer", String, nullable=False),
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
    Column("opened_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Column("task_ref", String, comment="NULL until the CRM has the task."),
    Index(
        "uq_follow_up_open",
        "customer",
        "rule",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(None, "response_id"),
    Index(
        "ix_follow_up_taskless",
        "connection",
        sqlite_where=text("task_ref IS NULL"),
        postgresql_where=text("task_ref IS NULL"),
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

notice = Table(
    "notice",
    metadata,
    Column("key", String, primary_key=True, comment="follow-up id and recipient: each is told once."),
    Column("follow_up_id", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("state", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("error", Text),
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
    comment="Set aside with the reason and the remedy; nothing else waits for it.",
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("nonce", String, primary_key=True),
    Column("email", String, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("used_at", Utc),
    comment="One-time links for CRM users; the link itself is signed and not kept.",
)
