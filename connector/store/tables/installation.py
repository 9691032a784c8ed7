"""What the installation knows of itself: its leases, its laps, its connections, and what it made in a CRM."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from connector.store.tables.base import metadata
from connector.store.types import Json, Utc

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Json),
    comment="What the installation remembers about itself, e.g. the whole product being paused.",
)

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String),
    Column("fence", Integer, nullable=False),
    Column("beat_at", Utc),
    comment="Who does which work now. The fence rises with every new owner, so that an old one's late write is noticed.",
)

lap = Table(
    "lap",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("exit_code", Integer),
    Column("report", Json),
)

connection_state = Table(
    "connection_state",
    metadata,
    Column("connection", String, primary_key=True),
    Column("paused_at", Utc),
    Column("pause_reason", Text),
    Column("mapping_fingerprint", String),
    Column(
        "mapping_since", Utc, comment="The CRM's clock when this mapping was first used; nothing older is asked about."
    ),
    Column("schema", Json, comment="The live schema as last described."),
    Column("schema_at", Utc),
    Column("org", Json),
    Column("calls_on", String, comment="The day that calls_today counts."),
    Column("calls_today", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("last_error_at", Utc),
    Column("last_ok_at", Utc),
)

go_live = Table(
    "go_live",
    metadata,
    Column("subject", String, primary_key=True, comment="survey:NAME or follow_up:NAME"),
    Column("connection", String, primary_key=True),
    Column("at", Utc, nullable=False, comment="On the CRM's clock."),
)

setup_made = Table(
    "setup_made",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("detail", Json),
    Column("at", Utc, nullable=False),
    UniqueConstraint("connection", "key"),
    comment="What setup-crm made in the CRM, so that undo takes away that and nothing else.",
)
