"""Which field of a CRM each thing of ours was written to, and which fields of a record were refused"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Json

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.create_table(
        "written_field",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False, comment="account or contact"),
        sa.Column("name", sa.String(), nullable=False, comment="Our name for what is written."),
        sa.Column(
            "line",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="The log's last line before it was so.",
        ),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False, comment="The CRM's name of the field."),
        sa.PrimaryKeyConstraint("connection", "target", "name", "line", name=op.f("pk_written_field")),
        comment="In which field of the CRM each thing of ours was written since when: the log of writes has our names alone.",
    )
    op.add_column(
        "refused",
        sa.Column(
            "fields",
            Json,
            nullable=True,
            comment="Our names of the fields that were refused, where the others are written; NULL: all.",
        ),
    )
