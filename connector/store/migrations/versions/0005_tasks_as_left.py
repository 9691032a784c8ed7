"""Whether a follow-up's task is open, and what of it was left to others"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNSETTLED = sa.text("state <> 'closed' OR task_state = 'open'")


def upgrade() -> None:
    """Change the store."""
    for column in _columns():
        op.add_column("follow_up", column)
    op.execute(
        "UPDATE follow_up SET task_state = CASE WHEN state = 'open' THEN 'open' ELSE 'completed' END "
        "WHERE task_ref IS NOT NULL"
    )
    op.create_index(
        "ix_follow_up_unsettled",
        "follow_up",
        ["connection"],
        sqlite_where=_UNSETTLED,
        postgresql_where=_UNSETTLED,
    )


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column(
            "attention_ended_at",
            Utc(),
            nullable=True,
            comment="When the record stopped showing it: nobody had noted an outcome for long.",
        ),
        sa.Column(
            "task_state",
            sa.String(),
            nullable=True,
            comment="open, completed or deleted, as we last saw it or left it.",
        ),
        sa.Column(
            "task_left_at",
            Utc(),
            nullable=True,
            comment="When a change was kept from the task, because somebody else had changed it.",
        ),
    ]
