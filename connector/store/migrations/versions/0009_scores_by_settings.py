"""Which settings figures and priors were made with"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the store."""
    op.add_column(
        "standing",
        sa.Column(
            "made_with",
            sa.String(),
            nullable=True,
            comment="Which settings and version of the rules the figures were made with.",
        ),
    )
    with op.batch_alter_table("prior") as prior:
        prior.add_column(
            sa.Column(
                "fitted_with",
                sa.String(),
                nullable=False,
                server_default=sa.text("''"),
                comment="Method and half-life.",
            )
        )
        prior.drop_constraint(op.f("uq_prior_day"), type_="unique")
        prior.create_unique_constraint(op.f("uq_prior_day_fitted_with"), ["day", "fitted_with"])
