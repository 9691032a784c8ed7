"""By which id the mail server knows a message, so that a report of a bounce can name it"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "attempt",
        sa.Column(
            "server_id", sa.String(), nullable=True, comment="The mail server's own id, from its answer to the message."
        ),
    )
    op.create_index("ix_attempt_server_id", "attempt", ["server_id"])
    op.create_index("ix_attempt_invitation_id", "attempt", ["invitation_id"])
