"""When time alone makes untrue what a record says of a follow-up"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROWS = sa.text("shown_until IS NOT NULL")


def upgrade() -> None:
    """Change the store. Records of open follow-ups are put into words anew by the next lap: their sentences are another version's."""
    op.add_column(
        "follow_up",
        sa.Column(
            "shown_until",
            Utc(),
            nullable=True,
            comment="When time alone makes untrue what records say of it; NULL: nothing until something happens.",
        ),
    )
    op.create_index(
        op.f("ix_follow_up_shown_until"), "follow_up", ["shown_until"], sqlite_where=_ROWS, postgresql_where=_ROWS
    )
    op.execute("UPDATE follow_up SET shown_until = opened_at WHERE state <> 'closed'")
