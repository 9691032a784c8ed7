"""Who last changed an interaction, so that updates by our own user do not count"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "interaction",
        sa.Column(
            "updated_by",
            sa.String(),
            nullable=True,
            comment="The CRM's id of who did it; of our own user only where nothing else is known.",
        ),
    )
