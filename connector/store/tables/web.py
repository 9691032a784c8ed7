"""Users of the CRM who open our pages: the links that they ask for, and their sessions."""

from sqlalchemy import Column, Index, Integer, String, Table, text

from connector.store.db.types import Utc
from connector.store.tables.base import metadata

sign_in = Table(
    "sign_in",
    metadata,
    Column("nonce", String, primary_key=True),
    Column("email", String, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("used_at", Utc),
    Column("sent_at", Utc, comment="When its mail was handed over; the link is good from then on."),
    Column("account_id", String, nullable=False, server_default=text("''"), comment="Where it leads."),
    Column("browser", String, nullable=False, server_default=text("''"), comment="Hash of what the browser keeps."),
    Column("source", String, nullable=False, server_default=text("''"), comment="Keyed hash of a network address."),
    Column(
        "state", String, nullable=False, server_default=text("'sent'"), comment="See `connector.store.ops.sign_ins`."
    ),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Mails that could not go out."),
    Column("next_at", Utc, comment="When a waiting one is looked at."),
    Index(None, "email", "made_at"),
    Index(None, "source", "made_at"),
    Index(None, "made_at"),
    Index(
        "ix_sign_in_waiting",
        "next_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    comment="One-time links for CRM users; the link itself is signed and not kept.",
)

web_session = Table(
    "web_session",
    metadata,
    Column("id", String, primary_key=True, comment="Hash of what the cookie holds."),
    Column("email", String, nullable=False),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc, comment="When its owner signed out."),
    Index(None, "began_at"),
    comment="Who is signed in.",
)
