"""When somebody whose answer had been in a follow-up about somebody else got one of their own"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "follow_up",
        sa.Column(
            "own_since",
            Utc(),
            nullable=True,
            comment="When it took up an answer that had been in a follow-up about somebody else.",
        ),
    )
