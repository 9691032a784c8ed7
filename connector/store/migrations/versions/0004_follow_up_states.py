"""What a follow-up knows of its task, its outcome and of who was told"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Json, Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    for column in _columns():
        op.add_column("follow_up", column)


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column(
            "about",
            sa.String(),
            nullable=False,
            server_default=sa.text("''"),
            comment="Our id of the contact it is about; '' for rules about the account.",
        ),
        sa.Column("cause", sa.String(), nullable=True, comment="Key of [causes]."),
        sa.Column("note", sa.Text(), nullable=True, comment="What whoever noted the outcome wrote with it."),
        sa.Column(
            "attempts",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Outcomes that did not settle it.",
        ),
        sa.Column(
            "first_contact_at",
            Utc(),
            nullable=True,
            comment="When somebody first spoke with the person after the answer.",
        ),
        sa.Column(
            "waiting_since",
            Utc(),
            nullable=True,
            comment="When its task was completed or deleted without an outcome.",
        ),
        sa.Column(
            "closed_by", sa.String(), nullable=True, comment="outcome, later_answer, joined, account_gone or undo"
        ),
        sa.Column("joined_into", sa.String(), nullable=True, comment="The follow-up that took its answers over."),
        sa.Column("task_written", Json, nullable=True, comment="What we last wrote to the task, by our names."),
        sa.Column("task_seen", Json, nullable=True, comment="What the task was last seen to hold, by our names."),
    ]
