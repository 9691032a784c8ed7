"""Nightly comparison of everything that a CRM has with everything that we have"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.create_table(
        "comparison",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column(
            "position", sa.Text(), nullable=True, comment="Where the comparison under way stands; NULL: none is."
        ),
        sa.Column(
            "compared",
            sa.Integer(),
            nullable=False,
            comment="Records compared by the one under way, or by the last one.",
        ),
        sa.Column("drift", sa.Integer(), nullable=False, comment="How many of them differed, and were put right."),
        sa.Column("measured_at", Utc(), nullable=True, comment="When the last complete one ended."),
        sa.Column("measured", sa.Integer(), nullable=True, comment="Its drift."),
        sa.Column("problem", sa.Text(), nullable=True, comment="Why the last one came to no end."),
        sa.PrimaryKeyConstraint("connection", "object", name=op.f("pk_comparison")),
        comment="Everything that a CRM has of an object against everything that we have of it, once a night.",
    )
    op.create_table(
        "listed",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "ref", name=op.f("pk_listed")),
        comment="Which records a comparison under way has met: those that we know and it has not met may be gone.",
    )
