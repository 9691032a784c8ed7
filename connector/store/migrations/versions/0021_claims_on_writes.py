"""Claims on records that are being written, and the job that each report is of"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.create_table(
        "write_claim",
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True, comment="Our name for the write, as in the log."),
        sa.Column("claim", sa.String(), nullable=False, comment="One run of write-back."),
        sa.Column("owner", sa.String(), nullable=False, comment="The process that writes."),
        sa.Column("until", Utc(), nullable=False, comment="By the machine's own time; then another may take it."),
        comment="Who is writing which record at this moment: two writers never write one at once.",
    )
    op.add_column(
        "outbox_record",
        sa.Column("bulk_order", sa.String(), nullable=True, comment="The bulk order that is under way with it."),
    )
    op.add_column(
        "outbox_record",
        sa.Column(
            "read_back",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="Two writes may have crossed: what it holds is read in the CRM before it is compared.",
        ),
    )
    op.add_column(
        "lap",
        sa.Column("job", sa.String(), nullable=False, server_default=sa.text("'sync'"), comment="Which work it was."),
    )
