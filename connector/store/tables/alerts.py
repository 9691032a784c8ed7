"""What our own people are told by mail or chat."""

from sqlalchemy import Column, Index, String, Table, Text, text

from connector.store.db.types import Utc
from connector.store.tables.base import metadata

alert = Table(
    "alert",
    metadata,
    Column("key", String, primary_key=True, comment="follow-up, event and recipient: each is told once."),
    Column("follow_up_id", String, nullable=False),
    Column(
        "kind",
        String,
        nullable=False,
        server_default=text("'answer'"),
        comment="See `NoticeKind` in `connector.stages.alerts.plan`.",
    ),
    Column("response_id", String, comment="The answer that is told."),
    Column("recipient", String, nullable=False),
    Column("state", String, nullable=False, comment="waiting, sending, sent, in_doubt, refused or dropped"),
    Column("staff_mail_key", String, comment="Key of the staff mail that told it."),
    Column("at", Utc, nullable=False),
    Column("error", Text),
    Index(
        "ix_alert_waiting",
        "recipient",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(None, "follow_up_id"),
    comment="One thing that one person is told about a follow-up.",
)

staff_mail = Table(
    "staff_mail",
    metadata,
    Column("key", String, primary_key=True, comment="kind, day and recipient: at most one of a kind in a day."),
    Column("recipient", String, nullable=False),
    Column("kind", String, nullable=False, comment="alert, digest, weekly or monthly"),
    Column("state", String, nullable=False, comment="sending, sent, in_doubt or refused"),
    Column("at", Utc, nullable=False),
    Column("error", Text),
    Index(None, "at"),
    comment="Mails to our own people, each written down before it is sent.",
)
