"""What a customer's answers are worth, so that the prior is fitted without reading them all"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "customer_score",
        sa.Column(
            "evidence",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="What the answers were worth at some moment: the prior is fitted on it as it has aged.",
        ),
    )
    # Everybody is looked at once more, and what their answers are worth is kept then.
    op.execute("UPDATE customer_score SET made_with = '' WHERE answers_key IS NOT NULL")
