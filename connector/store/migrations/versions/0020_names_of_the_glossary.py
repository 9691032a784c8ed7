"""The glossary's names for tables and columns; no row changes"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

renamed: Mapping[str, str] = {
    "display": "outbox_record",
    "notice": "alert",
    "standing": "customer_score",
    "setup_made": "setup_log",
    "refused": "refused_record",
    "comparison": "reconciliation",
    "listed": "reconciled_record",
    "token": "crm_token",
}
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "outbox_record": {"wanted": "desired", "shown": "actual", "dirty": "pending"},
    "customer_score": {"score": "figures"},
    "score_history": {"score": "figures"},
    "binding": {"content": "content_hash"},
    "interaction": {"look_at": "decide_at"},
    "follow_up": {"words_of": "text_fingerprint", "own_since": "separated_at"},
    "alert": {"mail": "staff_mail_key"},
    "installation_mark": {
        "run": "run_id",
        "previous": "previous_run_id",
        "places": "store_positions",
        "firm": "was_ours",
    },
    "crm_token": {"sealed": "encrypted", "given": "refresh_token_hash"},
}
_INDEXES: Mapping[str, tuple[str, str, str]] = {
    "ix_display_dirty": ("ix_outbox_record_pending", "outbox_record (connection)", " WHERE pending"),
    "ix_standing_stale_at": ("ix_customer_score_stale_at", "customer_score (stale_at)", " WHERE stale_at IS NOT NULL"),
    "ix_interaction_look_at": ("ix_interaction_decide_at", "interaction (decide_at)", " WHERE decide_at IS NOT NULL"),
    "ix_notice_waiting": ("ix_alert_waiting", "alert (recipient)", " WHERE state = 'waiting'"),
    "ix_notice_follow_up_id": ("ix_alert_follow_up_id", "alert (follow_up_id)", ""),
}
"""Each index by its name before: its name now, and what it is made of."""
_COMMENTS: Mapping[str, str] = {
    "alert.kind": "See `NoticeKind` in `connector.stages.alerts.plan`.",
    "sign_in.state": "See `connector.store.ops.sign_ins`.",
}
"""Comments that named modules which are no more."""


def upgrade() -> None:
    """Change the store."""
    for before, after in renamed.items():
        op.rename_table(before, after)
    for table, columns in _COLUMNS.items():
        for before, after in columns.items():
            op.execute(sa.text(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}"))
    if op.get_bind().dialect.name == "sqlite":
        _make_indexes_anew()
    else:
        _rename_on_postgresql()


def _make_indexes_anew() -> None:
    """SQLite renames no index and no constraint. Names of primary keys stay: nothing asks for them by name."""
    for before, (after, columns, where) in _INDEXES.items():
        op.execute(sa.text(f"DROP INDEX {before}"))
        op.execute(sa.text(f"CREATE INDEX {after} ON {columns}{where}"))
    with op.batch_alter_table("setup_log") as table:
        table.drop_constraint("uq_setup_made_connection_key", type_="unique")
        table.create_unique_constraint("uq_setup_log_connection_key", ["connection", "key"])


def _rename_on_postgresql() -> None:
    """Rename indexes, keys and the sequence behind a key."""
    for before, (after, _, _) in _INDEXES.items():
        op.execute(sa.text(f"ALTER INDEX {before} RENAME TO {after}"))
    for before, after in renamed.items():
        op.execute(sa.text(f"ALTER INDEX pk_{before} RENAME TO pk_{after}"))
    op.execute(sa.text("ALTER INDEX uq_setup_made_connection_key RENAME TO uq_setup_log_connection_key"))
    op.execute(sa.text("ALTER SEQUENCE setup_made_id_seq RENAME TO setup_log_id_seq"))
    for column, comment in _COMMENTS.items():
        op.execute(sa.text(f"COMMENT ON COLUMN {column} IS '{comment}'"))
