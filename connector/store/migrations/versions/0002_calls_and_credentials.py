"""Calls counted by the quarter of an hour, what stops them, and renewed tokens"""

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store. Calls counted by the older version's day are forgotten: at most one day's share is used again."""
    op.create_table(
        "call_count",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False, comment="The quarter of an hour that is counted, by its beginning."),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "at", name=op.f("pk_call_count")),
        comment="Calls to each CRM, by all processes; those about to be made are counted before.",
    )
    op.create_table(
        "token",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False, comment="Encrypted with a key made from [web] secret."),
        sa.Column(
            "given",
            sa.String(),
            nullable=False,
            comment="Keyed hash of the refresh token in config.toml that these descend from.",
        ),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_token")),
        comment="Tokens that a CRM has given in exchange for others: the newest alone is good.",
    )
    with op.batch_alter_table("connection_state", schema=None) as batch_op:
        for column in _state_columns():
            batch_op.add_column(column)
        batch_op.drop_column("calls_on")
        batch_op.drop_column("calls_today")


def _state_columns() -> list[sa.Column[object]]:
    said = "How many calls a day the CRM allows to everybody, as it last said."
    spent = "The org has few calls left, or none: until then we make no more."
    refused = "When the CRM refused our credentials: no call is made with them any more."
    changed = "Keyed hash of the refused credentials, to see that they were changed."
    return [
        sa.Column("calls_allowed", sa.Integer(), nullable=True, comment=said),
        sa.Column("calls_used", sa.Integer(), nullable=True, comment="How many everybody had used, as it last said."),
        sa.Column("no_calls_until", Utc(), nullable=True, comment=spent),
        sa.Column("no_calls_why", sa.Text(), nullable=True),
        sa.Column("refused_at", Utc(), nullable=True, comment=refused),
        sa.Column("refused_why", sa.Text(), nullable=True),
        sa.Column("refused_remedy", sa.Text(), nullable=True),
        sa.Column("refused_with", sa.String(), nullable=True, comment=changed),
    ]
