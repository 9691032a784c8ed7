"""Which users of a CRM are the firm's own people, and not a partner's or a customer's"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "owner",
        sa.Column(
            "standard",
            sa.Boolean(),
            nullable=True,
            comment="Whether it is one of the firm's own people; NULL: not read since that is asked.",
        ),
    )
