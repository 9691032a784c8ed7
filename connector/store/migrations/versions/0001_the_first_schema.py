"""The first schema"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Json, Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column(
            "customer",
            sa.String(),
            nullable=False,
            comment="Linked accounts of several CRMs share one; else the account's id.",
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner_ref", sa.String(), nullable=True),
        sa.Column("parent_ref", sa.String(), nullable=True),
        sa.Column("is_customer", sa.Boolean(), nullable=False),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_customer"), ["customer"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_link"), ["link"], unique=False)

    op.create_table(
        "binding",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "id", sa.String(), nullable=False, comment="Our id. A merged record's binding points to the survivor's."
        ),
        sa.Column(
            "content", sa.String(), nullable=False, comment="Hash of the record as understood: an echo looks unchanged."
        ),
        sa.Column("alias", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection", "ref", name=op.f("pk_binding")),
    )
    with op.batch_alter_table("binding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_binding_id"), ["id"], unique=False)

    op.create_table(
        "connection_state",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("paused_at", Utc(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("mapping_fingerprint", sa.String(), nullable=True),
        sa.Column(
            "mapping_since",
            Utc(),
            nullable=True,
            comment="The CRM's clock when this mapping was first used; nothing older is asked about.",
        ),
        sa.Column("schema", Json, nullable=True, comment="The live schema as last described."),
        sa.Column("schema_at", Utc(), nullable=True),
        sa.Column("org", Json, nullable=True),
        sa.Column("calls_on", sa.String(), nullable=True, comment="The day that calls_today counts."),
        sa.Column("calls_today", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_error_at", Utc(), nullable=True),
        sa.Column("last_ok_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_connection_state")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("account_ref", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column(
            "person",
            sa.String(),
            nullable=True,
            comment="Keyed hash of the normalised e-mail: the same human over all connections.",
        ),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("owner_ref", sa.String(), nullable=True),
        sa.Column("no_surveys", sa.Boolean(), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_connection_account_ref"), ["connection", "account_ref"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_contact_person"), ["person"], unique=False)

    op.create_table(
        "cursor",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("pass", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("moved_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "object", "pass", name=op.f("pk_cursor")),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("interaction_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False, comment="'' when the interaction has nobody to ask."),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("due_at", Utc(), nullable=True, comment="When a waiting decision is looked at again."),
        sa.Column("until", Utc(), nullable=True, comment="Until when the reason holds, where it ends by itself."),
        sa.Column("decided_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "survey", "interaction_id", "contact_id", name=op.f("uq_decision_survey_interaction_id_contact_id")
        ),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decision_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_interaction_id"), ["interaction_id"], unique=False)
        batch_op.create_index(
            "ix_decision_waiting",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "decision_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("until", Utc(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_log")),
        comment="Append-only: every move of every decision.",
    )
    with op.batch_alter_table("decision_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decision_log_decision_id"), ["decision_id"], unique=False)

    op.create_table(
        "display",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False, comment="account or contact"),
        sa.Column("wanted", Json, nullable=False, comment="What our fields should say, by our names, JSON values."),
        sa.Column("shown", Json, nullable=False, comment="What they were last seen to say, in the CRM's form."),
        sa.Column(
            "written",
            Json,
            nullable=False,
            comment="What we last wrote, and how often others overwrote it, by our names.",
        ),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "ref", name=op.f("pk_display")),
        comment="A CRM record that shows something of ours.",
    )
    with op.batch_alter_table("display", schema=None) as batch_op:
        batch_op.create_index(
            "ix_display_dirty",
            ["connection"],
            unique=False,
            sqlite_where=sa.text("dirty"),
            postgresql_where=sa.text("dirty"),
        )

    op.create_table(
        "follow_up",
        sa.Column("id", sa.String(), nullable=False, comment="Also the key of its task in the CRM."),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=True),
        sa.Column("response_id", sa.String(), nullable=True),
        sa.Column("interaction_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("owner_ref", sa.String(), nullable=True),
        sa.Column(
            "owner_note", sa.Text(), nullable=True, comment="Why somebody else than the first choice was assigned."
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("task_ref", sa.String(), nullable=True, comment="NULL until the CRM has the task."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_response_id"), ["response_id"], unique=False)
        batch_op.create_index(
            "ix_follow_up_taskless",
            ["connection"],
            unique=False,
            sqlite_where=sa.text("task_ref IS NULL"),
            postgresql_where=sa.text("task_ref IS NULL"),
        )
        batch_op.create_index(
            "uq_follow_up_open",
            ["customer", "rule"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "go_live",
        sa.Column("subject", sa.String(), nullable=False, comment="survey:NAME or follow_up:NAME"),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False, comment="On the CRM's clock."),
        sa.PrimaryKeyConstraint("subject", "connection", name=op.f("pk_go_live")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("done_at", Utc(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_inbox_source_key")),
        comment="Raw events as they came: bounces, webhooks, imported rows. Processed once each.",
    )
    op.create_table(
        "interaction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("account_ref", sa.String(), nullable=True),
        sa.Column("contact_refs", Json, nullable=False),
        sa.Column("owner_ref", sa.String(), nullable=True),
        sa.Column("ended", sa.String(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column(
            "look_at",
            Utc(),
            nullable=True,
            comment="When `invite` is to look at it; NULL when there is nothing to decide.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction")),
    )
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_interaction_connection_account_ref"), ["connection", "account_ref"], unique=False
        )
        batch_op.create_index(
            "ix_interaction_look_at",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )

    op.create_table(
        "lap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("report", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lap")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("beat_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        comment="Who does which work now. The fence rises with every new owner, so that an old one's late write is noticed.",
    )
    op.create_table(
        "notice",
        sa.Column("key", sa.String(), nullable=False, comment="follow-up id and recipient: each is told once."),
        sa.Column("follow_up_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notice")),
    )
    op.create_table(
        "owner",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )
    with op.batch_alter_table("owner", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_owner_email"), ["email"], unique=False)

    op.create_table(
        "person",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("opted_out_at", Utc(), nullable=True),
        sa.Column("opted_out_by", sa.String(), nullable=True, comment="link, crm, erased"),
        sa.Column("bounced_at", Utc(), nullable=True),
        sa.Column("bounce", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_person")),
        comment="What must survive re-imports and merges: nobody in here is asked again.",
    )
    op.create_table(
        "prior",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_prior")),
        sa.UniqueConstraint("day", name=op.f("uq_prior_day")),
    )
    op.create_table(
        "refused",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False, comment="read or write"),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column(
            "fingerprint", sa.String(), nullable=False, comment="Of what was refused; taken up again when it differs."
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "key", name=op.f("pk_refused")),
        comment="Set aside with the reason and the remedy; nothing else waits for it.",
    )
    op.create_table(
        "score_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("score", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_history")),
    )
    with op.batch_alter_table("score_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_history_customer_at"), ["customer", "at"], unique=False)

    op.create_table(
        "setting",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
        comment="What the installation remembers about itself, e.g. the whole product being paused.",
    )
    op.create_table(
        "setup_made",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("detail", Json, nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setup_made")),
        sa.UniqueConstraint("connection", "key", name=op.f("uq_setup_made_connection_key")),
        comment="What setup-crm made in the CRM, so that undo takes away that and nothing else.",
    )
    op.create_table(
        "sign_in",
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_sign_in")),
        comment="One-time links for CRM users; the link itself is signed and not kept.",
    )
    op.create_table(
        "standing",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column(
            "stale_at",
            Utc(),
            nullable=True,
            comment="Since when answers, silence or follow-ups have changed and were not yet taken in.",
        ),
        sa.Column("prior_version", sa.Integer(), nullable=True),
        sa.Column("as_of", Utc(), nullable=True),
        sa.Column("score", Json, nullable=True, comment="The figures as published: what the CRM should show."),
        sa.Column(
            "answers_key", sa.String(), nullable=True, comment="Which set of answers the figures were made from."
        ),
        sa.Column("published_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_standing")),
    )
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_standing_stale_at",
            ["stale_at"],
            unique=False,
            sqlite_where=sa.text("stale_at IS NOT NULL"),
            postgresql_where=sa.text("stale_at IS NOT NULL"),
        )

    op.create_table(
        "write_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False, comment="created, updated, refused, unknown"),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_log")),
        comment="Every write to a CRM, with the values before: the last write-back can be taken back.",
    )
    with op.batch_alter_table("write_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_write_log_connection_ref"), ["connection", "ref"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("interaction_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False, comment="What is asked about, as people call it: case 00123."),
        sa.Column(
            "owner_ref", sa.String(), nullable=True, comment="Who owned the interaction when it was asked about."
        ),
        sa.Column("owner_name", sa.String(), nullable=True),
        sa.Column("questionnaire", Json, nullable=False, comment="The questions as asked, with scales and version."),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("reminder_at", Utc(), nullable=True, comment="When a reminder is due; NULL: none (any more)."),
        sa.Column("reminded_at", Utc(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_invitation_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_invitation_decision_id")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invitation_account_id_created_at"), ["account_id", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_invitation_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(
            "ix_invitation_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'due'"),
            postgresql_where=sa.text("state = 'due'"),
        )
        batch_op.create_index(batch_op.f("ix_invitation_person_created_at"), ["person", "created_at"], unique=False)
        batch_op.create_index(
            "ix_invitation_reminder_at",
            ["reminder_at"],
            unique=False,
            sqlite_where=sa.text("reminder_at IS NOT NULL"),
            postgresql_where=sa.text("reminder_at IS NOT NULL"),
        )

    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False, comment="invitation or reminder"),
        sa.Column(
            "state",
            sa.String(),
            nullable=False,
            comment="sending, sent, in_doubt, bounced, or failed (certainly not sent)",
        ),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name=op.f("fk_attempt_invitation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("message_id", name=op.f("uq_attempt_message_id")),
        comment="Written before the mail server is called: a message is handed over at most once.",
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "uq_attempt_that_may_have_arrived",
            ["invitation_id", "purpose"],
            unique=True,
            sqlite_where=sa.text("state != 'failed'"),
            postgresql_where=sa.text("state != 'failed'"),
        )

    op.create_table(
        "response",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invitation_id", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("contact_id", sa.String(), nullable=True),
        sa.Column("interaction_id", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False, comment="page, import, webhook"),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column(
            "counts",
            sa.Boolean(),
            nullable=False,
            comment="False for one that was corrected, or changed after contact.",
        ),
        sa.Column("after_contact", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "considered_at",
            Utc(),
            nullable=True,
            comment="When `follow_up` has looked at it; it opens follow-ups once.",
        ),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name=op.f("fk_response_invitation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("invitation_id", "revision", name=op.f("uq_response_invitation_id_revision")),
    )
    with op.batch_alter_table("response", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_response_account_id_at"), ["account_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_response_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "follow_up_response",
        sa.Column("follow_up_id", sa.String(), nullable=False),
        sa.Column("response_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["follow_up_id"], ["follow_up.id"], name=op.f("fk_follow_up_response_follow_up_id")),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_follow_up_response_response_id")),
        sa.PrimaryKeyConstraint("follow_up_id", "response_id", name=op.f("pk_follow_up_response")),
        comment="Every answer that a follow-up is about: the one that opened it, and those that came while it was open.",
    )
    with op.batch_alter_table("follow_up_response", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_response_response_id"), ["response_id"], unique=False)

    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_rating_response_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("response_id", "question", name=op.f("uq_rating_response_id_question")),
    )
