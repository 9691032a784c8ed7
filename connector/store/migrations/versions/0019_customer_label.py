"""What a customer reads of that which they are asked about"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "invitation",
        sa.Column(
            "customer_label",
            sa.String(),
            nullable=True,
            comment="The same as the customer reads it; NULL: `label`, in earlier versions.",
        ),
    )
