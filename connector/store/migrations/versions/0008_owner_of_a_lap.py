"""Whose lap it is, and what of the inbox is still to be done"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column("lap", sa.Column("owner", sa.String(), nullable=True, comment="The process that runs it."))
    waiting = sa.text("done_at IS NULL")
    op.create_index(
        "ix_inbox_waiting", "inbox", ["source"], unique=False, sqlite_where=waiting, postgresql_where=waiting
    )
