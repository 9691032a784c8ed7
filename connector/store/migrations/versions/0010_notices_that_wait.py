"""Notices that wait for their time, and the mails that tell them"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column("owner", sa.Column("manager_ref", sa.String(), nullable=True))
    kind = sa.Column(
        "kind",
        sa.String(),
        nullable=False,
        server_default=sa.text("'answer'"),
        comment="See stages/notices_plan.py.",
    )
    op.add_column("notice", kind)
    op.add_column("notice", sa.Column("response_id", sa.String(), nullable=True, comment="The answer that is told."))
    op.add_column(
        "notice", sa.Column("mail", sa.String(), nullable=True, comment="Key of the staff mail that told it.")
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_notice_waiting", "notice", ["recipient"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_notice_follow_up_id", "notice", ["follow_up_id"])
    op.create_table(
        "staff_mail",
        sa.Column(
            "key", sa.String(), nullable=False, comment="kind, day and recipient: at most one of a kind in a day."
        ),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="alert, digest, weekly or monthly"),
        sa.Column("state", sa.String(), nullable=False, comment="sending, sent, in_doubt or refused"),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_staff_mail")),
        comment="Mails to our own people, each written down before it is sent.",
    )
    op.create_index("ix_staff_mail_at", "staff_mail", ["at"])
    _name_what_was_told()
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        _comment()


def _comment() -> None:
    op.alter_column(
        "notice",
        "key",
        comment="follow-up, event and recipient: each is told once.",
        existing_type=sa.String(),
        existing_nullable=False,
    )
    op.alter_column(
        "notice",
        "state",
        comment="waiting, sending, sent, in_doubt, refused or dropped",
        existing_type=sa.String(),
        existing_nullable=False,
    )
    op.create_table_comment("notice", "One thing that one person is told about a follow-up.")


def _name_what_was_told() -> None:
    """Whoever was told of a follow-up was told of the answer that it names: under the new keys nobody is told again."""
    notice = sa.table("notice", *(sa.column(name) for name in ("key", "follow_up_id", "response_id", "recipient")))
    follow_up = sa.table("follow_up", sa.column("id"), sa.column("response_id"))
    response = sa.select(follow_up.c.response_id).where(follow_up.c.id == notice.c.follow_up_id).scalar_subquery()
    event = sa.func.coalesce(sa.literal(":answer:") + response, ":opened")
    people = sa.func.substr(notice.c.recipient, 1, 8) != "webhook-"
    key = notice.c.follow_up_id + event + sa.literal(":") + notice.c.recipient
    op.execute(sa.update(notice).where(people).values(response_id=response, key=key))
