"""The queue of sign-in mails, and sessions that can be ended"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_standing = sa.table("standing", sa.column("customer"), sa.column("stale_at", Utc()))
_account = sa.table("account", sa.column("customer"), sa.column("connection"), sa.column("deleted_at", Utc()))
_LONG_AGO = datetime(2026, 11, 29, tzinfo=UTC)
_WAITING = "state = 'waiting'"


def _column(name: str, comment: str, default: str, kind: type[sa.types.TypeEngine[Any]] = sa.String) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=False, server_default=sa.text(default), comment=comment)


def upgrade() -> None:
    """Change the store."""
    with op.batch_alter_table("sign_in") as table:
        sent = "When its mail was handed over; the link is good from then on."
        table.add_column(sa.Column("sent_at", Utc(), nullable=True, comment=sent))
        table.add_column(_column("account_id", "Where it leads.", "''"))
        table.add_column(_column("browser", "Hash of what the browser keeps.", "''"))
        table.add_column(_column("source", "Keyed hash of a network address.", "''"))
        table.add_column(_column("state", "See store/signing_in.py.", "'sent'"))
        table.add_column(_column("attempts", "Mails that could not go out.", "0", sa.Integer))
        table.add_column(sa.Column("next_at", Utc(), nullable=True, comment="When a waiting one is looked at."))
    for columns in (["email", "made_at"], ["source", "made_at"], ["made_at"]):
        op.create_index(op.f(f"ix_sign_in_{'_'.join(columns)}"), "sign_in", columns)
    op.create_index(
        "ix_sign_in_waiting",
        "sign_in",
        ["next_at"],
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )
    op.create_table(
        "web_session",
        sa.Column("id", sa.String(), nullable=False, comment="Hash of what the cookie holds."),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("began_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True, comment="When its owner signed out."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        comment="Who is signed in.",
    )
    op.create_index(op.f("ix_web_session_began_at"), "web_session", ["began_at"])
    # Records of linked customers held words that came through the other CRM: they are put into words anew.
    several = sa.func.count(sa.distinct(_account.c.connection)) > 1
    linked = (
        sa.select(_account.c.customer)
        .where(_account.c.deleted_at.is_(None))
        .group_by(_account.c.customer)
        .having(several)
    )
    waits = sa.update(_standing).where(_standing.c.stale_at.is_(None), _standing.c.customer.in_(linked))
    op.get_bind().execute(waits.values(stale_at=_LONG_AGO))
