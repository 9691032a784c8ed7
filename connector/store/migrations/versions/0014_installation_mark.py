"""Our side of the task in each CRM that says which installation works on it"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Json, Utc

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.create_table(
        "installation_mark",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column(
            "run", sa.String(), nullable=False, comment="Our newest run id: kept here before it is written to the CRM."
        ),
        sa.Column("previous", sa.String(), nullable=True, comment="The run id that the CRM showed before."),
        sa.Column("run_at", Utc(), nullable=False),
        sa.Column(
            "confirmed", sa.Boolean(), nullable=False, comment="The CRM still showed the newest one after its lag."
        ),
        sa.Column(
            "firm",
            sa.Boolean(),
            nullable=False,
            comment="The mark was ours before, too: only mail waits until it is confirmed.",
        ),
        sa.Column(
            "adopted",
            sa.Boolean(),
            nullable=False,
            comment="It was made by setup-crm, or taken over: the CRM carries our mark.",
        ),
        sa.Column("places", Json, nullable=False, comment="Where the store was at its renewals, the newest last."),
        sa.Column("read_at", Utc(), nullable=True, comment="When the mark was last seen to be ours."),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_installation_mark")),
        comment="Our side of the task in each CRM that says which installation works on it.",
    )
